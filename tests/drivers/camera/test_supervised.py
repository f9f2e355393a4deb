from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.board import CameraConfig
from drivers.camera.supervised import (
    DECODER_SETTLES_MS,
    RETRY_MAX_MS,
    CameraState,
    SupervisedCamera,
)
from drivers.camera.video_file import VideoFileCamera
from drivers.clock import VirtualClock
from drivers.faults import CameraFault, CameraGone, EndOfStream
from drivers.interfaces import Frame

Config = Callable[..., CameraConfig]
TICK_MS = 100.0


class FakeCamera:
    """Gives a frame per grab while `broken` is empty; `open` fails while `absent`."""

    is_live = True

    def __init__(self) -> None:
        self.width_px, self.height_px, self.fps = 64, 48, 10.0
        self.broken = ""
        self.absent = False
        self.ended = False
        self.silent = False
        self.next_id = 0
        self.opened: list[str] = []
        self.is_open = False

    def open(self) -> None:
        assert not self.is_open, "opened twice without close"
        self.opened.append("open")
        if self.absent:
            raise CameraFault("open_failed", "nobody there")
        self.is_open = True

    def grab(self, frame: Frame, now_ms: float) -> bool:
        assert self.is_open
        if self.ended:
            raise EndOfStream
        if self.broken:
            raise CameraFault(self.broken, "it broke")
        if self.silent:
            return False
        frame.frame_id, frame.t_ms, frame.captured_ms = self.next_id, now_ms, now_ms
        self.next_id += 1
        return True

    def close(self) -> None:
        self.is_open = False


class LateCamera(FakeCamera):
    """Opens without waiting, like a stream."""

    is_opening = True

    def open(self, *, nonblocking: bool = False) -> None:
        super().open()
        self.opened[-1] = "nonblocking" if nonblocking else "blocking"


class Headroom:
    """Records when the limit is lifted."""

    def __init__(self) -> None:
        self.depth = 0
        self.entered = 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        self.depth += 1
        self.entered += 1
        try:
            yield
        finally:
            self.depth -= 1


class Rig:
    """A supervised fake camera in virtual time."""

    def __init__(self, camera: FakeCamera, config: CameraConfig) -> None:
        self.camera = camera
        self.headroom = Headroom()
        self.supervised = SupervisedCamera(camera, config, self.headroom)
        self.frame = Frame(64, 48)
        self.now_ms = 0.0

    def run(self, duration_ms: float) -> int:
        """Poll each tick; returns how many pictures came."""
        got, end_ms = 0, self.now_ms + duration_ms
        while self.now_ms < end_ms - 1e-9:
            got += self.supervised.poll(self.frame, self.now_ms)
            self.now_ms += TICK_MS
        return got


@pytest.fixture
def rig(config: Config) -> Rig:
    rig = Rig(FakeCamera(), config(retry_ms=500))
    rig.supervised.open()
    return rig


def test_pictures_pass_through(rig: Rig) -> None:
    assert rig.run(1000) == 10
    assert (rig.supervised.state, rig.supervised.fault) == (CameraState.OK, None)
    assert rig.supervised.away_since_ms is None
    assert (rig.supervised.reopens, rig.headroom.entered) == (0, 0)
    assert (rig.supervised.width_px, rig.supervised.height_px, rig.supervised.fps) == (64, 48, 10)


def test_a_fault_becomes_a_state_and_the_camera_comes_back(rig: Rig) -> None:
    rig.run(1000)
    rig.camera.broken = "read_failed"
    assert rig.run(100) == 0
    assert rig.supervised.state is CameraState.AWAY
    assert rig.supervised.fault is not None
    assert (rig.supervised.fault.reason, rig.supervised.fault.detail) == ("read_failed", "it broke")
    assert rig.supervised.away_since_ms == 1000.0
    assert not rig.camera.is_open
    rig.camera.broken = ""
    assert rig.run(400) == 0
    assert rig.run(100) == 1
    assert (rig.supervised.state, rig.supervised.fault) == (CameraState.OK, None)
    assert (rig.supervised.reopens, rig.supervised.recoveries) == (1, 1)


def test_the_fault_kept_holds_no_stack_of_frames(rig: Rig) -> None:
    rig.camera.broken = "read_failed"
    rig.run(100)
    fault = rig.supervised.fault
    assert fault is not None
    assert fault.__traceback__ is None
    assert fault.__context__ is None


