from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.board import CameraConfig
from drivers.camera import video_file
from drivers.camera.opencv import believable_fps, open_capture
from drivers.camera.video_file import VideoFileCamera
from drivers.clock import VirtualClock
from drivers.faults import CameraFault, EndOfStream
from drivers.interfaces import U8, Camera, Frame

Config = Callable[..., CameraConfig]
Clip = Callable[..., Path]
Number = Callable[[U8], int]


@pytest.fixture
def camera_of(config: Config) -> Callable[[Path | str], VideoFileCamera]:
    return lambda path: VideoFileCamera(config(), str(path), VirtualClock())


Make = Callable[[Path | str], VideoFileCamera]


def play(camera: VideoFileCamera, step_ms: float) -> list[tuple[int, float, float]]:
    """(frame_id, t_ms, captured_ms) of all frames, looking every `step_ms` from 1000 ms on."""
    frame, now_ms, seen = Frame(camera.width_px, camera.height_px), 1000.0, []
    try:
        while True:
            if camera.grab(frame, now_ms):
                seen.append((frame.frame_id, frame.t_ms, frame.captured_ms))
            now_ms += step_ms
    except EndOfStream:
        return seen


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.avi", "MJPG"), ("a.mp4", "mp4v"), ("a.mkv", "MJPG"), ("a.avi", "XVID")],
)
def test_every_frame_comes_once_in_order_at_its_time(
    clip: Clip, camera_of: Make, number_of: Number, name: str, codec: str
) -> None:
    camera = camera_of(clip(name, codec=codec))
    camera.open()
    assert isinstance(camera, Camera)
    assert (camera.width_px, camera.height_px, camera.fps) == (64, 48, 10.0)
    frame = Frame(64, 48)
    for index in range(12):
        assert camera.grab(frame, 500.0 + index * 100.0)
        assert (frame.frame_id, frame.t_ms) == (index, index * 100.0)
        assert number_of(frame.pixels) == index
        assert not camera.grab(frame, 500.0 + index * 100.0 + 99.0)
    with pytest.raises(EndOfStream):
        camera.grab(frame, 500.0 + 1200.0)


def test_late_frames_are_skipped_and_their_ids_too(clip: Clip, camera_of: Make) -> None:
    camera = camera_of(clip())
    camera.open()
    seen = play(camera, step_ms=250.0)
    assert [frame_id for frame_id, _, _ in seen] == [0, 2, 5, 7, 10, 11]
    assert [t_ms for _, t_ms, _ in seen] == [0, 200, 500, 700, 1000, 1100]
    assert [captured for _, _, captured in seen] == [1000, 1250, 1500, 1750, 2000, 2250]


def test_a_skip_hands_out_the_picture_that_is_due(
    clip: Clip, camera_of: Make, number_of: Number
) -> None:
    camera, frame = camera_of(clip()), Frame(64, 48)
    camera.open()
    camera.grab(frame, 0.0)
    assert camera.grab(frame, 740.0)
    assert number_of(frame.pixels) == frame.frame_id == 7


def test_a_decoder_slower_than_the_file_does_not_block_for_ever(clip: Clip, config: Config) -> None:
    class DecodingTakesTime(VirtualClock):
        def now_ms(self) -> float:
            self._now_ms += 30.0
            return self._now_ms

    camera, frame = VideoFileCamera(config(), str(clip()), DecodingTakesTime()), Frame(64, 48)
    camera.open()
    camera.grab(frame, 0.0)
    assert camera.grab(frame, 1100.0)
    assert 0 < frame.frame_id < 11, "it stopped skipping after one frame period"


def test_frames_are_decoded_into_the_buffer_given(clip: Clip, camera_of: Make) -> None:
    camera, frame = camera_of(clip()), Frame(64, 48)
    camera.open()
    buffer, address = frame.pixels, frame.pixels.ctypes.data
    before = -1.0
    for index in range(4):
        assert camera.grab(frame, index * 100.0)
        assert frame.pixels is buffer
        assert frame.pixels.ctypes.data == address
        assert buffer.mean() > before
        before = float(buffer.mean())


