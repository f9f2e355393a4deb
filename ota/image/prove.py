"""Whether the camera is well with the image that has just booted: asked over its own link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from drivers.interfaces import Clock
from ota.link.lost import LinkLost
from ota.refusal import Refused
from ota.technician import Camera, WrongArgument
from ota.technician_words import number, table

LOOK_MS: Final = 2000.0
"""From look to look; pictures are counted over at least a second."""
WELL_LOOKS: Final = 3
"""So many looks in a row have to be good: a camera that starts over and over is not well."""


class Ask(Protocol):
    """Gives the status of the camera once; see `ota.status`."""

    def __call__(self) -> Mapping[str, Any]:
        """Ask. Raises LinkLost, Refused."""
        ...


def ill(status: Mapping[str, Any]) -> str:
    """Why the camera is not well by its own words; "" where it judges pictures and is healthy."""
    health = table(status, "health")
    if faults := table(health, "faults"):
        return ", ".join(f"{name}: {reason}" for name, reason in sorted(faults.items()))
    if health.get("healthy") is not True:
        return "it does not say that it is healthy"
    if not number(table(status, "camera"), "fps"):
        return "it judges no pictures"
    return ""


def prove(ask: Ask, clock: Clock, within_ms: float) -> str:
    """Look until the camera was well at several looks in a row, or the time is over.

    Args:
        ask: the status.
        clock: injected.
        within_ms: from now.

    Returns:
        "" where it is well, else why it was not at the last look.
    """
    until_ms = clock.now_ms() + within_ms
    in_a_row, why = 0, "there was no time to look"
    while clock.now_ms() < until_ms:
        try:
            why = ill(ask())
        except (LinkLost, Refused) as error:
            why = str(error).rstrip("; ")
        in_a_row = 0 if why else in_a_row + 1
        if in_a_row == WELL_LOOKS:
            return ""
        clock.sleep_until_ms(clock.now_ms() + LOOK_MS)
    return why or f"well at {in_a_row} looks only, {WELL_LOOKS} are wanted"


class Asker:
    """Asks one camera, over a connection of its own each time: the line stays free between.

    Args:
        link: as `--link` takes it.

    Raises:
        WrongArgument: no such address.
    """

    def __init__(self, link: str) -> None:
        self._link = link
        Camera(link).close()

    def __call__(self) -> Mapping[str, Any]:
        """Ask. Raises LinkLost, Refused."""
        with Camera(self._link) as camera:
            return camera.status()


__all__ = ["Asker", "WrongArgument", "ill", "prove"]
