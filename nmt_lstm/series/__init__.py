"""Columns of numbers over time: reading them, scaling them, and their windows."""
