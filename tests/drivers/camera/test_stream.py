from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from drivers.board import CameraConfig
from drivers.camera.reader import HUNG_MARGIN_MS, STACK_BYTES
from drivers.camera.stream import MAX_ABANDONED, StreamCamera, public_url
from drivers.camera.supervised import OpensLater, SupervisedCamera
from drivers.clock import MonotonicClock, VirtualClock
from drivers.faults import CameraFault
from drivers.interfaces import U8, Camera, Frame

if TYPE_CHECKING:
    from conftest import MjpegServer

Config = Callable[..., CameraConfig]
Eventually = Callable[[Callable[[], bool]], None]
Number = Callable[[U8], int]
URL = "http://camera.local/live"
OPEN_MS, READ_MS = 2000, 1000


class FakeCapture:
    """A decoder under control: each picture needs a permit, and it can hang at either place."""

    def __init__(self, size: tuple[int, int] = (64, 48)) -> None:
        self.size = size
        self.permits = threading.Semaphore(0)
        self.may_open = threading.Event()
        self.may_open.set()
        self.opens = True
        self.dead = False
        self.given: list[U8] = []
        self.released_by: int | None = None
        self.reader: int | None = None
        self.count = -1.0
        self.options: dict[int, int] = {}

    def __call__(self, url: str, options: dict[int, int]) -> FakeCapture:
        self.reader, self.options = threading.get_ident(), options
        self.may_open.wait()
        return self

    def isOpened(self) -> bool:  # noqa: N802
        return self.opens

    def grab(self) -> bool:
        raise NotImplementedError

    retrieve = grab

    def get(self, prop: int) -> float:
        return {cv2.CAP_PROP_FPS: 15.0, cv2.CAP_PROP_FRAME_COUNT: self.count}[prop]

    def read(self, image: U8 | None = None) -> tuple[bool, U8 | None]:
        self.permits.acquire()
        if self.dead:
            return False, None
        width_px, height_px = self.size
        if image is None or image.shape != (height_px, width_px, 3):
            image = np.zeros((height_px, width_px, 3), np.uint8)
        self.given.append(image)
        image[:] = len(self.given) % 256
        return True, image

    def release(self) -> None:
        self.released_by = threading.get_ident()

    def show(self, count: int = 1) -> None:
        self.permits.release(count)

    def die(self) -> None:
        self.dead = True
        self.may_open.set()
        self.permits.release(1000)


class Bench:
    """A stream camera whose openings get one fake capture each, in virtual time."""

    def __init__(self, config: CameraConfig) -> None:
        self.clock = VirtualClock(10_000.0)
        self.captures: list[FakeCapture] = []
        self.camera = StreamCamera(config, URL, self.clock, self.next_capture)
        self.frame = Frame(64, 48)
        self._upcoming: list[FakeCapture] = []

    def next_capture(self, url: str, options: dict[int, int]) -> FakeCapture:
        capture = self._upcoming.pop(0)
        self.captures.append(capture)
        return capture(url, options)

    def will_open(self, shows: int = 1, size: tuple[int, int] = (64, 48)) -> FakeCapture:
        capture = FakeCapture(size)
        capture.show(shows)
        self._upcoming.append(capture)
        return capture

    def grab(self, later_ms: float = 0.0) -> bool:
        self.clock.sleep_until_ms(self.clock.now_ms() + later_ms)
        return self.camera.grab(self.frame, self.clock.now_ms())


@pytest.fixture
def bench(config: Config) -> Iterator[Bench]:
    bench = Bench(config(open_timeout_ms=OPEN_MS, read_timeout_ms=READ_MS))
    yield bench
    bench.camera.close()
    for capture in bench.captures + bench._upcoming:
        capture.die()
    deadline = time.monotonic() + 10
    while bench.camera.abandoned:
        assert time.monotonic() < deadline
        time.sleep(0.002)


