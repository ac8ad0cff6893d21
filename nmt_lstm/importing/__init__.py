"""Models of other toolkits, read without running any of their code, as model folders."""
