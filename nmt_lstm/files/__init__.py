"""Files: bounded reading, atomic writing, checksums and locks."""