def hang(bench: Bench) -> FakeCapture:
    """Open, take the only picture that comes, wait in vain."""
    capture = bench.will_open(shows=1)
    bench.camera.open()
    assert bench.grab()
    with pytest.raises(CameraFault, match="hung"):
        bench.grab(later_ms=READ_MS + HUNG_MARGIN_MS + 1)
    bench.camera.close()
    return capture


def test_open_waits_for_the_first_picture_and_learns_size_and_rate(bench: Bench) -> None:
    capture = bench.will_open(size=(80, 40))
    bench.camera.open()
    assert isinstance(bench.camera, Camera)
    assert isinstance(bench.camera, OpensLater)
    assert (bench.camera.width_px, bench.camera.height_px, bench.camera.fps) == (80, 40, 15.0)
    assert capture.options == {
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: OPEN_MS,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC: READ_MS,
    }
    bench.frame = Frame(80, 40)
    assert bench.grab()
    assert bench.frame.frame_id == 0


def test_the_newest_wins_and_older_ones_are_a_gap_in_the_ids(
    bench: Bench, eventually: Eventually
) -> None:
    capture = bench.will_open()
    bench.camera.open()
    assert bench.grab()
    assert not bench.grab()
    capture.show(5)
    eventually(lambda: len(capture.given) == 6)
    eventually(lambda: bench.grab() and bench.frame.frame_id == 5)
    assert (bench.frame.pixels == 6).all()


def test_pixels_are_exchanged_not_copied_and_never_shared(
    bench: Bench, eventually: Eventually
) -> None:
    capture = bench.will_open()
    first = bench.frame.pixels
    bench.camera.open()
    for number in range(1, 30):
        eventually(bench.grab)
        shown = bench.frame.pixels
        assert (shown == number).all()
        capture.show()
        eventually(lambda number=number: len(capture.given) > number)
        assert capture.given[-1] is not shown
    arrays = {id(array) for array in capture.given}
    assert id(first) in arrays, "the loop's own buffer went round as well"
    assert len(arrays) == 3, "three buffers and no more"


def test_live_time_is_monotonic_and_goes_on_over_a_reopen(
    bench: Bench, eventually: Eventually
) -> None:
    seen = []
    for _ in range(2):
        capture = bench.will_open()
        bench.camera.open()
        for _ in range(3):
            eventually(bench.grab)
            seen.append((bench.frame.frame_id, bench.frame.t_ms, bench.frame.captured_ms))
            bench.clock.sleep_until_ms(bench.clock.now_ms() + 40)
            capture.show()
        bench.camera.close()
        bench.clock.sleep_until_ms(bench.clock.now_ms() + 1000)
    ids, times, captured = zip(*seen, strict=True)
    assert ids == (0, 1, 2, 3, 4, 5)
    assert times[0] == 0.0
    assert all(b > a for a, b in pairwise(times))
    assert times[3] >= 1000.0
    assert all(t_ms == taken - captured[0] for t_ms, taken in zip(times, captured, strict=True))


def test_a_picture_is_as_old_as_its_decoding_and_never_from_the_future(
    bench: Bench, eventually: Eventually
) -> None:
    capture = bench.will_open()
    bench.camera.open()
    decoded_ms = bench.clock.now_ms()
    assert bench.grab(later_ms=250)
    assert bench.frame.captured_ms == decoded_ms
    capture.show()
    eventually(lambda: len(capture.given) == 2)
    eventually(lambda: bench.camera.grab(bench.frame, decoded_ms + 100))
    assert bench.frame.captured_ms == decoded_ms + 100


def test_a_source_that_cannot_be_opened(bench: Bench) -> None:
    bench.will_open().opens = False
    with pytest.raises(CameraFault, match="open_failed"):
        bench.camera.open()
    bench.will_open()
    bench.camera.open()
    assert bench.grab()


def test_a_source_that_opens_and_shows_nothing(bench: Bench) -> None:
    bench.will_open().die()
    with pytest.raises(CameraFault, match="read_failed"):
        bench.camera.open()


