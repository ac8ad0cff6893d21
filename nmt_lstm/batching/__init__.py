"""Pieces to batches: padding, buckets and the loader."""
