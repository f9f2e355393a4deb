"""Rules: one small function over tables per kind of danger."""
