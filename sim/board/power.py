"""Whether the processor runs: every device asks before it does anything for it."""

from __future__ import annotations


class Power:
    """The supply of one boot. Devices of that boot hold it and outlive nothing."""

    def __init__(self) -> None:
        self.is_on = True

    def go(self) -> None:
        """Off, for good; the next boot has a Power of its own."""
        self.is_on = False
