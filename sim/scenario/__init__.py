"""Scenario files: what they say, playing one, and whether what had to happen did."""
