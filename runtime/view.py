"""Does the camera still see what it was set up to see? The table that the rules read."""

from __future__ import annotations

from typing import Literal

from runtime.site_rules import ViewKind


class View:
    """What the last look found. Shares are 0 to 1.

    Attributes:
        learned: a scene is known; before that all else means nothing.
        missing: share of the scene's structure that is not seen where it belongs.
        dark: share of the picture in which it is too dark to see anything.
        level: mean grey of the picture.
        shift: how far a corner of the inner picture has moved, as a share of the width.
        shift_px: how far the middle has moved, pixels of the source picture, right and down.
        turned_deg, zoom: turn clockwise, and size of things against before.
        other_scene: the picture shows something, and nothing of what was learned.
        frozen: an old picture is shown again.
        noise, noise_floor: change of the busiest patch, and the least there was, grey levels.
        raised: per rule of the site the kind of its standing hazard, or ""; written by the rules.
    """

    __slots__ = (
        "dark", "frozen", "learned", "level", "missing", "noise", "noise_floor", "other_scene",
        "raised", "shift", "shift_px", "turned_deg", "zoom",
    )  # fmt: skip

    def __init__(self, rules: int) -> None:
        self.raised: list[ViewKind | Literal[""]] = [""] * rules
        self.clear()

    def clear(self) -> None:
        """Nothing is known any more; what has been raised stays so until its rule clears it."""
        self.learned = self.frozen = self.other_scene = False
        self.missing = self.dark = self.level = self.shift = self.turned_deg = 0.0
        self.noise = self.noise_floor = 0.0
        self.zoom = 1.0
        self.shift_px = (0, 0)
