"""Bodies are closed, face outwards, and are as large as they say."""

import numpy as np
import pytest

from sim.world.materials import Material
from sim.world.mesh import Mesh, joined, linear
from sim.world.outline import ears
from sim.world.shapes import (
    bar,
    box,
    cone,
    cylinder,
    dome,
    extrude,
    lathe,
    placed,
    polygon,
    quad,
    ring,
    sphere,
    tube,
)  # fmt: skip

GREY = "#808080"
L_SHAPE = [(0, 0), (3, 0), (3, 1), (1, 1), (1, 3), (0, 3)]
CLOSED = {
    "box": (box((1, 2, 3), GREY), 6.0, 1e-6),
    "bevelled box": (box((1, 2, 3), GREY, bevel_m=0.05), 6.0, 0.01),
    "cylinder": (cylinder(0.5, 2, GREY, segments=64), np.pi / 2, 0.01),
    "cut cone": (cylinder(0.5, 2, GREY, segments=64, top_radius_m=0.25), np.pi * 7 / 24, 0.01),
    "cone": (cone(0.5, 2, GREY, segments=64), np.pi / 6, 0.01),
    "sphere": (sphere(1, GREY, segments=64, rings=32), 4 * np.pi / 3, 0.02),
    "dome": (dome(1, 0.5, GREY, segments=64, rings=24), np.pi / 3, 0.02),
    "ring": (ring(0.3, 0.5, 1, GREY, segments=64), np.pi * 0.16, 0.01),
    "straight tube": (tube([(0, 0, 0), (0, 0, 2)], 0.5, GREY, segments=64), np.pi / 2, 0.01),
    "bar": (bar((0, 0, 0), (1, 1, 1), 0.1, 0.2, GREY), 0.02 * 3**0.5, 1e-4),
    "upright bar": (bar((0, 0, 0), (0, 0, 1), 0.1, 0.2, GREY), 0.02, 1e-4),
    "extruded L": (extrude(L_SHAPE, 1, GREY), 5.0, 1e-6),
    "extruded L, clockwise": (extrude(L_SHAPE[::-1], 1, GREY), 5.0, 1e-6),
}


def volume(mesh: Mesh) -> float:
    """Signed volume of a closed mesh: positive when its triangles face outwards."""
    a, b, c = (mesh.vertices[mesh.triangles[:, k]].astype(np.float64) for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def check_normals(mesh: Mesh) -> None:
    """Unit length, on the side that the triangle faces."""
    assert np.abs(np.linalg.norm(mesh.normals, axis=1) - 1).max() < 1e-5
    a, b, c = (mesh.vertices[mesh.triangles[:, k]].astype(np.float64) for k in range(3))
    facing = np.cross(b - a, c - a)
    assert np.einsum("ij,ikj->ik", facing, mesh.normals[mesh.triangles]).min() >= -1e-9


@pytest.mark.parametrize("name", CLOSED)
def test_a_closed_body_faces_outwards_and_has_its_volume(name: str) -> None:
    mesh, expected, share = CLOSED[name]
    assert volume(mesh) == pytest.approx(expected, rel=share)
    check_normals(mesh)
    # Every edge of a closed body is walked once each way.
    corners = np.unique(np.round(mesh.vertices, 5), axis=0, return_inverse=True)[1].ravel()
    faces = corners[mesh.triangles]
    edges = {tuple(e) for k in range(3) for e in faces[:, [k, (k + 1) % 3]] if e[0] != e[1]}
    assert all((b, a) in edges for a, b in edges)


@pytest.mark.parametrize("name", CLOSED)
def test_arrays_have_the_types_of_the_contract(name: str) -> None:
    mesh = CLOSED[name][0]
    for array in (mesh.vertices, mesh.normals, mesh.albedo, mesh.uv):
        assert array.dtype == np.float32
        assert array.flags.c_contiguous
    assert mesh.triangles.dtype == np.int32
    assert mesh.material.dtype == np.uint8
    assert len(mesh.vertices) == len(mesh.normals) == len(mesh.albedo) == len(mesh.uv)
    assert mesh.triangles.max() < len(mesh.vertices)


def test_a_body_stands_on_the_ground_and_has_its_size() -> None:
    for mesh in (box((1, 2, 3), GREY), box((1, 2, 3), GREY, bevel_m=0.1)):
        assert mesh.vertices.min(0) == pytest.approx((-0.5, -1, 0))
        assert mesh.vertices.max(0) == pytest.approx((0.5, 1, 3))


def test_a_box_has_its_texture_in_metres() -> None:
    mesh = box((1, 2, 3), GREY)
    for face in range(6):
        corners, uv = mesh.vertices[4 * face :][:4], mesh.uv[4 * face :][:4]
        for k in range(4):
            length = np.linalg.norm(corners[k] - corners[k - 1])
            assert np.linalg.norm(uv[k] - uv[k - 1]) == pytest.approx(length)


def test_colour_and_material_reach_the_mesh() -> None:
    mesh = cylinder(1, 1, "#804020", Material.METAL)
    assert mesh.albedo[0] == pytest.approx(linear("#804020"), abs=1e-6)
    assert mesh.albedo[0, 0] < mesh.albedo[0, 2], "blue comes first"
    assert set(mesh.material) == {Material.METAL}


def test_round_bodies_are_smooth_and_edges_are_sharp() -> None:
    ball = sphere(1, GREY)
    assert np.abs(ball.normals - ball.vertices).max() < 0.03
    drum = cylinder(1, 1, GREY)
    assert np.isin(np.round(np.abs(drum.normals[:, 2]), 5), (0, 1)).all()


def test_a_polygon_with_a_notch_is_covered_once() -> None:
    turned = [L_SHAPE[k:] + L_SHAPE[:k] for k in range(len(L_SHAPE))]
    for outline in turned + [points[::-1] for points in turned]:
        mesh = polygon(outline, GREY, z_m=0.5)
        a, b, c = (mesh.vertices[mesh.triangles[:, k]] for k in range(3))
        areas = np.cross((b - a)[:, :2], (c - a)[:, :2]) / 2
        assert (areas > 0).all()
        assert areas.sum() == pytest.approx(5.0)
    assert len(ears([(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (2.0, 1.0), (0.0, 4.0)])) == 3


def test_a_bent_tube_keeps_its_thickness() -> None:
    path = [(0, 0, 0), (0, 0, 1), (0, 0.5, 1.5), (0.5, 0.5, 2)]
    mesh = tube(path, 0.1, GREY, segments=8, caps=False)
    check_normals(mesh)
    rings = mesh.vertices.reshape(len(path), 9, 3)
    assert np.allclose(np.linalg.norm(rings - np.array(path)[:, None], axis=2), 0.1, atol=1e-5)


def test_headings_turn_clockwise_from_away() -> None:
    arrow = quad(np.array([(0, 0, 0), (0.1, 0, 0), (0.1, 1, 0), (0, 1, 0)]), GREY)
    assert placed(arrow, (2, 3), 90).vertices.max(0) == pytest.approx((3, 3, 0), abs=1e-6)
    assert placed(arrow, (2, 3, 4), 0).vertices.max(0) == pytest.approx((2.1, 4, 4), abs=1e-6)


def test_an_open_lathe_and_joining_keep_every_triangle() -> None:
    pieces = [lathe([(1, 0), (1, 1)], GREY, segments=6), box((1, 1, 1), GREY)]
    whole = joined(pieces)
    assert len(whole.triangles) == 12 + 12
    assert whole.triangles.max() == len(whole.vertices) - 1