def test_opencv_retrieves_into_a_fitting_array_and_only_there(clip: Clip) -> None:
    capture = open_capture(str(clip()))
    fitting, other = np.zeros((48, 64, 3), np.uint8), np.zeros((40, 64, 3), np.uint8)
    assert capture.grab()
    assert capture.retrieve(fitting)[1] is fitting
    assert capture.retrieve(other)[1] is not other


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads in /proc")
@pytest.mark.skipif(os.cpu_count() == 1, reason="FFmpeg takes one thread per core")
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="no decoder takes threads here")
def test_the_decoder_takes_no_threads_of_its_own(clip: Clip, camera_of: Make) -> None:
    path = clip("a.mp4", codec="mp4v")
    before = threads()
    greedy = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    assert threads() > before, "the check sees threads"
    greedy.release()
    camera = camera_of(path)
    camera.open()
    camera.grab(Frame(64, 48), 0.0)
    assert threads() <= before


def test_it_counts_on_when_opened_again(clip: Clip, camera_of: Make) -> None:
    camera = camera_of(clip(frames=3))
    ids, times = [], []
    for _ in range(2):
        camera.open()
        for frame_id, t_ms, _ in play(camera, 100.0):
            ids.append(frame_id)
            times.append(t_ms)
    assert ids == [0, 1, 2, 3, 4, 5]
    assert times == [0, 100, 200, 300, 400, 500]


@pytest.mark.parametrize("frames", [1, 2])
def test_a_very_short_file_shows_all_it_has(clip: Clip, camera_of: Make, frames: int) -> None:
    camera = camera_of(clip(frames=frames))
    camera.open()
    assert len(play(camera, 1000.0)) == frames


def text_file(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


BAD = {
    "missing": (lambda folder: folder / "no.mp4", "missing"),
    "nul": (lambda folder: f"{folder}/a\0b.mp4", "missing"),
    "name too long": (lambda folder: folder / ("x" * 5000), "missing"),
    "zero bytes": (lambda folder: text_file(folder, "a.mp4", b""), "empty"),
    "directory": (lambda folder: folder, "not_file"),
    "no name": (lambda _: "", "not_file"),
    "pipe": (lambda folder: os.mkfifo(folder / "p") or folder / "p", "not_file"),
    "noise": (lambda folder: text_file(folder, "a.avi", bytes(range(256)) * 40), "not_video"),
    "text": (lambda folder: text_file(folder, "a.mp4", b"hello world\n" * 99), "not_video"),
    "text named so": (lambda folder: text_file(folder, "a.txt", b"hello\n" * 99), "not_video"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_with_its_name(
    tmp_path: Path, camera_of: Make, case: str, capfd: pytest.CaptureFixture[str]
) -> None:
    make, reason = BAD[case]
    source = str(make(tmp_path))
    camera = camera_of(source)
    for _ in range(2):
        with pytest.raises(CameraFault) as caught:
            camera.open()
        assert caught.value.reason == reason
        assert repr(source)[1:-1] in caught.value.detail
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "codec", "cut_at", "reason"),
    [
        ("a.mp4", "mp4v", b"moov", "not_video"),
        ("a.avi", "MJPG", b"strf", "not_video"),
        ("a.avi", "MJPG", b"movi", "no_frame"),
    ],
)
def test_a_file_cut_before_its_first_frame_is_refused(
    clip: Clip, camera_of: Make, name: str, codec: str, cut_at: bytes, reason: str
) -> None:
    path = clip(name, codec=codec)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(cut_at) + 14])
    with pytest.raises(CameraFault, match=reason) as caught:
        camera_of(path).open()
    assert str(path) in caught.value.detail


