"""Floor 4: the loop and what it runs each frame: track, rules, alarm, journal, health, boot.

Imports `ota`, `models`, `drivers`; the one place that puts everything together is `runtime.boot`.
"""
