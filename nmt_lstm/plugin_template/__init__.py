"""A new plugin distribution, written for an author to fill in."""
