"""The settings of a run: schema, run files, overrides and defaults."""
