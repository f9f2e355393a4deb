"""The benchmark runs, and its gate closes on bad figures."""

from __future__ import annotations

from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import pytest

from tests.bench import report, scenes
from tests.bench.worker import OURS

PEERS = ("supervision", "trackers", "norfair")
GOOD = {"frame_ms": 2.3, "over_invoke_ms": 0.2, "floor_ms": 2.15, "ratio": 1.07, "rss_mb": 80.0}


def table(**ours: float) -> report.Table:
    """All settings with good figures, ours changed by the arguments in each."""
    rows = {}
    for name in report.MAX_RATIO:
        people = 6.0 if name.endswith("six") else 1.0
        peer = GOOD | {"over_invoke_ms": 0.3, "rss_mb": 150.0, "ratio": 1.14, "people": people}
        rows[name] = {OURS: GOOD | {"people": people} | ours, "peer": peer}
    return rows


def test_good_figures_pass() -> None:
    assert report.failures(table()) == []


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        ({"ratio": 1.3}, "ratio 1.300"),
        ({"ratio": float("nan")}, "ratio nan"),
        ({"rss_mb": 90.1}, "90.1 MB resident"),
        ({"over_invoke_ms": 0.3}, "peer needs 0.300"),
        ({"people": 0.0}, "0.0 people"),
    ],
)
def test_each_bad_figure_fails_in_every_setting(bad: dict[str, float], word: str) -> None:
    found = report.failures(table(**bad))
    assert len(found) == len(report.MAX_RATIO)
    assert all(word in sentence for sentence in found)


def test_a_budget_missed_by_a_little_is_told_and_does_not_fail() -> None:
    figures = table(ratio=1.17)
    assert report.missed_budgets(figures) == [
        "320 one: ratio 1.170, the design's budget is 1.12",
        "416 one: ratio 1.170, the design's budget is 1.08",
    ]
    assert [sentence[:7] for sentence in report.failures(figures)] == ["416 one"]
    assert report.missed_budgets(table()) == []


def test_a_setting_that_was_not_measured_fails() -> None:
    figures = table()
    del figures["416 one"]
    assert report.failures(figures) == ["416 one: not measured"]


def test_frames_are_played_there_and_back() -> None:
    assert list(islice(scenes.there_and_back(3), 8)) == [0, 1, 2, 1, 0, 1, 2, 1]


@pytest.mark.data
@pytest.mark.skipif(
    not all(find_spec(name) for name in PEERS), reason="the peers are installed by `make bench`"
)
def test_every_candidate_follows_the_same_person(shared_data: Path, tmp_path: Path) -> None:
    from tests.bench.run import CANDIDATES, Bench

    rows = Bench(shared_data, tmp_path, 0, 15, 1).setting(scenes.SETTINGS[0])
    assert set(rows) == set(CANDIDATES)
    assert {round(row["people"]) for row in rows.values()} == {1}
    assert all(row["frame_ms"] > row["over_invoke_ms"] > 0 for row in rows.values())
    assert "| haetae |" in report.markdown({"320 one": rows}, {}, {})
