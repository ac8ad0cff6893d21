"""Templates for new plugin distributions."""