def test_the_last_picture_is_handed_out_before_the_failure(
    bench: Bench, eventually: Eventually
) -> None:
    capture = bench.will_open()
    bench.camera.open()
    capture.die()
    eventually(lambda: capture.released_by is not None)
    assert bench.grab()
    with pytest.raises(CameraFault, match="read_failed"):
        bench.grab()


def test_an_error_inside_opencv_is_a_fault(bench: Bench) -> None:
    def refuse() -> bool:
        raise cv2.error("inside")

    bench.will_open().isOpened = refuse  # type: ignore[method-assign]
    with pytest.raises(CameraFault, match=r"open_failed.*inside"):
        bench.camera.open()


def test_nonblocking_opening_returns_at_once_and_pictures_come_later(
    bench: Bench, eventually: Eventually
) -> None:
    capture = bench.will_open()
    capture.may_open.clear()
    bench.camera.open(nonblocking=True)
    assert bench.camera.is_opening
    assert not bench.grab()
    capture.may_open.set()
    eventually(bench.grab)
    assert not bench.camera.is_opening


def test_nonblocking_errors_come_from_grab(bench: Bench, eventually: Eventually) -> None:
    bench.will_open().opens = False
    bench.camera.open(nonblocking=True)
    eventually(lambda: not bench.camera.is_opening)
    with pytest.raises(CameraFault, match="open_failed"):
        bench.grab()


@pytest.mark.parametrize("nonblocking", [False, True])
def test_pictures_of_another_size_are_refused_after_the_first_opening(
    bench: Bench, eventually: Eventually, nonblocking: bool
) -> None:
    bench.will_open()
    bench.camera.open()
    bench.will_open(size=(80, 48))

    def open_and_look() -> None:
        bench.camera.open(nonblocking=nonblocking)
        eventually(bench.grab)

    with pytest.raises(CameraFault, match="80x48, buffers are 64x48") as caught:
        open_and_look()
    assert caught.value.reason == "size_changed"
    bench.will_open()
    bench.camera.open()


def test_a_size_that_changes_on_the_way_is_refused(bench: Bench, eventually: Eventually) -> None:
    capture = bench.will_open()
    bench.camera.open()
    assert bench.grab()
    capture.size = (80, 48)
    capture.show()
    eventually(lambda: capture.released_by is not None)
    with pytest.raises(CameraFault, match="size_changed"):
        bench.grab()
    assert bench.frame.pixels.shape == (48, 64, 3)


def test_a_buffer_of_another_size_never_enters_the_exchange(bench: Bench) -> None:
    bench.will_open()
    bench.camera.open()
    bench.frame = Frame(32, 32)
    with pytest.raises(CameraFault, match="size_changed"):
        bench.grab()


def test_a_reader_hanging_while_it_opens_is_noticed(bench: Bench) -> None:
    capture = bench.will_open()
    capture.may_open.clear()
    bench.camera.open(nonblocking=True)
    assert not bench.grab(later_ms=OPEN_MS)
    assert not bench.grab(later_ms=HUNG_MARGIN_MS)
    with pytest.raises(CameraFault, match=r"hung.*opening"):
        bench.grab(later_ms=1)


def test_a_blocking_open_gives_up_on_a_reader_that_hangs(config: Config) -> None:
    bench = Bench(config(open_timeout_ms=50))
    capture = bench.will_open()
    capture.may_open.clear()
    with pytest.raises(CameraFault, match="hung"):
        bench.camera.open()
    assert bench.camera.abandoned == 1
    capture.die()


def test_a_reader_hanging_in_a_read_is_noticed_and_left_behind(bench: Bench) -> None:
    capture = hang(bench)
    assert bench.camera.abandoned == 1
    assert capture.released_by is None, "nobody else releases what it is using"


