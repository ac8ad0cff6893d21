"""The page at "/": a translation that appears while one types, and how it came about."""
