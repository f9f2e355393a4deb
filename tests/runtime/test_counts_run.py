"""Counts in the real loop: sealed memory, what a video truly shows, power cuts."""

from __future__ import annotations

import random
from pathlib import Path

import cv2
import pytest
from test_counts import HOUR_MS, Bench

from drivers.clock import VirtualClock
from drivers.storage import FileReader
from runtime.counts_record import Period, decode
from runtime.journal import Journal, read_all
from runtime.record import Recorder
from runtime.report.history import read
from sim.board.flash import Flash
from tests.machine import BOARD, SITES, camera, events, haetae, metrics
from tests.places import data_root

SITE = """
format = 1
name = "counted"
units = "fraction"
[[lines]]
name = "gate"
start = [0.75, 0.0]
end = [0.75, 1.0]
in_side = "left"
[[zones]]
name = "right"
polygon = [[0.75, 0.0], [1.0, 0.0], [1.0, 1.0], [0.75, 1.0]]
[[rules]]
kind = "line"
line = "gate"
[[rules]]
kind = "zone"
zone = "right"
severity = "info"
[counts]
k = 2
"""


def counted(folder: Path, *arguments: object, more: str = "") -> Period:
    """The one hour of a fast run; `more` is added to the site file."""
    site = folder / "site.toml"
    site.write_text(SITE + more)
    files = "--journal", folder / "journal.ring", "--events", folder / "events.jsonl"
    figures = "--metrics", folder / "metrics.json"
    done = haetae("run", "--board", BOARD, "--site", site, "--fast", *files, *figures, *arguments)
    assert done.returncode == 0, done.stderr
    reader = FileReader(folder / "journal.ring")
    (period,) = read(read_all(reader)).periods
    reader.close()
    return period


def test_who_walks_by_is_counted_in_sealed_memory(tmp_path: Path) -> None:
    """One person crosses the drawn room from left to right in each 12 s."""
    period = counted(tmp_path, "--source", "synthetic:seed=1,frames=360")
    assert period.lines == {"gate": (3, 0)}
    right, everywhere = period.zones["right"], period.zones[""]
    assert (right.entries, right.exits, right.most) == (3, 3, 1)
    assert everywhere.tracks == 3
    assert sum(ms for ms, _ in period.cells.values()) == pytest.approx(everywhere.ms, abs=2000)
    assert period.observed_ms == 35_900
    figures = metrics(tmp_path)
    assert figures["rss_kb_end"] == figures["rss_kb_sealed"]
    assert figures["slack_kb"] == 0
    last = events(tmp_path)[-2:]
    assert [event["kind"] for event in last] == ["counts", "shutdown"]


def test_the_empty_room_is_kept_for_the_report_in_sealed_memory(tmp_path: Path) -> None:
    still = tmp_path / "kept" / "background.jpg"
    more = f'background = "{still}"\n[privacy]\nmode = "people"\nlearn_ms = 5000\n'
    counted(tmp_path, "--source", "synthetic:seed=1,frames=240", more=more)
    picture = cv2.imread(str(still))
    assert picture.shape == (360, 640, 3)
    assert picture.std() > 5, "a room, not one colour"
    figures = metrics(tmp_path)
    assert figures["rss_kb_end"] == figures["rss_kb_sealed"]
    assert figures["slack_kb"] == 0
    assert not [event for event in events(tmp_path) if event["kind"] == "fault"]


def test_without_the_section_nobody_is_counted(tmp_path: Path) -> None:
    done = haetae(*camera(tmp_path, "--fast", "--frames", 30))
    assert done.returncode == 0
    assert not [event for event in events(tmp_path) if event["kind"] == "counts"]


@pytest.mark.data
def test_six_people_of_a_real_video_are_counted_once_each(tmp_path: Path) -> None:
    video = data_root() / "video/intel/one-by-one-person-detection.mp4"
    if not video.is_file():
        pytest.skip(f"HAETAE_DATA has no {video.name}")
    period = counted(tmp_path, "--source", video)
    assert period.lines == {"gate": (6, 0)}
    assert (period.zones[""].tracks, period.zones[""].most) == (6, 1)
    assert period.zones["right"].entries in (5, 6)


def test_a_power_cut_loses_at_most_the_hour_it_falls_into() -> None:
    """Cut at every operation of the journal in four hours: whole hours stay whole."""
    bench = Bench(slot_bytes=512)
    flash, chance = Flash(bytes(512 * 64), 512), random.Random(5)
    recorder = Recorder(Journal(flash, VirtualClock(), 1), None)
    durable: list[Period] = []
    cuts = 0

    def cut(now: Flash, units: set[int]) -> None:
        nonlocal cuts
        cuts += 1
        left = Flash(now.after_cut(cuts, units), 512)
        found = read(read_all(left)).periods
        assert [period for period in found if period.is_whole][: len(durable)] == durable

    flash.before = cut
    for t_ms in range(100, 4 * HOUR_MS, 20_000):
        people = {slot: (chance.uniform(0, 640), chance.uniform(0, 360)) for slot in range(6)}
        bench.frame(t_ms, people)
        bodies = bench.bodies()
        recorder.write(bench.context.events, 0.0)
        if bodies and bodies[-1]["part"] == bodies[-1]["parts"] - 1:  # type: ignore[operator]
            parts = [record.body["why"] for record in read_all(flash)]
            hour = decode(part for part in parts if part["from_ms"] == bodies[-1]["from_ms"])
            assert hour is not None and hour.is_whole
            durable.append(hour)
    assert len(durable) == 3
    assert cuts > 12


def test_the_shipped_site_that_counts_is_checked(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    text = (SITES / "counting.toml").read_text().split("[counts]")[0]
    for wrong, words in (
        ("columns = 96\nrows = 96", "counts.columns = 96: at most 1536 cells"),
        ("dwell_s = [5, 5]", "counts.dwell_s = [5, 5]: must rise"),
        ("dwell_s = []", "counts.dwell_s: must hold 1 to 12"),
        ("k = 0", "counts.k = 0: must be >= 1"),
        ("column = 3", "counts.column"),
    ):
        site.write_text(f"{text}\n[counts]\n{wrong}\n")
        done = haetae("check", "--site", site)
        assert done.returncode == 2
        assert words in done.stderr, done.stderr
