"""Floor 2: what a network gives. Tables, packages, decoder families, students, training.

Imports `drivers` only; knows nothing of tracks, rules or alarms.
"""
