"""Whether the wall clock can be right: a board that lost the time starts in 1970, or anywhere."""

from __future__ import annotations

PLAUSIBLE_FROM_MS = 1_735_689_600_000
"""2025-01-01T00:00:00Z, ms since 1970. An earlier time is that of a board that lost it."""
PLAUSIBLE_TO_MS = 4_102_444_800_000
"""2100-01-01T00:00:00Z. A later time is garbage of a clock chip; no calendar takes all of them."""


def is_plausible(wall_ms: float) -> bool:
    """It may be today, ms since 1970."""
    return PLAUSIBLE_FROM_MS <= wall_ms < PLAUSIBLE_TO_MS
