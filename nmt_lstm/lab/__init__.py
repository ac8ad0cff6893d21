"""The laboratory: leaderboards, comparisons, probes and analyses, built on the translator and unknown to it."""
