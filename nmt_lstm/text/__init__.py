"""Text to pieces: reading, cleaning, subwords and the store of prepared pieces."""
