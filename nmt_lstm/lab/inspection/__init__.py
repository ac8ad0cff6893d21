"""Inside a trained model: gates, memory, attention, gradients and search of one sentence, as a trace and as a page."""
