"""Machines are where their path says, stand on the ground, and swing."""

import typing

import numpy as np
import pytest

from sim.scenery.machines import MODELS, Machine
from sim.world.config import MachineConfig, MachineKind, WaypointConfig

ALL = typing.get_args(MachineKind)
PATH = [
    WaypointConfig(at_ms=4000, to_m=(0, 12)),
    WaypointConfig(at_ms=6000, to_m=(0, 12)),
    WaypointConfig(at_ms=10000, to_m=(8, 12)),
]


def machine(kind: MachineKind, **more: object) -> Machine:
    return Machine(MachineConfig(name="m", kind=kind, at_m=(0, 4), **more), 7)  # type: ignore[arg-type]


def test_there_is_a_model_for_every_kind() -> None:
    assert set(MODELS) == set(ALL)


@pytest.mark.parametrize("kind", ALL)
def test_a_machine_stands_on_the_ground_within_its_height(kind: MachineKind) -> None:
    mesh = machine(kind).mesh
    assert mesh.vertices[:, 2].min() == pytest.approx(0.0, abs=0.02)
    assert 0.9 < mesh.vertices[:, 2].max() / MODELS[kind].height_m <= 1.0
    assert np.abs(np.linalg.norm(mesh.normals, axis=1) - 1).max() < 1e-4


@pytest.mark.parametrize("kind", ALL)
def test_what_is_near_the_ground_is_inside_the_footprint(kind: MachineKind) -> None:
    stands = machine(kind, heading_deg=0)
    low = stands.mesh.vertices[stands.mesh.vertices[:, 2] < 0.05]
    corners = np.array(stands.footprint_m)
    assert (low[:, :2] >= corners.min(0) - 0.05).all()
    assert (low[:, :2] <= corners.max(0) + 0.05).all()
    doubled = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    assert doubled == pytest.approx(np.prod(MODELS[kind].footprint_m)), "anticlockwise"


@pytest.mark.parametrize("kind", ALL)
def test_triangles_face_the_way_of_their_normals_in_every_pose(kind: MachineKind) -> None:
    moves = machine(kind, path=PATH, swing_deg=120)
    for t_ms in (0, 5000, 9000):
        moves.pose(t_ms)
        mesh = moves.mesh
        a, b, c = (mesh.vertices[mesh.triangles[:, k]].astype(np.float64) for k in range(3))
        mean = mesh.normals[mesh.triangles].mean(1)
        assert (np.einsum("ij,ij->i", np.cross(b - a, c - a), mean) > -1e-7).mean() > 0.99


@pytest.mark.parametrize("kind", ALL)
def test_a_machine_reaches_its_places_in_time(kind: MachineKind) -> None:
    moves = machine(kind, path=PATH)
    for t_ms, at in ((0, (0, 4)), (2000, (0, 8)), (4000, (0, 12)), (5000, (0, 12)),
                     (8000, (4, 12)), (10000, (8, 12)), (60000, (8, 12))):  # fmt: skip
        moves.pose(t_ms)
        assert moves.at_m == pytest.approx(at)
        centre = np.array(moves.footprint_m).mean(0)
        assert np.linalg.norm(centre - at) == pytest.approx(MODELS[kind].centre_m, abs=1e-6)


def test_it_turns_towards_its_next_place_without_a_jump() -> None:
    truck = machine("truck", path=PATH, heading_deg=-30)
    headings = []
    for t_ms in range(0, 12000, 50):
        truck.pose(t_ms)
        headings.append(truck.heading_deg)
    assert headings[0] == -30
    assert headings[3000 // 50] == pytest.approx(0)
    assert headings[-1] == pytest.approx(90)
    assert np.abs(np.diff(headings)).max() < 8


def test_a_pose_depends_on_its_time_alone_and_writes_in_place() -> None:
    one, other = (machine("excavator", path=PATH, swing_deg=90) for _ in range(2))
    arrays = (one.mesh.vertices, one.mesh.normals)
    for t_ms in (9000.0, 100.0, 3300.0):
        one.pose(t_ms)
    other.pose(3300.0)
    assert (one.mesh.vertices == other.mesh.vertices).all()
    assert (one.mesh.normals == other.mesh.normals).all()
    assert one.mesh.vertices is arrays[0]
    assert one.mesh.normals is arrays[1]


def test_an_excavator_swings_its_upper_part_only() -> None:
    digs = machine("excavator", swing_deg=90, swing_ms=8000)
    rest = digs.mesh.vertices.copy()
    arm = rest[:, 1].argmax()
    seen = []
    for t_ms in (2000, 6000, 8000):
        digs.pose(t_ms)
        turned = digs.mesh.vertices[arm, :2] - (0, 4)
        seen.append(
            np.degrees(np.arctan2(*turned)) - np.degrees(np.arctan2(*(rest[arm, :2] - (0, 4))))
        )
        low = rest[:, 2] < 0.3
        on_ground = low & (np.abs(rest[:, 1] - 4) < 2.0)
        assert digs.mesh.vertices[on_ground] == pytest.approx(rest[on_ground], abs=1e-4)
    assert seen[0] == pytest.approx(-45, abs=6)
    assert seen[1] == pytest.approx(45, abs=6)
    assert seen[2] == pytest.approx(0, abs=1e-3)
    still = machine("excavator")
    still.pose(2000)
    assert (still.mesh.vertices == rest).all()


def test_wheels_roll_as_far_as_the_truck_drives() -> None:
    truck = machine("truck", path=PATH)
    truck.pose(1000)
    rim = truck.mesh.vertices[:, 2].copy()
    truck.pose(1500)
    assert np.abs(truck.mesh.vertices[:, 2] - rim).max() > 0.3
    assert truck.mesh.vertices[:, 2].min() == pytest.approx(0, abs=0.02)
