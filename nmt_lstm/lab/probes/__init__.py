"""Memory probes: small tasks that show over which distances a recurrent cell remembers, and why."""
