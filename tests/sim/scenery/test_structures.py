"""Every kind of structure stands where, and is as large as, the configuration says."""

import math
import typing

import msgspec
import numpy as np
import pytest

from sim.scenery.build import KINDS, ground, structure, structures
from sim.world.config import (
    LampConfig,
    LightConfig,
    MachineConfig,
    StructureConfig,
    StructureKind,
    WaypointConfig,
    WeatherConfig,
    WorldConfig,
    ZoneConfig,
)  # fmt: skip
from sim.world.materials import Material
from sim.world.mesh import Mesh, joined

ALL = typing.get_args(StructureKind)
MOST_TRIANGLES = 40_000
ZONE = ZoneConfig(name="pit", polygon_m=[(-3, 6), (3, 6), (3, 11), (-3, 11)])


def built(kind: StructureKind, **more: object) -> Mesh:
    return structure(msgspec.convert({"kind": kind, "at_m": (0, 0), **more}, StructureConfig), 5)


def check_mesh(mesh: Mesh) -> None:
    for array in (mesh.vertices, mesh.normals, mesh.albedo, mesh.uv):
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
    assert np.abs(np.linalg.norm(mesh.normals, axis=1) - 1).max() < 1e-4
    assert mesh.albedo.min() >= 0
    assert mesh.albedo.max() <= 1
    assert mesh.triangles.max() < len(mesh.vertices)


def test_there_is_a_builder_for_every_kind() -> None:
    assert set(KINDS) == set(ALL)


@pytest.mark.parametrize("kind", ALL)
def test_a_structure_fills_its_size_and_stands_on_the_ground(kind: StructureKind) -> None:
    for size in (KINDS[kind].size_m, (2.0, 1.5, 2.2)):
        for seed in (1, 2, 3):
            mesh = structure(StructureConfig(kind=kind, at_m=(0, 0), size_m=size), seed)
            check_mesh(mesh)
            assert mesh.vertices.min(0) == pytest.approx((-size[0] / 2, -size[1] / 2, 0), abs=1e-4)
            assert mesh.vertices.max(0) == pytest.approx(
                (size[0] / 2, size[1] / 2, size[2]), abs=1e-4
            )


@pytest.mark.parametrize("kind", ALL)
def test_triangles_face_the_way_of_their_normals(kind: StructureKind) -> None:
    mesh = built(kind)
    a, b, c = (mesh.vertices[mesh.triangles[:, k]].astype(np.float64) for k in range(3))
    facing = np.cross(b - a, c - a)
    mean = mesh.normals[mesh.triangles].mean(1)
    assert (np.einsum("ij,ij->i", facing, mean) > -1e-7).mean() > 0.99


def test_a_structure_stands_at_its_place_and_heading() -> None:
    mesh = built("container", at_m=(4, 9), heading_deg=90)
    low, high = mesh.vertices.min(0), mesh.vertices.max(0)
    assert (low + high)[:2] / 2 == pytest.approx((4, 9), abs=1e-3)
    assert high[0] - low[0] == pytest.approx(2.44, abs=1e-3)
    assert high[1] - low[1] == pytest.approx(6.06, abs=1e-3)


def test_a_given_colour_is_used() -> None:
    blue = built("barrel", colour="#2040c0").albedo.mean(0)
    red = built("barrel", colour="#c02020").albedo.mean(0)
    assert blue[0] > 2 * blue[2]
    assert red[2] > 2 * red[0]


def test_seeds_vary_and_repeat() -> None:
    config = StructureConfig(kind="pallets", at_m=(0, 0))
    first, again, other = (structure(config, seed) for seed in (1, 1, 2))
    assert (first.vertices == again.vertices).all()
    assert (first.albedo == again.albedo).all()
    assert first.albedo.shape != other.albedo.shape or (first.albedo != other.albedo).any()


def test_a_full_site_keeps_to_the_budget() -> None:
    things = [StructureConfig(kind=kind, at_m=(3.0 * k - 24, 14)) for k, kind in enumerate(ALL)]
    config = WorldConfig(structures=things, zones=[ZONE], wet=1.0)
    for seed in (1, 2):
        parts = [ground(config, seed), *structures(config, seed)]
        assert sum(len(mesh.triangles) for mesh in parts) <= MOST_TRIANGLES
        for mesh in parts:
            check_mesh(mesh)


