"""A stage holds the share of cameras that it names, and a bad release is stopped early."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ota.carriers.pace import BOOT_SPREAD_MS, backoff_ms, first_wait_ms, phase_of, wait_ms
from ota.carriers.rollout import Reports, Stage, Verdict, judge, stage_of

CAMERAS = [f"cam-{number:06d}" for number in range(20_000)]
STAGE = Stage(share=0.01, hold_h=24, least_reports=100, least_confirmed=0.95)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_a_stage_holds_its_share_of_all_cameras(share):
    inside = sum(stage_of(name, 7) < share for name in CAMERAS)
    expected = share * len(CAMERAS)
    assert abs(inside - expected) < 4.5 * (expected * (1 - share)) ** 0.5


def test_another_release_begins_with_other_cameras():
    first = {name for name in CAMERAS if stage_of(name, 7) < 0.1}
    second = {name for name in CAMERAS if stage_of(name, 8) < 0.1}
    assert 0.05 < len(first & second) / len(first) < 0.15


def test_the_place_is_fixed_for_ever():
    """A runtime that computed another place would let cameras in that are not asked for."""
    assert stage_of("cam-000001", 7) == 0.6659322418801769
    assert phase_of("cam-000001") == 0.44678779016925585


@given(st.text(max_size=80), st.integers(0, 2**32 - 1))
def test_every_name_has_a_place(name, release):
    assert 0.0 <= stage_of(name, release) < 1.0
    assert 0.0 <= phase_of(name) < 1.0


@pytest.mark.parametrize(
    ("reports", "held_h", "verdict"),
    [
        (Reports(0, 0), 0, Verdict.HOLD),
        (Reports(99, 0), 100, Verdict.HOLD),  # too few have told
        (Reports(1000, 10), 23.9, Verdict.HOLD),  # too early
        (Reports(100, 0), 24, Verdict.WIDEN),
        (Reports(95, 5), 24, Verdict.WIDEN),
        (Reports(94, 6), 24, Verdict.HALT),
        (Reports(0, 6), 0.1, Verdict.HALT),  # 94 more could not make up for it
        (Reports(0, 5), 0.1, Verdict.HOLD),
        (Reports(0, 0, 6), 0.1, Verdict.HALT),  # dark cameras count
        (Reports(1000, 51), 1, Verdict.HOLD),
        (Reports(1000, 53), 1, Verdict.HALT),
    ],
)
def test_what_to_do_with_a_roll_out(reports, held_h, verdict):
    assert judge(STAGE, reports, held_h) is verdict


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True), st.integers(1, 99))
def test_waits_stay_in_their_bounds(phase, random, failures):
    assert 0 <= first_wait_ms(phase, random) < BOOT_SPREAD_MS
    assert 0.9 * 1000 <= wait_ms(phase, random, 1000.0) <= 1.1 * 1000
    assert 15_000 <= backoff_ms(failures, random) < 30_000 * 64 * 1.5


def test_equal_randomness_still_spreads():
    """Boards without entropy draw the same number; their names tell them apart."""
    waits = sorted(first_wait_ms(phase_of(name), 0.25) for name in CAMERAS[:1000])
    gaps = [after - before for before, after in pairwise(waits)]
    assert max(gaps) < BOOT_SPREAD_MS * 0.02
