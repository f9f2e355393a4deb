"""The camera's geometry: from metres to pixels and back, knocks and sway."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.render.camera import Camera, rotation
from sim.render.distort import Distorter
from sim.render.sway import SWAY_DEG, Mast
from sim.world.config import CameraConfig, KnockConfig

WIDTH, HEIGHT = 640, 360
LENSES = st.sampled_from([(-0.3, 0.08), (-0.08, 0.01), (0.0, 0.0), (0.15, 0.0)])
PIXELS = st.tuples(st.floats(0, WIDTH), st.floats(0, HEIGHT))


def camera(**changes) -> Camera:
    return Camera(CameraConfig(**changes), WIDTH, HEIGHT)


@given(LENSES, PIXELS)
def test_a_pixel_comes_back_through_the_lens(lens, pixel):
    here = camera(k1=lens[0], k2=lens[1])
    back = here.distort(here.undistort(np.array([pixel])))
    assert np.abs(back - pixel).max() < 1e-6


@given(LENSES, st.floats(-4, 4), st.floats(6, 30), st.floats(-40, 40), st.floats(-20, 20))
def test_a_place_on_the_ground_comes_back_from_its_pixel(lens, x, y, pan, roll):
    here = camera(k1=lens[0], k2=lens[1], pan_deg=pan, roll_deg=roll)
    seen = here.project(np.array([[x, y, 0.0]]), here.rotation)
    inside = np.isfinite(seen).all() and (seen >= 0).all() and (seen <= (WIDTH, HEIGHT)).all()
    if inside:
        assert np.abs(here.on_ground(seen, here.rotation) - [x, y]).max() < 1e-5


def test_axes_are_as_the_contract_says():
    here = camera(tilt_deg=20.0)
    turn = here.rotation
    middle, right, higher, behind = here.project(
        np.array([[0, 12.36, 0], [2, 12.36, 0], [0, 12.36, 2], [0, -5, 1.0]]), turn
    )
    assert abs(middle[0] - WIDTH / 2) < 1e-9 and abs(middle[1] - HEIGHT / 2) < 2
    assert right[0] > middle[0] and abs(right[1] - middle[1]) < 1
    assert higher[1] < middle[1]
    assert np.isnan(behind).all()
    panned = camera(pan_deg=90.0)
    ahead = panned.project(np.array([[10.0, 0.0, 1.0]]), panned.rotation)
    assert abs(ahead[0, 0] - WIDTH / 2) < 1e-6


@pytest.mark.parametrize("angles", [(0, 0, 0), (30, 18, 5), (-170, 80, -30)])
def test_a_rotation_is_one(angles):
    turn = rotation(*angles)
    assert np.allclose(turn @ turn.T, np.eye(3)) and np.isclose(np.linalg.det(turn), 1)


def test_a_polygon_on_the_ground_is_cut_to_the_picture_and_bends_with_the_lens():
    here = camera(k1=-0.2)
    around = here.ground_polygon([(-50, -20), (50, -20), (50, 60), (-50, 60)], 16, here.rotation)
    points = np.array(around)
    assert (points >= -1e-9).all() and (points <= np.array([WIDTH, HEIGHT]) + 1e-9).all()
    assert points[:, 1].max() == HEIGHT and points[:, 0].min() == 0
    inner = np.array(here.ground_polygon([(-3, 9), (3, 9), (3, 14), (-3, 14)], 8, here.rotation))
    assert len(inner) == 32
    chord = (inner[0] + inner[8]) / 2
    assert np.linalg.norm(inner[4] - chord) > 0.3
    assert here.ground_polygon([(-3, -9), (3, -9), (0, -14)], 8, here.rotation) == []


@given(st.floats(0, 1e7), st.floats(0.05, 1), st.integers(0, 1000))
def test_sway_stays_within_its_bound_and_within_the_buffer(t_ms, wind, seed):
    here = camera()
    mast = Mast(here, [], wind, seed)
    angles = mast.angles_deg(t_ms)
    assert all(abs(a) <= wind * bound for a, bound in zip(angles, SWAY_DEG, strict=True))
    moved = mast.angles_deg(t_ms + 1)
    assert max(abs(a - b) for a, b in zip(angles, moved, strict=True)) < 0.01


def test_every_pixel_finds_its_place_in_the_buffer_however_the_mast_sways():
    here = camera(k1=-0.1)
    distorter = Distorter(here, 1.0)
    mast = Mast(here, [], 1.0, 3)
    buffer = np.full((distorter.height_px, distorter.width_px, 3), 200, np.uint8)
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for t_ms in range(0, 20_000, 970):
        distorter.whole(buffer, mast.sway(t_ms), picture)
        assert picture.min() == 200


def test_knocks_add_up_and_stay():
    here = camera(tilt_deg=18.0)
    mast = Mast(here, [KnockConfig(at_ms=500, pan_deg=4), KnockConfig(at_ms=100, tilt_deg=3)], 0, 1)
    assert [mast.knocked(t) for t in (0, 99, 100, 499, 500, 10**6)] == [0, 0, 1, 1, 2, 2]
    assert np.allclose(mast.base(2), rotation(4.0, 21.0, 0.0))
