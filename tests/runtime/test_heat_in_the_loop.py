"""The whole camera on a board that gets hot: pictures, records, relay, and memory that is still."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.places import REPOSITORY


@pytest.fixture(scope="module")
def run() -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "tests.hot_camera"],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def judged(run: dict, from_ms: float, to_ms: float) -> int:
    return sum(from_ms <= t_ms < to_ms for t_ms in run["judged_ms"])


def test_half_of_the_pictures_are_judged_while_it_is_hot(run):
    assert judged(run, 1000, 3000) == pytest.approx(20, abs=1)
    assert judged(run, 5000, 9000) == pytest.approx(20, abs=1)
    assert judged(run, 10_500, 12_000) == pytest.approx(15, abs=1)


def test_every_step_is_written_down_once(run):
    told = [(e["rule"], e["state"]) for e in run["events"] if e["rule"].startswith("heat")]
    assert told == [
        ("heat_shed", "raised"), ("heat_slow", "raised"),
        ("heat_slow", "cleared"), ("heat_shed", "cleared"),
        ("heat_shed", "raised"), ("heat_slow", "raised"), ("heat_fault", "raised"),
        ("heat_slow", "cleared"), ("heat_shed", "cleared"), ("heat_fault", "cleared"),
    ]  # fmt: skip


def test_only_the_critical_heat_drops_the_relay(run):
    relay = [
        (e["state"], e["t_ms"]) for e in run["events"] if e["why"].get("output") == "fault_relay"
    ]
    assert [state for state, _ in relay] == ["on", "off", "on"]
    assert 12_000 <= relay[1][1] <= 13_200


def test_nothing_else_is_a_fault_and_alarms_are_raised(run):
    faults = {e["rule"] for e in run["events"] if e["kind"] == "fault"}
    assert faults == {"heat_shed", "heat_slow", "heat_fault"}
    assert any(e["kind"] == "alarm" for e in run["events"])


def test_memory_does_not_move(run):
    report = run["report"]
    assert report["rss_kb_end"] - report["rss_kb_sealed"] <= 8
    assert report["kept_objects"] <= 300
    assert report["cyclic_objects_per_frame"] == 0
