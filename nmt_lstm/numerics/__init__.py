"""Matrix products, precision and memory: how the arithmetic is done on this machine."""
