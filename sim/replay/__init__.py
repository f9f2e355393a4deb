"""Keep what the loop saw and did, run it again, and compare."""
