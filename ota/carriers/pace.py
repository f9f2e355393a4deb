"""When to ask next: an even load on the server, whatever the cameras do at the same time.

Every figure of time that a carrier waits comes from here; the simulation of a fleet calls the same
functions with arrays.
"""

from __future__ import annotations

import hashlib
from typing import Final

POLL_MS: Final = 3_600_000.0
LEAST_POLL_MS: Final = 30_000.0
MOST_POLL_MS: Final = 7 * 24 * 3_600_000.0
JITTER: Final = 0.2
"""Of the interval: it is drawn between 0.9 and 1.1 of itself."""
BOOT_SPREAD_MS: Final = 600_000.0
"""The first poll after a start lies anywhere in here: a site's power returns for all at once."""
BACKOFF_MS: Final = 30_000.0
MAX_DOUBLINGS: Final = 6
"""Of the wait after a failure: 30 s to 32 min, times 0.5 to 1.5."""


def phase_of(device_id: str) -> float:
    """A camera's own place in any interval, [0, 1), also where boards draw equal randomness."""
    digest = hashlib.sha256(f"haetae phase 1\0{device_id}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) * 2.0**-53


def first_wait_ms(phase: float, random: float, spread_ms: float = BOOT_SPREAD_MS) -> float:
    """From the start of the carrier to its first poll, ms.

    Args:
        phase: `phase_of` this camera.
        random: in [0, 1), drawn now.
        spread_ms: over how long the cameras that start together spread.
    """
    return spread_ms * ((phase + random) % 1.0)


def wait_ms(phase: float, random: float, interval_ms: float, jitter: float = JITTER) -> float:
    """From one poll to the next, ms; arguments as `first_wait_ms`."""
    return interval_ms * (1.0 - jitter / 2 + jitter * ((phase + random) % 1.0))


def backoff_ms(failures: int, random: float) -> float:
    """After so many failures in a row (at least 1), ms."""
    return BACKOFF_MS * 2.0 ** min(failures - 1, MAX_DOUBLINGS) * (0.5 + random)
