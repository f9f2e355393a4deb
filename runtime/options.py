"""What `boot` is told beside the board and the site file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from drivers.interfaces import Clock

FindDriver = Callable[[str, str], Callable[..., object]]
"""Kind and name of a driver -> what makes one, as `runtime.plugins.driver` does."""


@dataclass(frozen=True)
class Options:
    """What the command line adds to the board and site files; empty means as in the files.

    Attributes:
        site_file: name of the site file, for its mistakes.
        source: of the camera.
        model, skeleton, action: folders of packages, instead of the board's.
        fast: virtual time, as fast as the machine.
        journal: path of the journal ring.
        events: unbuffered; one JSON line per event.
        video: an annotated, anonymised MP4.
        still: the empty room, anonymised, renewed every hour; None: as `[counts]` of the site says.
        clock: instead of the system's own; `fast` then says only that no live source will do.
        find_driver: instead of `runtime.plugins.driver`: another board's devices.
        boot_id: of the journal's records; None: random, and 0 with `fast`.
        is_pushed: the site came over a link, not from `site_file`.
        slack_mb: soft memory limit above what the seal finds in use, for devices that are code.
    """

    site_file: str
    source: str = ""
    model: str = ""
    skeleton: str = ""
    action: str = ""
    fast: bool = False
    journal: str = ""
    events: IO[bytes] | None = None
    video: Path | None = None
    still: Path | None = None
    clock: Clock | None = None
    find_driver: FindDriver | None = None
    boot_id: int | None = None
    is_pushed: bool = False
    slack_mb: int = 0