def test_an_abandoned_reader_releases_its_capture_itself_and_ends(
    bench: Bench, eventually: Eventually
) -> None:
    capture = hang(bench)
    capture.show()
    eventually(lambda: bench.camera.abandoned == 0)
    assert capture.released_by == capture.reader != threading.get_ident()


def test_an_abandoned_reader_never_writes_to_what_we_hand_out(
    bench: Bench, eventually: Eventually
) -> None:
    old = hang(bench)
    new = bench.will_open()
    bench.camera.open()
    handed_out = []
    for _ in range(12):
        eventually(bench.grab)
        handed_out.append(bench.frame.pixels)
        new.show()
    eventually(lambda: len(new.given) == 13)
    kept = bench.frame.pixels.copy()
    old.show(5)
    eventually(lambda: bench.camera.abandoned == 0)
    written_late = old.given[1:]
    assert len(written_late) == 1, "it noticed after the read in which it hung"
    used = handed_out + new.given
    assert not any(np.shares_memory(late, array) for late in written_late for array in used)
    assert np.array_equal(bench.frame.pixels, kept)


def test_at_most_three_readers_are_left_behind(bench: Bench, eventually: Eventually) -> None:
    hung = [hang(bench) for _ in range(MAX_ABANDONED)]
    assert bench.camera.abandoned == MAX_ABANDONED == 3
    for nonblocking in (False, True):
        with pytest.raises(CameraFault, match="abandoned_cap"):
            bench.camera.open(nonblocking=nonblocking)
    assert len(bench.captures) == MAX_ABANDONED, "no further reader was started"
    hung[1].show()
    eventually(lambda: bench.camera.abandoned == 2)
    bench.will_open()
    bench.camera.open()
    assert bench.grab()


def test_a_closed_camera_says_so_and_close_does_not_wait(bench: Bench) -> None:
    with pytest.raises(CameraFault, match="closed"):
        bench.grab()
    bench.will_open()
    bench.camera.open()
    started = time.monotonic()
    bench.camera.close()
    bench.camera.close()
    assert time.monotonic() - started < 1.0
    with pytest.raises(CameraFault, match="closed"):
        bench.grab()


def test_the_small_stack_is_for_the_reader_only(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, stacks = threading.stack_size(), []
    start = threading.Thread.start

    def note(thread: threading.Thread) -> None:
        stacks.append(threading.stack_size())
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", note)
    bench.will_open()
    bench.camera.open()
    assert stacks == [STACK_BYTES]
    assert threading.stack_size() == before


def test_no_thread_to_be_had_is_a_fault(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    bench.will_open()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(CameraFault, match="no_thread"):
            bench.camera.open()
    bench.camera.open()
    assert bench.grab()


def test_a_recording_behind_a_url_is_held_to_its_rate(bench: Bench, eventually: Eventually) -> None:
    capture = bench.will_open(shows=1000)
    capture.count = 1000.0
    started = time.monotonic()
    bench.camera.open()
    eventually(lambda: len(capture.given) >= 5)
    assert time.monotonic() - started > 3.5 / 15.0


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://admin:secret@10.0.0.7:554/ch0?token=secret", "rtsp://10.0.0.7:554/ch0"),
        ("http://cam/live.mjpg", "http://cam/live.mjpg"),
        ("https://cam/", "https://cam/"),
    ],
)
def test_passwords_stay_out_of_the_logs(url: str, shown: str) -> None:
    assert public_url(url) == shown


@pytest.mark.parametrize(
    "url", ["", "clip.mp4", "/dev/video0", "file:///etc/passwd", "http://", "http://[", "ftp://a/b"]
)
def test_what_is_no_stream_is_refused_at_once(config: Config, url: str) -> None:
    with pytest.raises(CameraFault) as caught:
        StreamCamera(config(), url, VirtualClock())
    assert caught.value.reason == "bad_source"


# Over a real socket, decoded by FFmpeg.


