"""The model folder: writing, reading, integrity and averaging of weights."""
