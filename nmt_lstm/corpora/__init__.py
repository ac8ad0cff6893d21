"""What comes with the package: a corpus, and a model trained on it."""