def live_camera(config: Config, url: str, **values: int) -> StreamCamera:
    settings = {"open_timeout_ms": 3000, "read_timeout_ms": 600} | values
    return StreamCamera(config(**settings), url, MonotonicClock())


def grab_until(camera: StreamCamera, frame: Frame, for_ever: bool = False) -> None:
    """Wait for one picture, or until a fault is raised."""
    clock, deadline = MonotonicClock(), time.monotonic() + 10.0
    while not camera.grab(frame, clock.now_ms()) or for_ever:
        assert time.monotonic() < deadline, "no picture came"
        time.sleep(0.002)


def test_mjpeg_over_http(config: Config, mjpeg: MjpegServer, number_of: Number) -> None:
    camera, frame = live_camera(config, mjpeg.url), Frame(64, 48)
    camera.open()
    assert (camera.width_px, camera.height_px) == (64, 48)
    last_id, last_ms = -1, -1.0
    for _ in range(20):
        grab_until(camera, frame)
        assert frame.frame_id > last_id
        assert frame.t_ms > last_ms
        assert number_of(frame.pixels) == frame.frame_id % 12
        last_id, last_ms = frame.frame_id, frame.t_ms
    camera.close()


@pytest.mark.parametrize("how", ["stalling", "dropping"])
def test_a_stream_that_stops_is_a_fault_and_comes_back(
    config: Config, mjpeg: MjpegServer, how: str
) -> None:
    camera, frame = live_camera(config, mjpeg.url), Frame(64, 48)
    camera.open()
    grab_until(camera, frame)
    getattr(mjpeg, how).set()
    with pytest.raises(CameraFault, match="read_failed"):
        grab_until(camera, frame, for_ever=True)
    camera.close()
    getattr(mjpeg, how).clear()
    before = frame.frame_id
    camera.open(nonblocking=True)
    grab_until(camera, frame)
    assert frame.frame_id > before
    camera.close()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_nobody_at_that_address(
    config: Config, scheme: str, capfd: pytest.CaptureFixture[str]
) -> None:
    camera = live_camera(config, f"{scheme}://127.0.0.1:{closed_port()}/live")
    with pytest.raises(CameraFault, match="open_failed"):
        camera.open()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_somebody_who_never_answers(config: Config, scheme: str) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/live"
        with pytest.raises(CameraFault, match=r"open_failed|hung"):
            live_camera(config, url, open_timeout_ms=300).open()


def test_supervised_over_a_broken_line(config: Config, mjpeg: MjpegServer) -> None:
    settings = config(open_timeout_ms=3000, read_timeout_ms=300, retry_ms=50)
    clock = MonotonicClock()
    camera = SupervisedCamera(StreamCamera(settings, mjpeg.url, clock), settings, nullcontext)
    camera.open()
    frame, deadline, got = Frame(64, 48), time.monotonic() + 15, 0
    while camera.recoveries < 2:
        assert time.monotonic() < deadline
        got += camera.poll(frame, clock.now_ms())
        breaking = mjpeg.dropping if camera.recoveries == 0 else mjpeg.stalling
        if camera.fault is None and got > 5:
            breaking.set()
            got = 0
        elif camera.fault is not None:
            breaking.clear()
        time.sleep(0.002)
    camera.close()
    assert camera.reopens >= 2


def test_a_process_ends_cleanly_while_pictures_come(mjpeg: MjpegServer) -> None:
    program = (
        "import sys\n"
        "from drivers.board import CameraConfig\n"
        "from drivers.camera.stream import StreamCamera\n"
        "from drivers.clock import MonotonicClock\n"
        "StreamCamera(CameraConfig(driver='stream'), sys.argv[1], MonotonicClock()).open()\n"
    )
    for _ in range(2):
        run = subprocess.run(
            [sys.executable, "-c", program, mjpeg.url], capture_output=True, text=True, check=False
        )
        assert (run.returncode, run.stderr) == (0, "")
