from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from drivers.board import CameraConfig
from drivers.camera.image_folder import ImageFolderCamera
from drivers.clock import VirtualClock
from drivers.faults import CameraFault, EndOfStream
from drivers.interfaces import U8, Camera, Frame

Config = Callable[..., CameraConfig]
Picture = Callable[..., U8]
Number = Callable[[U8], int]


@pytest.fixture
def folder(tmp_path: Path, picture: Picture) -> Path:
    for index, suffix in enumerate((".png", ".JPG", ".bmp", ".jpeg")):
        cv2.imwrite(str(tmp_path / f"{index}{suffix}"), picture(index))
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "sub.png").mkdir()
    return tmp_path


@pytest.fixture
def camera(folder: Path, config: Config) -> ImageFolderCamera:
    return ImageFolderCamera(config(width_px=9, height_px=9), str(folder), VirtualClock())


def test_pictures_come_by_name_at_the_rate_of_the_board_file(
    camera: ImageFolderCamera, number_of: Number
) -> None:
    camera.open()
    assert isinstance(camera, Camera)
    assert (camera.width_px, camera.height_px, camera.fps) == (64, 48, 10.0)
    frame = Frame(64, 48)
    buffer = frame.pixels
    for index in range(4):
        assert camera.grab(frame, 70.0 + 100.0 * index)
        assert not camera.grab(frame, 70.0 + 100.0 * index + 99.0)
        assert (frame.frame_id, frame.t_ms) == (index, 100.0 * index)
        assert number_of(frame.pixels) == index
    assert frame.pixels is buffer
    with pytest.raises(EndOfStream):
        camera.grab(frame, 470.0)


def test_late_pictures_are_skipped_and_the_last_one_is_shown(
    camera: ImageFolderCamera, number_of: Number
) -> None:
    camera.open()
    frame = Frame(64, 48)
    assert camera.grab(frame, 0.0)
    assert camera.grab(frame, 9999.0)
    assert (frame.frame_id, number_of(frame.pixels)) == (3, 3)


def test_after_its_end_it_starts_again_and_counts_on(
    camera: ImageFolderCamera, number_of: Number
) -> None:
    frame, seen = Frame(64, 48), []
    for _ in range(2):
        camera.open()
        for index in range(4):
            camera.grab(frame, 100.0 * index)
            seen.append((frame.frame_id, number_of(frame.pixels)))
        with pytest.raises(EndOfStream):
            camera.grab(frame, 400.0)
    assert seen == [(0, 0), (1, 1), (2, 2), (3, 3), (4, 0), (5, 1), (6, 2), (7, 3)]


@pytest.mark.parametrize("damage", [b"", b"no picture at all", None])
@pytest.mark.parametrize("reopened", [False, True])
def test_an_unreadable_picture_is_named_once_and_passed_over(
    camera: ImageFolderCamera, folder: Path, number_of: Number, damage: bytes | None, reopened: bool
) -> None:
    bad = folder / "1.JPG"
    whole = bad.read_bytes()
    bad.write_bytes(whole[: len(whole) // 3] if damage is None else damage)
    camera.open()
    frame = Frame(64, 48)
    camera.grab(frame, 0.0)
    with pytest.raises(CameraFault, match="not_image") as caught:
        camera.grab(frame, 100.0)
    assert str(bad) in caught.value.detail
    assert (frame.frame_id, number_of(frame.pixels)) == (0, 0)
    assert not camera.grab(frame, 100.0)
    if reopened:
        camera.close()
        camera.open()
    assert camera.grab(frame, 200.0)
    assert number_of(frame.pixels) == 2
    assert frame.frame_id > 0


def test_a_bad_first_picture_does_not_block_the_folder(
    camera: ImageFolderCamera, folder: Path, number_of: Number
) -> None:
    (folder / "0.png").write_bytes(b"junk")
    with pytest.raises(CameraFault, match="not_image"):
        camera.open()
    camera.open()
    frame = Frame(64, 48)
    assert camera.grab(frame, 0.0)
    assert number_of(frame.pixels) == 1


def test_a_picture_of_another_size_is_refused_not_scaled(
    camera: ImageFolderCamera, folder: Path, picture: Picture, number_of: Number
) -> None:
    cv2.imwrite(str(folder / "1.JPG"), picture(1, 65, 48))
    camera.open()
    frame = Frame(64, 48)
    camera.grab(frame, 0.0)
    with pytest.raises(CameraFault, match="65x48, wanted 64x48") as caught:
        camera.grab(frame, 100.0)
    assert caught.value.reason == "size_changed"
    assert camera.grab(frame, 200.0)
    assert number_of(frame.pixels) == 2


def test_a_grey_picture_becomes_bgr(tmp_path: Path, config: Config, picture: Picture) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), picture(3)[:, :, 0])
    camera = ImageFolderCamera(config(), str(tmp_path), VirtualClock())
    camera.open()
    frame = Frame(64, 48)
    assert camera.grab(frame, 0.0)
    assert (frame.pixels == picture(3)).all()


BAD = {
    "missing": (lambda path: str(path / "no"), "missing"),
    "no name": (lambda _: "", "missing"),
    "nul": (lambda path: f"{path}\0", "missing"),
    "a file": (lambda path: str((path / "f").write_bytes(b"x") and path / "f"), "not_folder"),
    "no pictures": (str, "empty"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_folder_is_refused(tmp_path: Path, config: Config, case: str) -> None:
    make, reason = BAD[case]
    camera = ImageFolderCamera(config(), make(tmp_path), VirtualClock())
    with pytest.raises(CameraFault) as caught:
        camera.open()
    assert caught.value.reason == reason


def test_a_closed_camera_says_so(camera: ImageFolderCamera) -> None:
    camera.close()
    with pytest.raises(CameraFault, match="closed"):
        camera.grab(Frame(64, 48), 0.0)