def opening_times(rig: Rig, duration_ms: float) -> list[float]:
    times, seen, end_ms = [], len(rig.camera.opened), rig.now_ms + duration_ms
    while rig.now_ms < end_ms:
        rig.run(TICK_MS)
        if len(rig.camera.opened) > seen:
            times.append(rig.now_ms - TICK_MS)
            seen = len(rig.camera.opened)
    return times


def test_the_wait_doubles_up_to_eight_seconds(rig: Rig) -> None:
    rig.camera.broken, rig.camera.absent = "read_failed", True
    times = opening_times(rig, 40_000)
    assert times == [500, 1500, 3500, 7500, 15_500, 23_500, 31_500, 39_500]


@given(st.integers(1, 20_000))
def test_the_wait_is_never_longer_than_it_may_be(retry_ms: int) -> None:
    rig = Rig(FakeCamera(), CameraConfig(driver="x", retry_ms=retry_ms))
    rig.camera.absent = True
    times = opening_times(rig, 60_000)
    waits = [b - a for a, b in pairwise(times)]
    assert times[0] == 0
    assert all(wait <= max(RETRY_MAX_MS, retry_ms) + TICK_MS for wait in waits)
    assert all(b >= a - TICK_MS for a, b in pairwise(waits))


@pytest.mark.parametrize(("good_ms", "wait_ms"), [(4900.0, 1000.0), (5200.0, 500.0)])
def test_the_wait_is_short_again_after_five_good_seconds(
    rig: Rig, good_ms: float, wait_ms: float
) -> None:
    rig.camera.broken = "read_failed"
    rig.run(100)
    rig.camera.broken = ""
    rig.run(400)
    assert rig.run(good_ms) > 0
    rig.camera.broken = "read_failed"
    lost_at_ms = rig.now_ms
    assert opening_times(rig, 2000)[0] == lost_at_ms + wait_ms


def test_good_seconds_before_and_after_a_fault_do_not_add_up(rig: Rig) -> None:
    for _ in range(2):
        rig.camera.broken = "read_failed"
        rig.run(100)
        rig.camera.broken = ""
        rig.run(3500)
    rig.camera.broken = "read_failed"
    lost_at_ms = rig.now_ms
    assert opening_times(rig, 3000)[0] == lost_at_ms + 2000.0


def test_it_gives_up_when_told_to(config: Config) -> None:
    rig = Rig(FakeCamera(), config(retry_ms=500, give_up_ms=3000))
    rig.supervised.open()
    rig.run(1000)
    rig.camera.broken, rig.camera.absent = "read_failed", True
    with pytest.raises(CameraGone, match="give_up_ms is 3000") as caught:
        rig.run(60_000)
    assert rig.now_ms == 1000.0 + 3100.0
    assert caught.value.reason == "open_failed"
    assert rig.headroom.depth == 0


@pytest.mark.parametrize("symptom", ["absent", "silent"])
def test_a_camera_that_never_came_is_given_up_too(config: Config, symptom: str) -> None:
    rig = Rig(FakeCamera(), config(retry_ms=500, give_up_ms=3000))
    setattr(rig.camera, symptom, True)
    with pytest.raises(CameraGone):
        rig.run(60_000)
    assert rig.now_ms == 3100.0


def test_it_never_gives_up_unless_told_to(rig: Rig) -> None:
    rig.camera.broken, rig.camera.absent = "read_failed", True
    rig.run(600_000)
    rig.camera.broken, rig.camera.absent = "", False
    assert rig.run(8100) > 0


def test_the_end_of_a_file_is_no_fault(rig: Rig) -> None:
    rig.run(500)
    rig.camera.ended = True
    with pytest.raises(EndOfStream):
        rig.run(100)
    assert (rig.supervised.state, rig.supervised.fault) == (CameraState.OK, None)


def test_gaps_in_the_ids_are_dropped_frames(rig: Rig) -> None:
    rig.camera.next_id = 7
    rig.run(300)
    assert rig.supervised.dropped_frames == 0
    rig.camera.next_id += 4
    rig.run(300)
    assert rig.supervised.dropped_frames == 4


