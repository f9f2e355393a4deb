"""Random worlds: the same from the same seed, plausible, and all kinds of them."""

from __future__ import annotations

import random
from collections import Counter
from typing import get_args

import msgspec
import pytest

from sim.dataset.plan import Footprint, Plan, pixels
from sim.dataset.randomise import FIRST_MS, LAST_MS, random_moments, random_world
from sim.world.config import CameraConfig, Doing, StructureKind, WorldConfig

SEEDS = range(300)
ASPECT = 16 / 9


@pytest.fixture(scope="module")
def worlds() -> list[WorldConfig]:
    return [random_world(seed) for seed in SEEDS]


def test_the_same_seed_gives_the_same_world(worlds):
    random.seed(5)
    random.random()
    assert [random_world(seed) for seed in range(20)] == worlds[:20]
    assert len({msgspec.json.encode(world) for world in worlds}) == len(worlds)


def test_a_world_is_one_that_a_scenario_file_could_hold(worlds):
    for world in worlds:
        assert msgspec.convert(msgspec.to_builtins(world), WorldConfig) == world


def test_everything_that_people_can_do_is_done(worlds):
    done = Counter(
        action
        for world in worlds
        for person in world.people
        for action in {step.do for step in person.script}
    )
    on_and_off = {"helmet_on", "helmet_off", "vest_on", "vest_off", "get_up"}
    missing = set(get_args(Doing)) - on_and_off - set(done)
    assert missing == set()
    assert min(done.values()) >= 15


def test_falls_bare_heads_and_what_only_looks_like_a_fall_have_their_share(worlds):
    people = [person for world in worlds for person in world.people]
    does = Counter(step.do for person in people for step in person.script)
    assert does["fall"] + does["lie"] >= 0.08 * len(people)
    assert does["sit"] + does["squat"] + does["tie_shoes"] >= 0.1 * len(people)
    for wears in ("helmet", "vest"):
        share = sum(getattr(person, wears) for person in people) / len(people)
        assert 0.3 < share < 0.85
    assert any(person.carries for person in people)


def test_there_is_every_light_and_weather(worlds):
    night = [world for world in worlds if not 5.5 <= world.light.hour <= 18.5]
    assert 0.08 < len(night) / len(worlds) < 0.35
    assert all(world.light.lamps for world in night)
    for kind in ("rain", "snow", "wind", "visibility_m"):
        assert 0.04 < sum(getattr(world.weather, kind) > 0 for world in worlds) / len(worlds) < 0.5
    assert any(world.lens.dust > 0.2 for world in worlds)
    assert any(world.lens.drops > 0.2 for world in worlds)


def test_there_is_every_thing_and_every_number_of_people(worlds):
    kinds = Counter(thing.kind for world in worlds for thing in world.structures)
    assert set(kinds) == set(get_args(StructureKind))
    assert {machine.kind for world in worlds for machine in world.machines} == {
        "excavator", "forklift", "truck",
    }  # fmt: skip
    assert {len(world.people) for world in worlds} == set(range(9))


def test_nothing_stands_in_anything_else(worlds):
    for world in worlds:
        prints = [
            Footprint(thing.at_m, thing.heading_deg, thing.size_m[0], thing.size_m[1])
            for thing in world.structures
        ]
        for index, one in enumerate(prints):
            assert not any(one.meets(other, -0.01) for other in prints[index + 1 :])
            assert not one.holds(world.camera.at_m, 3.0)


def test_nobody_begins_inside_a_thing(worlds):
    for world in worlds:
        for person in world.people:
            if person.script[0].do == "sit" or any(s.do == "climb" for s in person.script):
                continue
            for thing in world.structures:
                stands = Footprint(thing.at_m, thing.heading_deg, *thing.size_m[:2])
                assert not stands.holds(person.at_m, 0.1), (person.name, thing.kind)


def test_people_are_in_the_picture(worlds):
    places = [
        pixels(world.camera, person.at_m, 0.9, ASPECT)
        for world in worlds
        for person in world.people
    ]
    inside = [p is not None and 0 <= p[0] <= 1 and 0 <= p[1] <= 1 for p in places]
    assert sum(inside) / len(inside) > 0.97


def test_moments_come_in_order_and_a_fall_is_seen(worlds):
    for seed in range(50):
        moments = random_moments(seed)
        assert moments == sorted(moments)
        assert moments[0] >= FIRST_MS and moments[-1] <= LAST_MS


@pytest.mark.parametrize(
    ("point", "height_m", "where"),
    [
        ((0.0, 4.5), 0.0, (0.5, 0.5)),  # 45 degrees down meets the ground at its own height ahead
        ((0.0, 0.0), 4.5, None),  # the lens itself
        ((4.5, 4.5), 0.0, (0.5 + 4 / 5.6 / 2**0.5, 0.5)),
    ],
)
def test_places_in_the_picture_follow_the_pinhole(point, height_m, where):
    camera = CameraConfig(height_m=4.5, tilt_deg=45.0)
    found = pixels(camera, point, height_m, ASPECT)
    assert found == where if where is None else found == pytest.approx(where, abs=1e-6)


def test_a_turned_rectangle_holds_what_it_should():
    turned = Footprint((1.0, 2.0), 90.0, 4.0, 1.0)  # long along y now
    assert turned.holds((1.0, 3.9)) and not turned.holds((2.9, 2.0))
    assert turned.outer(*turned.local((5.0, 7.0))) == pytest.approx((5.0, 7.0))
    assert turned.meets(Footprint((1.0, 4.5), 0.0, 1.2, 1.2), 0.0)
    assert not turned.meets(Footprint((2.4, 2.0), 0.0, 1.2, 1.2), 0.0)


def test_what_is_high_hides_and_what_is_low_does_not():
    plan = Plan(CameraConfig(height_m=4.0))
    plan.taken.append(Footprint((0.0, 8.0), 0.0, 4.0, 1.0, 2.6))
    assert not plan.is_in_sight((0.0, 9.5))
    assert plan.is_in_sight((3.5, 9.5))
    plan.taken[0] = Footprint((0.0, 8.0), 0.0, 4.0, 1.0, 0.5)
    assert plan.is_in_sight((0.0, 9.5))
    assert not plan.is_walkable((-3.0, 8.0), (3.0, 8.0))
    assert plan.is_walkable((-3.0, 7.0), (3.0, 7.0))
