"""What the simulated camera looks at: the contracts of the world, and the world put together.

Metres, milliseconds, degrees. x is to the right of a camera that is not panned, y is away from it,
z is up, the ground is z = 0. Nothing here knows of boards, scenarios or reports.
"""
