"""A V4L2 camera on a stand-in of the kernel: pictures, losses, time, every error at every call."""

from __future__ import annotations

import errno

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.board import CameraConfig
from drivers.camera import v4l2_kernel as v4l2
from drivers.camera.supervised import CameraState, SupervisedCamera
from drivers.camera.v4l2 import V4l2Camera
from drivers.clock import VirtualClock
from drivers.faults import CameraFault
from drivers.interfaces import Camera as AnyCamera
from drivers.interfaces import Frame
from runtime.machine import camera_driver
from tests.drivers.camera.video_device import Camera

PATH = "/dev/v4l/by-path/usb-1"
WIDTH, HEIGHT = 64, 48
SINGLE = v4l2.CAP_VIDEO_CAPTURE | v4l2.CAP_STREAMING
MULTI = v4l2.CAP_VIDEO_CAPTURE_MPLANE | v4l2.CAP_STREAMING


def config(**more) -> CameraConfig:
    size = {"width_px": WIDTH, "height_px": HEIGHT, "fps": 10.0}
    return CameraConfig(**{"driver": "v4l2", "source": PATH, **size, **more})


@pytest.fixture(params=[SINGLE, MULTI], ids=["single", "multi"])
def device(request):
    """A camera of either kind: every test holds for both."""
    made = Camera()
    made.capabilities = request.param
    return made


class Bench:
    """A camera driver on the stand-in."""

    def __init__(self, device: Camera, **more) -> None:
        self.device, self.clock = device, VirtualClock(device.now_ms)
        self.camera = V4l2Camera(config(**more), PATH, self.clock, device.open)
        self.frame = Frame(WIDTH, HEIGHT)

    def grab(self, after_ms: float = 100.0) -> bool:
        self.device.now_ms += after_ms
        self.clock.sleep_until_ms(self.device.now_ms)
        return self.camera.grab(self.frame, self.clock.now_ms())


@pytest.fixture
def bench(device):
    made = Bench(device)
    made.camera.open()
    yield made
    made.camera.close()
    assert device.file is None or device.file.is_closed


def bgr(seed: int = 1) -> np.ndarray:
    """A smooth picture: it survives the formats that have one colour for some pixels."""
    x = np.linspace(20, 230, WIDTH)[None, :, None] * np.ones((HEIGHT, 1, 3))
    return np.clip(x + np.array([5, 10, 15]) * seed, 0, 255).astype(np.uint8)


def yuyv(level: int, pad: int = 0) -> bytes:
    """A grey picture, with rows padded by rubbish."""
    row = bytes((level, 128)) * WIDTH + b"\xff" * pad
    return row * HEIGHT


def test_it_is_a_camera(bench):
    assert isinstance(bench.camera, AnyCamera)
    assert bench.camera.is_live and bench.camera.fps == 10.0


def test_a_picture_comes_once(bench):
    assert not bench.grab()
    bench.device.shoot(yuyv(200))
    assert bench.grab()
    assert abs(int(bench.frame.pixels.mean()) - 214) < 3  # 16..235 is 0..255
    assert not bench.grab()