def test_a_file_cut_later_plays_as_far_as_it_goes(clip: Clip, camera_of: Make) -> None:
    path = clip("a.avi", frames=30, size=(320, 240))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4])
    camera = camera_of(path)
    camera.open()
    assert 5 < len(play(camera, 100.0)) < 30


def test_another_size_after_the_first_opening_is_refused(clip: Clip, camera_of: Make) -> None:
    camera = camera_of(clip(size=(64, 48)))
    camera.open()
    clip(size=(80, 48))
    with pytest.raises(CameraFault, match="80x48, buffers are 64x48") as caught:
        camera.open()
    assert caught.value.reason == "size_changed"
    clip(size=(64, 48))
    camera.open()


def test_a_buffer_of_another_size_is_not_replaced(clip: Clip, camera_of: Make) -> None:
    camera, frame = camera_of(clip()), Frame(32, 48)
    camera.open()
    buffer = frame.pixels
    with pytest.raises(CameraFault, match="size_changed"):
        camera.grab(frame, 0.0)
    assert frame.pixels is buffer
    assert frame.frame_id == -1


def test_a_closed_camera_says_so(clip: Clip, camera_of: Make) -> None:
    camera = camera_of(clip())
    with pytest.raises(CameraFault, match="closed"):
        camera.grab(Frame(64, 48), 0.0)
    camera.open()
    camera.close()
    camera.close()
    with pytest.raises(CameraFault, match="closed"):
        camera.grab(Frame(64, 48), 0.0)


@pytest.mark.parametrize("stated", [0.0, -5.0, 241.0, 1000.0, float("nan"), float("inf")])
def test_a_nonsense_rate_is_replaced(stated: float) -> None:
    assert believable_fps(stated, 10.0) == 10.0


@pytest.mark.parametrize("stated", [0.5, 29.97, 240.0])
def test_a_believable_rate_is_taken(stated: float) -> None:
    assert believable_fps(stated, 10.0) == stated


class Stamps:
    """A capture that only has time stamps."""

    def __init__(self, stamps_ms: list[float]) -> None:
        self._stamps_ms = stamps_ms

    def grab(self) -> bool:
        self._stamps_ms = self._stamps_ms[1:]
        return bool(self._stamps_ms)

    def get(self, prop: int) -> float:
        assert prop == cv2.CAP_PROP_POS_MSEC
        return self._stamps_ms[0]


@pytest.mark.parametrize(
    ("stamps_ms", "fps"),
    [
        ([0, 100, 200, 300, 400, 500, 600, 700], 10.0),
        ([0, 100, 250, 300, 400, 500, 600, 700], 10.0),
        ([0, 17, 33, 50, 67, 83, 100, 117], 59.94),
        ([0, 0, 0, 0, 0, 0, 0, 0], 59.94),
        ([0, 100, 90, 300, 400, 500], 59.94),
        ([0, 100], 59.94),
        ([float("nan")] * 8, 59.94),
    ],
)
def test_time_stamps_overrule_a_stated_rate_they_contradict(
    stamps_ms: list[float], fps: float
) -> None:
    assert video_file.stamped_fps(Stamps(stamps_ms), 59.94) == pytest.approx(fps)  # type: ignore[arg-type]


SAMPLES = [
    ("intel/people-detection.gif", (480, 270), 12.083, 23),
    ("ambianic/test2-cam-person1.mkv", (1280, 720), 10.0, 60),
    ("gmdcsa24/Subject_2/Fall/14.mp4", (640, 480), 15.0, 168),
]


@pytest.mark.data
@pytest.mark.parametrize(("name", "size", "fps", "frames"), SAMPLES)
def test_real_videos_play_to_their_end(
    shared_data: Path, camera_of: Make, name: str, size: tuple[int, int], fps: float, frames: int
) -> None:
    camera = camera_of(shared_data / "video" / name)
    camera.open()
    assert (camera.width_px, camera.height_px) == size
    assert camera.fps == pytest.approx(fps, rel=0.02)
    assert len(play(camera, 1000.0 / camera.fps)) == frames
