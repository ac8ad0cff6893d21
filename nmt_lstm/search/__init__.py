"""Search over a model that can start, step and reorder: beam search, ensembles, forced scoring."""
