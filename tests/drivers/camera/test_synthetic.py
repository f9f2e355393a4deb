from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from drivers.board import CameraConfig
from drivers.camera.synthetic import SceneOptions, SyntheticCamera, parse_options
from drivers.camera.synthetic_scene import SyntheticScene
from drivers.clock import VirtualClock
from drivers.faults import CameraFault, EndOfStream
from drivers.interfaces import Camera, Frame

Config = Callable[..., CameraConfig]
WIDTH, HEIGHT = 160, 96


@pytest.fixture
def camera_of(config: Config) -> Callable[[str], SyntheticCamera]:
    settings = config(width_px=WIDTH, height_px=HEIGHT)
    return lambda source: SyntheticCamera(settings, source, VirtualClock())


Make = Callable[[str], SyntheticCamera]


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("", SceneOptions()),
        ("seed=3", SceneOptions(seed=3)),
        (
            " seed = 3, people=2,frames=300,loop=1,",
            SceneOptions(seed=3, people=2, frames=300, loop=1),
        ),
    ],
)
def test_the_source_string_is_understood(source: str, options: SceneOptions) -> None:
    assert parse_options(source) == options


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("speed=3", "key 'speed'; each of seed, people, frames, loop once"),
        ("seed=1,seed=2", "key 'seed'"),
        ("seed", "seed=''"),
        ("seed=-1", "seed='-1'"),
        ("seed=1.5", "seed='1.5'"),
        ("frames=many", "frames='many'"),
        ("frames=9999999999", "a whole number from 0 to 999999999"),
        ("seed=²", "seed='²'"),
        ("=3", "key ''"),
    ],
)
def test_anything_else_is_refused_by_name(source: str, named: str) -> None:
    with pytest.raises(CameraFault) as caught:
        parse_options(source)
    assert caught.value.reason == "bad_source"
    assert named in caught.value.detail


def test_it_shows_the_scene_at_the_time_of_each_frame(camera_of: Make) -> None:
    camera, frame = camera_of("seed=5,people=2"), Frame(WIDTH, HEIGHT)
    scene = SyntheticScene(WIDTH, HEIGHT, seed=5, people=2)
    expected = np.zeros_like(frame.pixels)
    buffer = frame.pixels
    camera.open()
    assert isinstance(camera, Camera)
    for now_ms, index in ((1000.0, 0), (1100.0, 1), (5050.0, 40)):
        assert camera.grab(frame, now_ms)
        assert not camera.grab(frame, now_ms)
        assert (frame.frame_id, frame.t_ms, frame.captured_ms) == (index, index * 100.0, now_ms)
        scene.render(index * 100.0, expected)
        assert np.array_equal(frame.pixels, expected)
    assert frame.pixels is buffer


def test_it_ends_after_its_frames(camera_of: Make) -> None:
    camera, frame = camera_of("frames=3"), Frame(WIDTH, HEIGHT)
    camera.open()
    assert camera.grab(frame, 0.0)
    assert camera.grab(frame, 5000.0)
    assert frame.frame_id == 2
    with pytest.raises(EndOfStream):
        camera.grab(frame, 5100.0)


def test_a_loop_shows_the_same_pictures_with_new_ids(camera_of: Make) -> None:
    camera, frame = camera_of("frames=3,loop=1"), Frame(WIDTH, HEIGHT)
    camera.open()
    shown = []
    for index in range(6):
        assert camera.grab(frame, index * 100.0)
        assert (frame.frame_id, frame.t_ms) == (index, index * 100.0)
        shown.append(frame.pixels.copy())
    assert np.array_equal(shown[1], shown[4])
    assert not np.array_equal(shown[0], shown[1])


def test_a_buffer_of_another_size_or_a_closed_camera_is_a_fault(camera_of: Make) -> None:
    camera = camera_of("")
    with pytest.raises(CameraFault, match="closed"):
        camera.grab(Frame(WIDTH, HEIGHT), 0.0)
    camera.open()
    with pytest.raises(CameraFault, match="size_changed"):
        camera.grab(Frame(HEIGHT, WIDTH), 0.0)
