"""The life of an experiment: runs that are planned, done in processes where they are missing, recorded and reported."""
