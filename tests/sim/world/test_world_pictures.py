"""Pictures and their truth: one world drawn, and asked."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import cv2
import numpy as np
import pytest

from sim.world.config import (
    CameraConfig,
    KnockConfig,
    LampConfig,
    LensConfig,
    LightConfig,
    PersonConfig,
    SensorConfig,
    StepConfig,
    StructureConfig,
    WeatherConfig,
    WorldConfig,
    ZoneConfig,
)
from sim.world.world import World

WIDTH, HEIGHT = 320, 180
CLEAN = {
    "lens": LensConfig(blur_px=0, vignette=0),
    "sensor": SensorConfig(noise=0, jpeg_quality=0, shutter_ms=0),
    "surroundings": False,
}


def stands(name: str, x: float, y: float, **more) -> PersonConfig:
    return PersonConfig(name=name, at_m=(x, y), script=[StepConfig(do="stand")], **more)


def taken(config: WorldConfig, t_ms: float = 0, seed: int = 1) -> tuple[World, np.ndarray]:
    world = World(config, WIDTH, HEIGHT, seed)
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    world.render(t_ms, pixels)
    return world, pixels


@pytest.fixture(scope="module")
def yard() -> tuple[World, np.ndarray]:
    zone = ZoneConfig(name="pit", polygon_m=[(-3, 8), (0, 8), (0, 12), (-3, 12)])
    people = [
        stands("open", -2.0, 10.0), stands("behind the wall", 2.5, 14.0),
        stands("half out", -7.2, 9.6), stands("away", 0.0, -8.0),
        stands("late", 1.0, 9.0, enter_ms=60_000),
    ]  # fmt: skip
    wall = StructureConfig(kind="wall", at_m=(2.5, 12.0), size_m=(4.0, 0.3, 3.2))
    return taken(WorldConfig(people=people, structures=[wall], zones=[zone], **CLEAN))


def test_a_person_in_the_open_is_seen_whole(yard):
    person = yard[0].truth().people[0]
    assert person.visible > 0.95 and person.in_view == 1.0
    assert person.zones == ("pit",)
    assert (person.keypoints[:, 2] > 0).all() and (person.keypoints[:, 2] == 2).sum() >= 8
    x1, y1, x2, y2 = person.box
    inside = (person.keypoints[:, :2] >= (x1 - 1, y1 - 1)) & (
        person.keypoints[:, :2] <= (x2 + 1, y2 + 1)
    )
    assert inside.all()


def test_a_box_is_the_outline_in_the_identity_buffer(yard):
    world, _ = yard
    scene, person = world.scene, world.truth().people[0]
    first, last = scene.span(0)
    rows, columns = np.nonzero((scene.ids >= first) & (scene.ids < last))
    view = scene.still.view
    ideal = np.stack([(columns + 0.5 - view[13]) / view[12], (rows + 0.5 - view[14]) / view[12]], 1)
    drawn = world.camera.distort(ideal)
    expected = [*drawn.min(0), *drawn.max(0)]
    assert np.abs(np.array(person.box) - expected).max() < 0.6
    assert np.abs(np.array(person.box) - world.brief().people[0].box).max() < 1.5


def test_who_stands_behind_a_wall_is_there_but_not_seen(yard):
    person = yard[0].truth().people[1]
    assert person.visible < 0.02 and person.visible_box is None and person.box is not None
    assert set(person.keypoints[:, 2]) <= {0, 1}
    assert person.helmet_box is None and person.head_box is None and person.vest_box is None


def test_who_is_half_outside_is_cut_and_who_is_outside_is_not_there(yard):
    people = {p.name: p for p in yard[0].truth().people}
    assert 0.0 < people["half out"].in_view < 1.0 and people["half out"].box[0] < 0.3
    assert people["away"].box is None and people["away"].in_view == 0.0
    assert "late" not in people


def test_the_shadow_falls_away_from_the_sun():
    at, difference = (0.0, 10.0), {}
    for side, heading in (("left", 90.0), ("right", -90.0)):
        light = LightConfig(hour=9.0, sun_from_deg=heading, cloud=0.0)
        world, empty = taken(WorldConfig(light=light, **CLEAN))
        _, picture = taken(WorldConfig(light=light, people=[stands("p", *at)], **CLEAN))
        foot = world.project(np.array([[*at, 0.0]]))[0].astype(int)
        band = np.s_[foot[1] - 3 : foot[1] + 4]
        darker = empty[band].astype(int).sum(2) - picture[band].astype(int).sum(2)
        left = (darker[:, : foot[0] - 5] > 30).sum()
        right = (darker[:, foot[0] + 5 :] > 30).sum()
        difference[side] = (left, right)
    assert difference["left"][0] > 20 > difference["left"][1]
    assert difference["right"][1] > 20 > difference["right"][0]


def test_without_sun_the_feet_still_darken_the_ground():
    light = LightConfig(hour=12.0, cloud=1.0)
    world, empty = taken(WorldConfig(light=light, **CLEAN))
    _, picture = taken(WorldConfig(light=light, people=[stands("p", 0.0, 10.0)], **CLEAN))
    x, y = world.project(np.array([[0.35, 10.0, 0.0]]))[0].astype(int)
    assert picture[y, x].sum() < 0.97 * empty[y, x].sum()


WALK = [StepConfig(do="walk", to_m=(3.0, 12.0)), StepConfig(do="stand")]
STORM = WorldConfig(
    weather=WeatherConfig(wind=0.8, rain=0.6),
    people=[PersonConfig(name="p", at_m=(-3.0, 9.0), script=WALK), stands("q", 1.0, 11.0)],
)


def storm_hash() -> str:
    """Of the picture at 1.7 s, in a fresh world."""
    return hashlib.sha256(taken(STORM, 1700, seed=7)[1].tobytes()).hexdigest()


def test_a_picture_depends_on_nothing_that_was_drawn_before():
    world, _ = taken(STORM, 400, seed=7)
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for t_ms in (5000, 1700, 0, 3300):
        world.render(t_ms, pixels)
    world.truth()
    world.render(1700, pixels)
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == storm_hash()


def test_another_process_takes_the_same_picture():
    code = "from tests.sim.world.test_world_pictures import storm_hash; print(storm_hash())"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100
    )
    assert answer.stdout.strip() == storm_hash()


def test_another_seed_or_time_is_another_picture():
    _, one = taken(STORM, 1700, seed=7)
    assert (one != taken(STORM, 1700, seed=8)[1]).any() and (
        one != taken(STORM, 1800, seed=7)[1]
    ).any()


def test_a_knock_moves_the_picture_as_the_homography_says():
    camera = CameraConfig(k1=0, k2=0, knocks=[KnockConfig(at_ms=1000, pan_deg=5, tilt_deg=-3)])
    crates = [StructureConfig(kind="crate", at_m=(x, 11.0)) for x in (-3.0, 0.0, 2.0)]
    world, before = taken(WorldConfig(camera=camera, structures=crates, **CLEAN))
    old = world.turn()
    after = np.zeros_like(before)
    world.render(1000, after)
    f, (cx, cy) = world.camera.focal_px, world.camera.centre_px
    lens = np.array([[f, 0, cx - 0.5], [0, f, cy - 0.5], [0, 0, 1]])
    way = lens @ world.turn() @ old.T @ np.linalg.inv(lens)
    moved = cv2.warpPerspective(before, way, (WIDTH, HEIGHT), borderValue=(1, 2, 3))
    known = (moved != (1, 2, 3)).any(2)
    error = np.abs(after.astype(int) - moved).max(2)[known]
    still = np.abs(after.astype(int) - before).max(2)[known]
    assert known.mean() > 0.6 and error.mean() < 3 and still.mean() > 3 * error.mean()


def test_lamps_go_out_one_after_the_other_and_come_back_when_time_does():
    lamps = [
        LampConfig(at_m=(-5, 3, 6), aim_m=(0, 8.5), power=3, off_ms=1000),
        LampConfig(at_m=(6, 4, 6), aim_m=(1, 9), power=2, off_ms=2000),
    ]
    night = WorldConfig(light=LightConfig(hour=23, lamps=lamps), **CLEAN)
    world, both = taken(night, 999)
    one, none, again = (np.zeros_like(both) for _ in range(3))
    world.render(1000, one)
    world.render(2000, none)
    world.render(999, again)
    assert both.mean() > 1.2 * one.mean() > 2 * none.mean()
    assert (again == both).all()


def test_truth_follows_the_sway():
    world, pixels = taken(STORM, 0, seed=7)
    boxes, places = [], []
    for t_ms in range(0, 4000, 400):
        world.render(t_ms, pixels)
        boxes.append(world.truth().people[1].box)
        places.append(world.project(np.array([[1.0, 11.0, 0.0]]))[0])
    shift = np.array(boxes)[:, 3] - np.array(places)[:, 1]
    assert np.ptp(np.array(places)[:, 1]) > 0.8
    assert np.ptp(shift) < 0.8
