"""Pictures of any size into the tensor's own memory."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from models.letterbox import Letterbox

SIZES = [(768, 432), (320, 256), (300, 900), (1920, 1080), (64, 48), (160, 128), (1, 1), (5000, 2)]


def _picture(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
@pytest.mark.parametrize("rgb", [False, True])
def test_picture_top_left_and_pad_elsewhere(
    width: int, height: int, dtype: type, rgb: bool
) -> None:
    tensor = np.zeros((1, 256, 320, 3), dtype)
    letterbox = Letterbox(width, height, 320, 256, 114)
    bound = letterbox.bind(tensor, rgb)
    picture = _picture(width, height)
    for _ in range(2):
        bound.write(picture)
    stored = tensor.view(np.uint8)[0] ^ (0x80 if dtype is np.int8 else 0)
    size = (letterbox.width_px, letterbox.height_px)
    expected = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    if rgb:
        expected = expected[..., ::-1]
    assert np.array_equal(stored[: size[1], : size[0]], expected)
    assert np.all(stored[size[1] :] == 114)
    assert np.all(stored[:, size[0] :] == 114)


@pytest.mark.parametrize(("width", "height"), SIZES[:6])
def test_the_ratio_is_kept_and_one_side_is_filled(width: int, height: int) -> None:
    letterbox = Letterbox(width, height, 320, 256)
    assert letterbox.width_px == 320 or letterbox.height_px == 256
    assert letterbox.scale_x == pytest.approx(letterbox.scale_y, rel=0.01)
    assert letterbox.width_px * letterbox.scale_x == pytest.approx(width)
    assert letterbox.height_px * letterbox.scale_y == pytest.approx(height)


@pytest.mark.parametrize("sizes", [(0, 10, 320, 256), (10, -1, 320, 256), (10, 10, 0, 256)])
def test_no_size_below_one_pixel(sizes: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="no picture"):
        Letterbox(*sizes)
