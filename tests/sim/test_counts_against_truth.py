"""Counts of the real loop against what the simulator knows: who was where, and for how long."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sim.scenario.result import Result, load
from tests.places import REPOSITORY

ZONE = "gate area"
AREA = f"""
[[world.zones]]
name = "{ZONE}"
polygon_m = [[-2.0, 5.8], [2.0, 5.8], [2.0, 11.0], [-2.0, 11.0]]
"""
TIME_SHARE = 0.10
"""Error of person-seconds in a zone: a box's foot is not the foot, and a sight is 100 ms."""


def played(folder: Path, name: str) -> Result:
    """A shipped scenario on a site that also counts."""
    text = (REPOSITORY / f"sim/scenarios/{name}.scenario.toml").read_text()
    file, out = folder / f"{name}.scenario.toml", folder / "result.json"
    file.write_text(text.replace("[world]\n", "[site.extra.counts]\nk = 1\n\n[world]\n", 1) + AREA)
    command = [sys.executable, "-m", "sim.scenario.child", str(file), str(out)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return load(out)


def truth(result: Result) -> tuple[int, float, int]:
    """Entries, person-seconds and most people at a time in the zone."""
    entries, times, inside = 0, 0, Counter[float]()
    for track in result.tracks:
        flags = [ZONE in zones for zones in track.zones]
        entries += sum(
            now and not before for before, now in zip([False, *flags], flags, strict=False)
        )
        times += sum(flags)
        inside.update(t_ms for t_ms, flag in zip(track.t_ms, flags, strict=True) if flag)
    return entries, times / result.fps, max(inside.values())


@pytest.mark.parametrize(("name", "crossed"), [("line_in_and_out", [2, 1]), ("line_crowd", [4, 2])])
def test_entries_stays_and_crossings_are_those_of_the_world(
    tmp_path: Path, name: str, crossed: list[int]
) -> None:
    result = played(tmp_path, name)
    (why,) = [event["why"] for event in result.events if event["kind"] == "counts"]
    assert why["lines"] == {"gate": crossed}
    _, ds, entered, appeared, left, vanished, most, *stays = told = why["zones"][ZONE]
    entries, seconds, most_truly = truth(result)
    assert (entered, left, appeared) == (entries, entries, 0), told
    assert vanished <= 1, "who is lost on the way out was last seen inside"
    assert ds / 10 == pytest.approx(seconds, rel=TIME_SHARE)
    assert most_truly - 1 <= most <= most_truly, "who passes in less than 300 ms is not counted"
    assert sum(stays) == entries


def test_the_truth_is_of_something(tmp_path: Path) -> None:
    zones: list[Any] = [[], [ZONE], [ZONE], [], [ZONE]]
    times = [0.0, 100.0, 200.0, 300.0, 400.0]

    class Track:
        t_ms = times

        def __init__(self) -> None:
            self.zones = zones

    class One:
        tracks, fps = [Track(), Track()], 10.0

    assert truth(One()) == (4, 0.6, 2)  # type: ignore[arg-type]
