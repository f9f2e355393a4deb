"""Floor 1: what hardware is. Interfaces, faults, clock, board file, and one small file per device.

Imports no other floor. A vendor adds drivers from outside through the entry-point group
`haetae.drivers`.
"""