def encoded(fourcc: str, pad: int) -> bytes:
    """The smooth picture as a camera would send it."""
    picture = bgr()
    if fourcc == "MJPG":
        return cv2.imencode(".jpg", picture)[1].tobytes()
    if fourcc == "BGR3":
        rows = picture.reshape(HEIGHT, -1)
    elif fourcc == "NV12":
        planar = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420)
        chroma = planar[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
        rows = np.vstack([planar[:HEIGHT], np.dstack(list(chroma)).reshape(HEIGHT // 2, WIDTH)])
    else:
        luma, u, v = cv2.split(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV))
        luma = (luma.astype(float) * 219 / 255 + 16).astype(np.uint8)
        rows = np.zeros((HEIGHT, WIDTH * 2), np.uint8)
        rows[:, 0::2], rows[:, 1::4], rows[:, 3::4] = luma, u[:, ::2], v[:, ::2]
    return np.pad(rows, ((0, 0), (0, pad)), constant_values=255).tobytes()


@pytest.mark.parametrize("pad", [0, 32])
@pytest.mark.parametrize("fourcc", ["YUYV", "NV12", "BGR3", "MJPG"])
def test_every_format_is_converted_into_the_frame(device, fourcc, pad):
    device.formats, device.pad = [fourcc], pad
    bench = Bench(device, fourcc=fourcc)
    bench.camera.open()
    pixels = bench.frame.pixels
    device.shoot(encoded(fourcc, pad if fourcc != "MJPG" else 0))
    assert bench.grab()
    assert bench.frame.pixels is pixels, "the frame keeps its array"
    error = np.abs(pixels.astype(int) - bgr().astype(int)).mean()
    assert error < 6, f"{fourcc}: {error}"
    bench.camera.close()


@pytest.mark.parametrize("fourcc", ["YUYV", "NV12", "BGR3", "MJPG"])
@given(data=st.binary(max_size=WIDTH * HEIGHT * 2))
def test_rubbish_is_no_picture_or_any_picture_and_never_an_error(fourcc, data):
    device = Camera()
    device.formats = [fourcc]
    bench = Bench(device, fourcc=fourcc)
    bench.camera.open()
    prefix = b"\xff\xd8\xff\xe0" if fourcc == "MJPG" else b""
    device.shoot(prefix + data)
    bench.grab()
    bench.camera.close()


def test_a_short_buffer_is_counted_and_not_shown(bench):
    bench.device.shoot(yuyv(200)[:-1])
    assert not bench.grab()
    bench.device.shoot(yuyv(100))
    assert bench.grab()
    assert (bench.camera.damaged, bench.frame.frame_id) == (1, 1)


def test_a_buffer_that_the_driver_calls_broken_is_counted_and_not_shown(bench):
    bench.device.shoot(yuyv(200), v4l2.BUF_FLAG_ERROR)
    assert not bench.grab()
    bench.device.shoot(yuyv(100))
    bench.device.shoot(yuyv(200), v4l2.BUF_FLAG_ERROR)
    assert bench.grab()
    assert bench.frame.pixels.max() < 120
    assert bench.camera.damaged == 2


def test_the_newest_picture_wins_and_the_ids_tell_of_the_others(bench):
    for level in (50, 100, 200):
        bench.device.shoot(yuyv(level))
    assert bench.grab()
    assert (bench.frame.frame_id, bench.camera.dropped) == (2, 0)
    assert bench.frame.pixels.min() > 200
    assert not bench.grab()


def test_pictures_that_find_no_buffer_are_counted(bench):
    taken = [bench.device.shoot(yuyv(50)) for _ in range(10)]
    assert taken == [True] * 4 + [False] * 6
    assert bench.grab() and bench.frame.frame_id == 3
    bench.device.shoot(yuyv(60))
    assert bench.grab()
    assert (bench.frame.frame_id, bench.camera.dropped) == (10, 6)


def test_all_buffers_go_back(bench):
    for count in range(100):
        for _ in range(count % 6):
            bench.device.shoot(yuyv(count), v4l2.BUF_FLAG_ERROR if count % 7 == 3 else 0)
        bench.grab()
        assert len(bench.device.file._queued) == 4


def test_a_loss_while_the_sequence_wraps_is_counted(bench):
    bench.device.sequence = 0xFFFFFFFE
    bench.device.shoot(yuyv(50))
    assert bench.grab()
    bench.device.sequence = 3
    bench.device.shoot(yuyv(50))
    assert bench.grab()
    assert (bench.frame.frame_id, bench.camera.dropped) == (5, 4)


def test_a_sequence_that_wraps_or_stands_still_is_no_loss(bench):
    bench.device.sequence = 0xFFFFFFFE
    ids = []
    for _ in range(4):
        bench.device.shoot(yuyv(50))
        assert bench.grab()
        ids.append(bench.frame.frame_id)
    assert ids == [0, 1, 2, 3]
    bench.device.lies.add("zero")
    for _ in range(3):
        bench.device.shoot(yuyv(50))
        assert bench.grab()
    assert (bench.frame.frame_id, bench.camera.dropped) == (6, 0)


def test_the_time_of_a_picture_is_that_of_the_kernel(bench):
    bench.device.shoot(yuyv(50))
    assert bench.grab(0.0)
    first_ms = bench.frame.captured_ms
    bench.device.now_ms += 100.0
    bench.device.shoot(yuyv(50), age_ms=20.0)
    assert bench.grab(5.0)
    assert bench.frame.captured_ms == pytest.approx(first_ms + 80.0)
    assert bench.frame.t_ms == pytest.approx(80.0)


@pytest.mark.parametrize("lie_ms", [-5000.0, 5_000_000.0, 3_000.0])
def test_time_goes_on_whatever_the_driver_says(bench, lie_ms):
    bench.device.shoot(yuyv(50))
    bench.device.now_ms += 1.0
    assert bench.grab(0.0)
    before_ms = bench.frame.captured_ms
    bench.device.now_ms += 100.0
    bench.device.shoot(yuyv(50), age_ms=lie_ms)
    assert bench.grab(0.0)
    assert before_ms <= bench.frame.captured_ms <= bench.clock.now_ms()


def test_a_stamp_of_another_clock_is_not_taken(bench):
    bench.device.lies.add("unknown")
    bench.device.shoot(yuyv(50), age_ms=500.0)
    assert bench.grab()
    assert bench.frame.captured_ms == bench.clock.now_ms()


def test_format_and_rate_are_asked_for_before_the_buffers(device):
    bench = Bench(device)
    bench.camera.open()
    calls = [call for call in device.calls if call not in ("QUERYBUF", "mmap", "QBUF")]
    assert calls == ["open", "QUERYCAP", "S_FMT", "S_PARM", "REQBUFS", "STREAMON"]
    bench.camera.close()
    assert device.calls[-2:] == ["STREAMOFF", "REQBUFS"]


REFUSED = [
    ({"formats": ["MJPG"]}, "format_refused.*asked for YUYV 64x48, it gives MJPG 64x48"),
    ({"sizes": [(128, 96)]}, "format_refused.*it gives YUYV 128x96"),
    ({"rates": [5.0]}, "rate_refused.*asked for 10 pictures/s, it gives 5"),
    ({"capabilities": v4l2.CAP_STREAMING | 0x2}, "no_camera.*captures no stream"),
    ({"capabilities": MULTI, "planes": 2}, "format_refused.*in 2 planes"),
    ({"capabilities": v4l2.CAP_VIDEO_CAPTURE}, "no_camera"),
    ({"most_buffers": 1}, "no_memory.*1 of 4 buffers"),
    ({"plugged": set()}, "missing.*is it plugged in"),
]


@pytest.mark.parametrize(("settings", "expected"), REFUSED, ids=str)
def test_what_a_device_cannot_is_told(device, settings, expected):
    for name, value in settings.items():
        setattr(device, name, value)
    bench = Bench(device)
    with pytest.raises(CameraFault, match=expected):
        bench.camera.open()
    assert device.file is None or device.file.is_closed


@pytest.mark.parametrize(("rates", "fps"), [([15.0, 30.0], 15.0), ([9.99], 9.99), ([], 10.0)])
def test_a_rate_that_will_do_is_taken_as_it_is(device, rates, fps):
    device.rates = rates
    bench = Bench(device)
    bench.camera.open()
    assert bench.camera.fps == pytest.approx(fps)
    bench.camera.close()


def test_an_unplugged_camera_is_a_fault(bench):
    bench.device.shoot(yuyv(50))
    assert bench.grab()
    bench.device.unplug()
    with pytest.raises(CameraFault, match=f"unplugged: {PATH}"):
        bench.grab()
    bench.camera.close()
    with pytest.raises(CameraFault, match="missing"):
        bench.camera.open()


def test_one_that_is_plugged_in_again_goes_on_with_its_ids_and_time(bench):
    bench.device.shoot(yuyv(50))
    assert bench.grab(0.0)
    frame_id, t_ms = bench.frame.frame_id, bench.frame.t_ms
    bench.device.unplug()
    bench.camera.close()
    bench.device.plug()
    bench.device.now_ms += 5000.0
    bench.camera.open()
    bench.device.shoot(yuyv(90))
    assert bench.grab(0.0)
    assert bench.frame.frame_id == frame_id + 1
    assert bench.frame.t_ms == pytest.approx(t_ms + 5000.0)


def test_one_that_falls_silent_is_a_fault(bench):
    assert not bench.grab(999.0)
    with pytest.raises(CameraFault, match="no_frame"):
        bench.grab(2.0)


def test_a_closed_camera_says_so(bench):
    bench.camera.close()
    bench.camera.close()
    with pytest.raises(CameraFault, match="closed"):
        bench.grab()


def test_a_frame_of_another_size_is_refused(bench):
    bench.frame = Frame(32, 32)
    bench.device.shoot(yuyv(50))
    with pytest.raises(CameraFault, match="size_changed"):
        bench.grab()


def test_the_rehearsal_shows_a_picture(bench):
    bench.device.shoot(yuyv(50))
    bench.camera.rehearse(bench.frame)
    assert bench.frame.frame_id == 0


CALLS = ("open", "QUERYCAP", "S_FMT", "S_PARM", "REQBUFS", "QUERYBUF", "mmap", "QBUF", "STREAMON")
PLANTED = [(name, n) for name in CALLS for n in ((1, 3) if name in ("QBUF", "mmap") else (1,))]


@pytest.mark.parametrize("number", [errno.EIO, errno.ENODEV, errno.EBUSY, errno.ENOMEM])
@pytest.mark.parametrize(("name", "n"), PLANTED)
def test_an_error_at_any_call_of_opening_is_a_fault_and_leaves_nothing(device, name, n, number):
    device.fails[name, n] = number
    bench = Bench(device)
    with pytest.raises(CameraFault, match=PATH):
        bench.camera.open()
    assert device.file is None or device.file.is_closed
    bench.camera.open()
    device.shoot(yuyv(50))
    assert bench.grab()
    bench.camera.close()


@pytest.mark.parametrize("number", [errno.EIO, errno.ENODEV])
@pytest.mark.parametrize("name", ["DQBUF", "QBUF"])
@pytest.mark.parametrize("later", range(1, 7))
def test_an_error_in_operation_is_a_fault_and_opening_again_heals_it(bench, name, number, later):
    bench.device.fails[name, bench.device.calls.count(name) + later] = number
    with pytest.raises(CameraFault):
        shoot_and_grab(bench, 20)
    bench.camera.close()
    assert bench.device.file.is_closed
    bench.camera.open()
    bench.device.shoot(yuyv(50))
    assert bench.grab()


def shoot_and_grab(bench: Bench, times: int) -> None:
    for _ in range(times):
        bench.device.shoot(yuyv(50))
        bench.device.shoot(yuyv(60))
        bench.grab()


@pytest.mark.parametrize("name", ["STREAMOFF", "REQBUFS"])
def test_an_error_while_closing_keeps_nothing_open(device, name):
    bench = Bench(device)
    bench.camera.open()
    device.fails[name, device.calls.count(name) + 1] = errno.EIO
    bench.camera.close()
    assert device.file.is_closed


def test_a_supervised_camera_comes_back_by_its_stable_path(device):
    bench = Bench(device)
    supervised = SupervisedCamera(bench.camera, config(), lambda: _Nothing())
    supervised.open()
    seen = []
    for step in range(100):
        if step == 20:
            device.unplug()
        if step == 60:
            device.plug()
        device.now_ms += 100.0
        bench.clock.sleep_until_ms(device.now_ms)
        if device.plugged and not device.file.is_closed:
            device.shoot(yuyv(50))
        seen.append(supervised.poll(bench.frame, bench.clock.now_ms()))
    assert seen[:20] == [True] * 20
    assert not any(seen[20:60])
    assert seen[-4:] == [True] * 4 and supervised.state is CameraState.OK
    assert supervised.reopens >= 3
    supervised.close()


class _Nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def test_a_device_given_by_hand_is_a_camera_of_the_kernel():
    assert camera_driver("/dev/video2", "synthetic") == "v4l2"
