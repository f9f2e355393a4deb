"""The pictures of a page: anonymised stills from the clips that the camera wrote itself."""

from __future__ import annotations

import base64
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import DecodeError

from runtime.export import picture_times_ms, stills
from sim.scenario import result as results
from sim.scenario.result import Result

WIDTH_PX = 480
PAGE_BYTES, SCENARIO_BYTES = 24_000_000, 1_300_000
"""Most that all pictures of a page, and those of one scenario, may take up."""
EARLY_MS = 1.0
"""A picture this little after its moment is still the picture of the moment."""


@dataclass
class Album:
    """Pictures of one scenario, in the order of time.

    Attributes:
        times_ms: when each was taken.
        uris: each as a `data:` URI.
    """

    times_ms: list[float] = field(default_factory=list)
    uris: list[str] = field(default_factory=list)

    def at(self, t_ms: float) -> int:
        """The newest picture at a moment, the first one before it; -1 in an empty album."""
        if not self.times_ms:
            return -1
        return max(0, bisect_right(self.times_ms, t_ms + EARLY_MS) - 1)


def folder_name(result: Result) -> str:
    """What `haetae sim run` calls the folder of a scenario."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", result.scenario).strip(".") or "scenario"


def folder_of(result: Result, report: Path) -> Path | None:
    """Where a run left its files: the folder whose result is this one."""
    name = folder_name(result)
    for folder in (report / name, report / f"{name}-{result.seed}"):
        try:
            found = results.load(folder / "result.json")
        except (OSError, DecodeError):
            continue
        if (found.seed, found.hashes) == (result.seed, result.hashes):
            return folder
    return None


def album(
    result: Result, folder: Path | None, first: Sequence[float], then: Sequence[float], most: int
) -> Album:
    """Choose and read pictures.

    Args:
        result: whose clips.
        folder: where they lie; None: an empty album.
        first, then: moments in ms to show; those of `then` where there is room.
        most: bytes that the URIs may take up.
    """
    made = Album()
    clips = [name for key, name in result.files.items() if key.startswith("video")]
    if folder is None or not clips:
        return made
    taken = sorted(
        (t_ms, clip, number)
        for clip in clips
        for number, t_ms in enumerate(picture_times_ms(folder / clip))
    )
    times = [row[0] for row in taken]
    wanted: dict[int, None] = {}
    for moment in (*first, *then):
        if times:
            wanted[max(0, bisect_right(times, moment + EARLY_MS) - 1)] = None
    pictures = _read(folder, clips, [taken[index] for index in wanted])
    chosen, used = list[tuple[float, str]](), 0
    for index in wanted:
        uri = pictures.get(taken[index][1:])
        if uri is None or used + len(uri) > most:
            continue
        used += len(uri)
        chosen.append((taken[index][0], uri))
    for t_ms, uri in sorted(chosen):
        made.times_ms.append(t_ms)
        made.uris.append(uri)
    return made


def _read(
    folder: Path, clips: list[str], wanted: list[tuple[float, str, int]]
) -> dict[tuple[str, int], str]:
    """(clip, picture number) -> URI."""
    found = {}
    for clip in clips:
        numbers = [number for _, its_clip, number in wanted if its_clip == clip]
        for number, jpeg in stills(folder / clip, numbers, WIDTH_PX).items():
            encoded = base64.b64encode(jpeg).decode("ascii")
            found[clip, number] = f"data:image/jpeg;base64,{encoded}"
    return found
