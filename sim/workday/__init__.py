"""An hour of busy normal work with hazards planted in it: generated, played, and scored.

Lives here: the cast of a working hour, the scenario file that is made of it, and what the camera
made of that hour: which hazards it found and how soon, and what it called for nothing. Uses the
scenario player like anybody else.
"""
