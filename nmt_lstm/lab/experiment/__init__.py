"""Experiments: folders for results, and parallel execution of the runs that have none yet."""
