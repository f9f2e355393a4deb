"""The sealed loop keeps nothing; and the test of that test."""

from __future__ import annotations

import pytest

from tests.machine import faulty

FRAMES = 400
FILLS_ONCE = 0.25
"""Objects per frame of so short a run: caches, and the last cause of each alarm (80, measured)."""
ALLOWED_KB = 8
"""Two pages, in a run of any length: see tests/soak.py."""


@pytest.fixture(scope="module")
def sealed():
    return faulty(frames=FRAMES)["report"]


def test_memory_does_not_move(sealed):
    assert sealed["frames"] == FRAMES
    assert sealed["slack_kb"] == 0
    assert sealed["rss_kb_end"] - sealed["rss_kb_sealed"] <= ALLOWED_KB
    assert sealed["address_space_kb_end"] <= sealed["address_space_kb_sealed"]


def test_no_object_is_kept_per_frame(sealed):
    assert sealed["kept_objects_per_frame"] < FILLS_ONCE
    assert sealed["cyclic_objects_per_frame"] < 0.05


@pytest.mark.parametrize(
    ("leak", "figure"), [("append", "kept_objects_per_frame"), ("cast", "cyclic_objects_per_frame")]
)
def test_a_planted_leak_is_caught(leak, figure, sealed):
    leaking = faulty(frames=FRAMES, leak=leak)["report"]
    assert leaking[figure] >= 0.9
    assert sealed[figure] < FILLS_ONCE


def test_a_budget_smaller_than_what_is_in_use_is_refused():
    with pytest.raises(AssertionError, match="address_space_mb = 100: "):
        faulty(frames=1, memory_config={"address_space_mb": 100, "headroom_mb": 1})
