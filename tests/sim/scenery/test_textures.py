"""Textures tile, keep a colour as it is in the mean, and can be told apart."""

import numpy as np
import pytest

from sim.scenery.textures import EDGE_PX, MEAN, atlas
from sim.world.materials import Texture

DRAWN = [texture for texture in Texture if texture is not Texture.PLAIN]


def test_the_atlas_has_a_row_for_every_texture() -> None:
    assert atlas().shape == (len(Texture), EDGE_PX, EDGE_PX)
    assert atlas().dtype == np.uint8
    assert (atlas()[Texture.PLAIN] == MEAN).all()


@pytest.mark.parametrize("texture", DRAWN)
def test_a_texture_keeps_the_mean(texture: Texture) -> None:
    assert atlas()[texture].mean() == pytest.approx(MEAN, abs=2)


@pytest.mark.parametrize("texture", DRAWN)
@pytest.mark.parametrize("axis", [0, 1])
def test_a_texture_has_no_seam(texture: Texture, axis: int) -> None:
    picture = np.moveaxis(atlas()[texture].astype(np.float64), axis, 0)
    steps = np.abs(np.diff(picture, axis=0)).mean(1)
    seam = np.abs(picture[0] - picture[-1]).mean()
    assert seam <= steps.max() * 1.05 + 0.5


@pytest.mark.parametrize("texture", DRAWN)
def test_a_texture_is_seen(texture: Texture) -> None:
    assert 4 < atlas()[texture].std() < 110


def test_a_net_has_holes_and_threads() -> None:
    net = atlas()[Texture.MESH]
    assert 0.3 < (net < 64).mean() < 0.7


def test_the_same_seed_draws_the_same() -> None:
    again = atlas.__wrapped__(0)
    assert (again == atlas(0)).all()
    assert (atlas(1)[Texture.DIRT] != atlas(0)[Texture.DIRT]).any()
    with pytest.raises(ValueError, match="read-only"):
        again[0, 0, 0] = 1
