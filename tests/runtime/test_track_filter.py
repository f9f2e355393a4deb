"""The gains: bounded, surer with time, looser after a gap, the same at any frame rate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.track_filter import FADE_S, Gains, way_ms

ELAPSED = st.lists(st.floats(1e-3, 10.0), min_size=1, max_size=60)


def settled(elapsed_s: float, seconds: float = 4.0) -> tuple[float, float, float]:
    gains = Gains(1)
    gains.start(0)
    for _ in range(round(seconds / elapsed_s)):
        last = gains.step(0, elapsed_s)
    return last


@given(ELAPSED)
def test_whatever_the_times_a_gain_is_a_share(times):
    gains = Gains(2)
    gains.start(1)
    for elapsed_s in times:
        of_place, of_speed, of_size = gains.step(1, elapsed_s)
        assert 0.0 < of_place < 1.0
        assert 0.0 < of_size < 1.0
        assert 0.0 < of_speed * elapsed_s < 2.0


def test_somebody_new_is_followed_closely_and_somebody_known_less():
    gains = Gains(1)
    gains.start(0)
    first = gains.step(0, 0.1)
    assert first[0] > 0.9
    assert settled(0.1)[0] < 0.8 * first[0]


def test_after_a_gap_the_detection_counts_for_more():
    gains = Gains(1)
    gains.start(0)
    for _ in range(40):
        usual = gains.step(0, 0.04)
    after = gains.step(0, 1.0)
    assert after[0] > 0.95 > usual[0]
    assert after[2] > usual[2]


def test_each_of_many_frames_counts_for_less_and_all_of_a_second_for_more():
    slow, fast = settled(1 / 10), settled(1 / 30)
    assert fast[0] < slow[0] < 3 * fast[0]
    assert fast[1] < slow[1] < 3 * fast[1]


def test_a_box_of_another_size_says_little_of_the_velocity():
    usual, misfit = Gains(1), Gains(1)
    for gains in (usual, misfit):
        gains.start(0)
        for _ in range(20):
            gains.step(0, 0.1)
    fits, cut = usual.step(0, 0.1), misfit.step(0, 0.1, 0.3**2)
    assert cut[1] < 0.5 * fits[1]
    assert (cut[0], cut[2]) == (fits[0], fits[2])


def test_a_slot_starts_anew():
    gains = Gains(1)
    gains.start(0)
    first = gains.step(0, 0.1)
    for _ in range(20):
        gains.step(0, 0.1)
    gains.start(0)
    assert gains.step(0, 0.1) == first


@given(st.floats(0.0, 1e6))
def test_the_unseen_walk_on_ever_slower(elapsed_ms):
    assert 0.0 <= way_ms(elapsed_ms) <= min(elapsed_ms, 1000.0 * FADE_S) + 1e-6
    assert way_ms(40.0) == pytest.approx(40.0, rel=0.05)
