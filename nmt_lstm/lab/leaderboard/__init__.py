"""A local leaderboard: systems on test sets, scored alike, ranked only where they can be compared."""