def test_surroundings_are_far_and_can_be_left_out() -> None:
    config = WorldConfig(structures=[StructureConfig(kind="crate", at_m=(2, 8))])
    around = joined(structures(config, 1)[1:])
    far = np.hypot(around.vertices[:, 0], around.vertices[:, 1] - 16)
    assert far.min() > 12
    assert around.vertices[:, 2].max() > 8
    bare = structures(msgspec.structs.replace(config, surroundings=False), 1)
    assert sum(len(mesh.triangles) for mesh in bare) < 400


def test_the_hoarding_stands_around_everything_on_the_site() -> None:
    way = [WaypointConfig(at_ms=9000, to_m=(45, 16))]
    machine = MachineConfig(name="t", kind="truck", at_m=(0, 16), path=way)
    hoarding = structures(WorldConfig(machines=[machine]), 1)[0]
    assert hoarding.vertices[:, 0].max() > 46


def test_lamps_hang_where_they_shine() -> None:
    lamp = LampConfig(at_m=(3, 7, 5), aim_m=(0, 9))
    for on in (True, False):
        lamps = [msgspec.structs.replace(lamp, on=on)]
        config = WorldConfig(surroundings=False, light=LightConfig(lamps=lamps))
        post = structures(config, 1)[0]
        glass = post.triangles[post.material == Material.LAMP]
        assert (len(glass) > 0) == on
        assert post.vertices[:, 2].min() == pytest.approx(0.0, abs=0.03)
        if on:
            middle = post.vertices[glass].mean((0, 1))
            assert np.linalg.norm(middle - (3, 7, 5)) < 0.2
            towards = np.array([0 - 3, 9 - 7, -5]) / math.sqrt(38)
            assert post.normals[glass[0, 0]] @ towards > 0.95


def test_a_zone_is_painted_where_it_is_unless_it_is_not_marked() -> None:
    config = WorldConfig(surroundings=False, zones=[ZONE])
    paint = structures(config, 1)[0]
    assert paint.vertices[:, :2].min(0) == pytest.approx((-3, 6), abs=0.15)
    assert paint.vertices[:, :2].max(0) == pytest.approx((3, 11), abs=0.15)
    assert 0 < paint.vertices[:, 2].max() < 0.02
    assert (paint.normals[:, 2] == 1).all()
    hidden = [msgspec.structs.replace(ZONE, marked=False)]
    assert len(joined(structures(msgspec.structs.replace(config, zones=hidden), 1)).triangles) == 0


def test_a_machine_has_a_lane_on_hard_ground_only() -> None:
    way = [WaypointConfig(at_ms=9000, to_m=(0, 20))]
    machine = MachineConfig(name="f", kind="forklift", at_m=(0, 8), path=way)
    lane = structures(WorldConfig(surroundings=False, machines=[machine]), 1)[0]
    assert lane.vertices[:, :2].min(0) == pytest.approx((-1.95, 8), abs=0.01)
    assert 17 < lane.vertices[:, 1].max() <= 20
    dirt = WorldConfig(surroundings=False, machines=[machine], ground="dirt")
    assert structures(dirt, 1) == []


def test_the_ground_is_flat_reaches_far_and_faces_up() -> None:
    mesh = ground(WorldConfig(wet=0.8), 3)
    check_mesh(mesh)
    assert (mesh.normals == (0, 0, 1)).all()
    assert mesh.vertices[:, 2].min() == 0
    assert mesh.vertices[:, 2].max() < 0.01
    assert np.abs(mesh.vertices[:, :2]).max() > 150
    a, b, c = (mesh.vertices[mesh.triangles[:, k]].astype(np.float64) for k in range(3))
    assert np.cross((b - a)[:, :2], (c - a)[:, :2]).min() > 0


def test_weather_colours_the_ground() -> None:
    dry = ground(WorldConfig(), 3).albedo.mean()
    wet = ground(WorldConfig(wet=1.0), 3).albedo.mean()
    white = ground(WorldConfig(weather=WeatherConfig(snow=0.8)), 3).albedo.mean()
    assert wet < 0.75 * dry
    assert white > 2 * dry


def test_snow_lies_on_what_faces_up() -> None:
    crate = StructureConfig(kind="crate", at_m=(0, 5), size_m=(1, 1, 1))
    clear = WorldConfig(surroundings=False, structures=[crate])
    snowy = msgspec.structs.replace(clear, weather=WeatherConfig(snow=0.8))
    before, after = structures(clear, 1)[0], structures(snowy, 1)[0]
    top, side = before.normals[:, 2] > 0.9, np.abs(before.normals[:, 2]) < 0.1
    assert after.albedo[top].mean() > 1.5 * before.albedo[top].mean()
    assert after.albedo[side] == pytest.approx(before.albedo[side])
