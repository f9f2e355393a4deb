from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.camera.pacing import Pacing, due_index, frame_time_ms
from drivers.interfaces import Frame

FPS = st.floats(0.1, 240.0)


@pytest.mark.parametrize(
    ("elapsed_ms", "fps", "index"),
    [
        (-1.0, 10.0, -1),
        (-1e9, 10.0, -1),
        (0.0, 10.0, 0),
        (99.9, 10.0, 0),
        (100.0, 10.0, 1),
        (100.0 - 1e-7, 10.0, 1),
        (100.0 - 1e-5, 10.0, 0),
        (33.333333333, 30.0, 1),
        (1001.002, 29.97, 30),
        (1000.9, 29.97, 29),
        (86_400_000.0, 29.97, 2_589_408),
    ],
)
def test_a_frame_is_due_at_its_time_and_not_before(
    elapsed_ms: float, fps: float, index: int
) -> None:
    assert due_index(elapsed_ms, fps) == index


@given(st.floats(0.0, 1e8), FPS)
def test_the_due_frame_is_the_newest_whose_time_has_come(elapsed_ms: float, fps: float) -> None:
    index = due_index(elapsed_ms, fps)
    assert frame_time_ms(index, fps) <= elapsed_ms + 1e-6
    assert frame_time_ms(index + 1, fps) > elapsed_ms + 1e-6


@example(534_895_421, 12.083333333333334)
@given(st.integers(0, 10**11), FPS)
def test_every_frame_is_due_at_its_own_time(index: int, fps: float) -> None:
    assert due_index(frame_time_ms(index, fps), fps) == index


@given(FPS, st.floats(0, 1e7), st.lists(st.floats(0.0, 5000.0), max_size=40))
def test_the_due_frame_never_goes_back(fps: float, start_ms: float, steps: list[float]) -> None:
    pacing, now_ms, last = Pacing(), start_ms, -1
    pacing.begin(fps)
    for step_ms in [0.0, *steps]:
        now_ms += step_ms
        due = pacing.due(now_ms)
        assert due >= max(last, 0)
        last = due


def test_ids_and_source_time_go_on_over_a_reopen() -> None:
    pacing, frame, seen = Pacing(), Frame(4, 4), []
    for fps in (10.0, 20.0):
        pacing.begin(fps)
        for index in (0, 1, 3):
            pacing.stamp(frame, index, 5.0)
            seen.append((frame.frame_id, frame.t_ms))
    assert [number for number, _ in seen] == [0, 1, 3, 4, 5, 7]
    assert [t_ms for _, t_ms in seen] == [0.0, 100.0, 300.0, 400.0, 450.0, 550.0]


def test_source_time_starts_at_the_first_look() -> None:
    pacing = Pacing()
    pacing.begin(10.0)
    assert pacing.due(12345.0) == 0
    assert pacing.due(12345.0 + 250.0) == 2
    pacing.begin(10.0)
    assert pacing.due(99999.0) == 0
