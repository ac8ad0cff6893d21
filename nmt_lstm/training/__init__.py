"""Training with Lightning: module, data module, optimization, validation and the whole fit."""
