"""Files from outside and back: bounded reading, checksums, and writing whole or not at all."""
