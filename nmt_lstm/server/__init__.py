"""The translation server: LibreTranslate's interface, and those of other servers, for one's own models."""