@pytest.mark.parametrize("fails", [False, True])
def test_the_limit_is_lifted_around_a_reopen_only(rig: Rig, fails: bool) -> None:
    rig.camera.broken = "read_failed"
    rig.run(500)
    assert rig.headroom.entered == 0
    rig.camera.broken, rig.camera.absent = "", fails
    rig.run(100)
    assert (rig.headroom.entered, rig.headroom.depth) == (1, 0 if fails else 1)
    rig.camera.absent = False
    rig.run(DECODER_SETTLES_MS + 1000)
    assert rig.headroom.depth == 0


def late_rig(config: Config) -> Rig:
    rig = Rig(LateCamera(), config(retry_ms=500, open_timeout_ms=3000, read_timeout_ms=1000))
    rig.supervised.open()
    rig.camera.broken = "hung"
    rig.run(500)
    rig.camera.broken, rig.camera.silent = "", True
    rig.run(100)
    assert rig.camera.opened == ["blocking", "nonblocking"]
    return rig


def test_the_limit_stays_lifted_until_a_late_camera_has_settled(config: Config) -> None:
    rig = late_rig(config)
    rig.run(1000)
    assert rig.headroom.depth == 1
    assert rig.supervised.state is CameraState.AWAY
    rig.camera.silent = False
    rig.run(DECODER_SETTLES_MS - 100)
    assert rig.headroom.depth == 1
    assert rig.supervised.state is CameraState.OK
    rig.run(200)
    assert (rig.headroom.depth, rig.headroom.entered) == (0, 1)


@pytest.mark.parametrize("outcome", ["fault", "end", "close", "never"])
def test_the_limit_comes_down_whatever_happens(config: Config, outcome: str) -> None:
    rig = late_rig(config)
    if outcome == "fault":
        rig.camera.broken = "open_failed"
        rig.run(100)
    elif outcome == "end":
        rig.camera.ended = True
        with pytest.raises(EndOfStream):
            rig.run(100)
    elif outcome == "close":
        rig.supervised.close()
    else:
        assert rig.headroom.depth == 1
        rig.run(5100)
    assert rig.headroom.depth == 0


def test_no_memory_for_the_decoder_is_a_fault(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room() -> None:
        raise MemoryError

    rig.camera.broken = "read_failed"
    rig.run(100)
    monkeypatch.setattr(rig.camera, "open", no_room)
    rig.run(1000)
    assert rig.supervised.fault is not None
    assert rig.supervised.fault.reason == "no_memory"
    assert rig.headroom.depth == 0


def test_the_first_open_says_what_is_wrong_and_may_be_repeated(rig: Rig, config: Config) -> None:
    rig = Rig(FakeCamera(), config())
    rig.camera.absent = True
    with pytest.raises(CameraFault, match="open_failed"):
        rig.supervised.open()
    assert rig.supervised.state is CameraState.AWAY
    rig.camera.absent = False
    assert rig.run(100) == 1


def test_a_camera_that_looks_well_can_be_declared_lost(rig: Rig) -> None:
    rig.run(300)
    rig.supervised.lose(CameraFault("frozen", "same picture"), rig.now_ms)
    assert rig.run(500) == 0
    assert rig.run(100) == 1
    assert rig.camera.opened == ["open", "open"]


def test_a_real_file_plays_to_its_end(clip: Callable[..., Path], config: Config) -> None:
    settings = config()
    source = VideoFileCamera(settings, str(clip()), VirtualClock())
    supervised = SupervisedCamera(source, settings, nullcontext)
    supervised.open()
    frame = Frame(64, 48)
    assert [supervised.poll(frame, tick * 300.0) for tick in range(5)] == [True] * 5
    assert (frame.frame_id, supervised.dropped_frames) == (11, 7)
    with pytest.raises(EndOfStream):
        supervised.poll(frame, 1500.0)


def test_a_file_that_is_missing_is_tried_again(
    clip: Callable[..., Path], config: Config, tmp_path: Path
) -> None:
    settings = config(retry_ms=500)
    source = VideoFileCamera(settings, str(tmp_path / "clip.avi"), VirtualClock())
    supervised, frame = SupervisedCamera(source, settings, nullcontext), Frame(64, 48)
    assert not supervised.poll(frame, 0.0)
    assert supervised.fault is not None
    assert supervised.fault.reason == "missing"
    clip()
    assert not supervised.poll(frame, 400.0)
    assert supervised.poll(frame, 500.0)
