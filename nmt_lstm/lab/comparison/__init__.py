"""Bake-offs: variants of one run, some seeds each, trained under the same budget and compared with significance."""
