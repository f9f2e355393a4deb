"""Floor 3: what may change in the field: keys, bundles, slots, trial, links, carriers, commands.

Imports `models` and `drivers`. It decides which students are loaded and knows nothing of rules.
"""
