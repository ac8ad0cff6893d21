"""The conformance kit for authors of cells and attentions."""
