"""The rasteriser: no gaps, right depths, cut at the near plane."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.render.raster import parallel, pinhole

LENS = np.array([50.0, 32.0, 32.0])
WHOLE = np.array([0, 0, 64, 64], np.int64)


def drawn(seen, triangles, cull=False, material=0, bounds=WHOLE):
    near, ids = np.zeros((64, 64), np.float32), np.zeros((64, 64), np.int32)
    triangles = np.array(triangles, np.int32)
    kinds = np.full(len(triangles), material, np.uint8)
    pinhole(np.array(seen, float), triangles, kinds, 1, LENS, 0.1, cull, near, ids, bounds)
    return near, ids


SQUARE = [(-1, -1, 4), (1, -1, 4), (1, 1, 4), (-1, 1, 4)]


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)), min_size=4, max_size=4),
       st.floats(0.1, 0.9), st.floats(0.1, 0.9))  # fmt: skip
def test_four_triangles_around_a_point_leave_no_gap(shifts, u, v):
    square = [(-3, -3), (3, -3), (3, 3), (-3, 3)]
    corners = [(x + dx * 0.3, y + dy * 0.3, 5.0)
               for (x, y), (dx, dy) in zip(square, shifts, strict=True)]  # fmt: skip
    middle = (2 * u - 1, 2 * v - 1, 5.0)
    fan = [(i, (i + 1) % 4, 4) for i in range(4)]
    together = drawn([*corners, middle], fan)[1] > 0
    counts = sum((drawn([*corners, middle], [t])[1] > 0).astype(int) for t in fan)
    assert ((counts == 1) == together).all() and counts.max() == 1
    rows, columns = np.nonzero(together)
    for row in np.unique(rows):
        line = columns[rows == row]
        assert len(line) == line.max() - line.min() + 1


def test_the_nearer_one_hides_the_other_and_depth_is_exact():
    behind = [(x, y, z + 2 + x) for x, y, z in SQUARE]
    near, ids = drawn([*SQUARE, *behind], [(4, 5, 6), (4, 6, 7), (0, 1, 2), (0, 2, 3)])
    assert set(np.unique(ids)) == {0, 3, 4}
    assert np.allclose(1 / near[near > 0], 4, rtol=1e-6)
    slanted, _ = drawn(behind, [(0, 1, 2), (0, 2, 3)])
    j, i = 32, 36
    x = (i + 0.5 - 32) / 50
    assert np.isclose(1 / slanted[j, i], 6 / (1 - x), rtol=1e-5)


def test_what_faces_away_is_culled():
    assert (drawn(SQUARE, [(0, 1, 2)], cull=True)[1] > 0).any() != (
        drawn(SQUARE, [(0, 2, 1)], cull=True)[1] > 0
    ).any()


def test_a_triangle_through_the_eye_is_cut_at_the_near_plane():
    floor = [(-5, 1, -3), (5, 1, -3), (0, 1, 30)]
    near, _ = drawn(floor, [(0, 1, 2)])
    assert near[:32].max() == 0 and near[63].min() > 0
    assert np.isclose(1 / near[60, 32], 50 / 28.5, rtol=1e-5)


def test_nothing_is_written_outside_of_the_bounds():
    _, ids = drawn(SQUARE, [(0, 1, 2), (0, 2, 3)], bounds=np.array([28, 30, 36, 33], np.int64))
    assert ids[30:33, 28:36].all() and ids.astype(bool).sum() == 24


def test_a_net_hides_a_quarter():
    _, ids = drawn(SQUARE, [(0, 1, 2), (0, 2, 3)], material=13)
    block = ids[24:40, 24:40] > 0
    assert block.sum() * 4 == block.size


def test_parallel_light_sees_depth_without_perspective():
    near = np.full((64, 64), -1e9, np.float32)
    seen = np.array([(-1, -1, 3), (1, -1, 3), (1, 1, 5), (-1, 1, 5)], float)
    kinds = np.zeros(2, np.uint8)
    lens = np.array([10.0, 32.0, 32.0])
    parallel(seen, np.array([(0, 1, 2), (0, 2, 3)], np.int32), kinds, lens, near, WHOLE)
    hit = near > -1e8
    assert hit.sum() == 400
    assert np.allclose(near[22:42, 30], -(4 + (np.arange(22, 42) + 0.5 - 32) / 10), atol=1e-5)
