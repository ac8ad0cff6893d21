"""The model folder: writing, reading, verifying, and averaging of weights."""
