"""Pictures that are spoilt look like what they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from sim.board.spoil import EDGE_SHARE, dim, encode_anew, hide

RANDOM = np.random.default_rng(3)
NOISE = RANDOM.integers(0, 256, (90, 160, 3), np.uint8)
GOOD = np.clip(np.kron(RANDOM.normal(120, 40, (9, 16, 1)), np.ones((10, 10, 3))), 0, 255)
GOOD = np.clip(GOOD + RANDOM.normal(0, 2, GOOD.shape), 0, 255).astype(np.uint8)


def spoilt(how, *values, index=0):
    pixels = GOOD.copy()
    how(pixels, NOISE, index, *values)
    return pixels


def test_a_still_is_never_the_same_to_the_byte_and_has_hardly_any_noise():
    stills = []
    for index in range(3):
        pixels = GOOD.copy()
        encode_anew(pixels, index)
        stills.append(pixels.astype(int))
    for one, other in ((0, 1), (1, 2)):
        assert 0 < np.abs(stills[one] - stills[other]).mean() < 1.2
    assert np.abs(stills[0] - GOOD).mean() < 2


@pytest.mark.parametrize("percent", [20, 60, 100])
@pytest.mark.parametrize("level", [0, 40, 220])
def test_what_is_hidden_is_flat_and_the_rest_is_as_it_was(percent, level):
    pixels = spoilt(hide, percent, level).astype(int)
    end, soft = round(1.6 * percent), round(160 * EDGE_SHARE)
    hidden = pixels[:, : max(end - soft, 1)]
    assert abs(hidden - level).max() <= 9
    if percent < 100:
        assert np.abs(pixels[:, end + soft :] - GOOD[:, end + soft :]).max() <= 7


def test_dim_leaves_so_much_light():
    assert spoilt(dim, 25).mean() == pytest.approx(GOOD.mean() / 4 + 3.5, abs=0.5)
    assert spoilt(dim, 0).max() <= 7


def test_every_picture_has_its_own_grain():
    assert (spoilt(dim, 50, index=1) != spoilt(dim, 50, index=2)).any()
    assert (spoilt(hide, 50, 90, index=1) != spoilt(hide, 50, 90, index=2)).any()
