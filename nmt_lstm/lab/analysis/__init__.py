"""Analyses of where translations differ from their references, and two systems from each other."""
