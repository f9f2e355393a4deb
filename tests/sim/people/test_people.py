"""People stand on the ground, bend within their joints, keep their limbs and follow the script."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from sim.people.person import Person
from sim.people.rig import FOREARM, SHANK, THIGH, UPPER_ARM, Bone, limits
from sim.world.config import Action, Doing, PersonConfig, StepConfig
from sim.world.truth import COCO_KEYPOINTS

STEP_MS = 40
TOUCH_M = 0.02
SLIDE_M = 0.03
IN_THE_AIR = ("climb", "climb_down")
K = {name: i for i, name in enumerate(COCO_KEYPOINTS)}


def _step(do: str, **more) -> StepConfig:
    if do in ("walk", "run", "crawl"):
        more.setdefault("to_m", (2.5, 3.0))
    if do == "climb":
        more.setdefault("to_height_m", 2.0)
    return StepConfig(do=do, **more)


def _person(*steps: StepConfig, seed: int = 5, **more) -> Person:
    return Person(PersonConfig(name="kim", at_m=(0.5, 1.0), script=list(steps), **more), seed)


def _before(do: str) -> list[StepConfig]:
    match do:
        case "climb_down":
            return [_step("climb")]
        case "get_up":
            return [_step("fall", for_ms=1500)]
        case _:
            return [_step("stand", for_ms=400)]


def _acting(do: str, seed: int = 5) -> Person:
    return _person(*_before(do), _step(do), _step("stand"), seed=seed)


def _moments(end_ms: int = 12_000, step_ms: int = STEP_MS) -> range:
    return range(0, end_ms, step_ms)


@pytest.mark.parametrize("do", get_args(Doing))
def test_every_doing_is_a_finite_body_with_an_action_of_the_student(do):
    person = _acting(do)
    for t in _moments(step_ms=170):
        person.pose(t)
        assert person.action in get_args(Action)
        assert np.isfinite(person.mesh.vertices).all()
        length = np.linalg.norm(person.mesh.normals, axis=1)
        assert abs(length - 1).max() < 1e-3
        spread = np.ptp(person.mesh.vertices[: person.body_vertices], axis=0)
        assert 0.2 < spread.max() < 2.6


@pytest.mark.parametrize("do", [do for do in get_args(Doing) if do not in IN_THE_AIR])
def test_the_lowest_part_touches_the_ground(do):
    flying = 0.10 if do == "run" else TOUCH_M
    for seed in (1, 2):
        person = _acting(do, seed)
        for t in _moments():
            person.pose(t)
            lowest = person.mesh.vertices[:, 2].min()
            assert -TOUCH_M < lowest < flying, (t, person.action, lowest)


@pytest.mark.parametrize("do", get_args(Doing))
def test_no_joint_leaves_its_range(do):
    low, high = limits()
    person = _acting(do)
    reached = []
    for t in _moments(step_ms=90):
        person.pose(t)
        pose = person._pose
        reached.append(np.maximum(low - pose, pose - high).max())
    # a limb that reaches for a place may pass a limit that was set for a free one, but not by much
    assert max(reached) < 15.0


@pytest.mark.parametrize("do", get_args(Doing))
def test_limbs_keep_their_length(do):
    person = _acting(do)
    height = person.look.height_m
    bones = [
        ("shoulder", "elbow", UPPER_ARM), ("elbow", "wrist", FOREARM), ("hip", "knee", THIGH),
        ("knee", "ankle", SHANK),
    ]  # fmt: skip
    for t in _moments(step_ms=170):
        person.pose(t)
        for side in ("left", "right"):
            for start, end, share in bones:
                ends = person.keypoints_m[[K[f"{side}_{start}"], K[f"{side}_{end}"]]]
                assert np.linalg.norm(ends[1] - ends[0]) == pytest.approx(share * height, rel=1e-6)


@pytest.mark.parametrize("do", get_args(Doing))
def test_keypoints_are_in_or_near_the_body(do):
    person = _acting(do)
    for t in _moments(step_ms=500):
        person.pose(t)
        body = person.mesh.vertices[: person.body_vertices]
        for point in person.keypoints_m:
            assert np.linalg.norm(body - point, axis=1).min() < 0.11


@pytest.mark.parametrize("heading", [0, 90, 200])
def test_left_is_left(heading):
    person = _person(_step("stand"), heading_deg=heading)
    person.pose(1000)
    right_hand = np.array([np.cos(np.radians(heading)), -np.sin(np.radians(heading)), 0])
    forward = np.array([np.sin(np.radians(heading)), np.cos(np.radians(heading)), 0])
    points = person.keypoints_m
    for part in ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        if part in ("eye", "ear"):
            continue
        across = points[K[f"right_{part}"]] - points[K[f"left_{part}"]]
        assert across @ right_hand > 0.05
    assert (points[K["nose"]] - points[K["left_ear"]]) @ forward > 0.01


@pytest.mark.parametrize("do", ["walk", "run"])
def test_a_standing_foot_does_not_slide(do):
    person = _person(_step(do, to_m=(6.0, 4.0)), seed=3)
    foot = person.script._plan.feet
    for side, ball in ((0, Bone.L_TOE), (1, Bone.R_TOE)):
        for plant in foot.plants[side][1:]:
            leave = min(plant.leave_ms, plant.land_ms + 900)
            places = []
            # from when the sole is flat until the toes leave: the ball of the foot stays
            for t in np.linspace(plant.land_ms + 0.17 * (leave - plant.land_ms), leave - 1, 20):
                person.pose(float(t))
                places.append(person._at[ball, :2].copy())
            assert np.hypot(*np.ptp(np.array(places), axis=0)) < SLIDE_M, (side, plant)


@pytest.mark.parametrize("speed", [0.7, 1.3, 1.9])
def test_walking_arrives_when_its_speed_says(speed):
    person = _person(_step("walk", to_m=(0.5, 7.0), speed_m_s=speed), _step("stand"), heading_deg=0)
    arrives = 1000 * 6.0 / speed
    person.pose(arrives - 600)
    assert person.action == "walk"
    person.pose(arrives + 200)
    assert person.action == "stand"
    assert np.hypot(person.foot_m[0] - 0.5, person.foot_m[1] - 7.0) < 0.05
    person.pose(arrives / 2)
    assert person.speed_m_s == pytest.approx(speed, rel=0.25)


def test_for_ms_gives_a_walk_its_time():
    person = _person(_step("walk", to_m=(0.5, 5.0), for_ms=5000), _step("stand"), heading_deg=0)
    person.pose(4500)
    assert person.action == "walk"
    person.pose(5050)
    assert person.action == "stand" and abs(person.foot_m[1] - 5.0) < 0.06


def test_any_order_of_times_gives_the_same_moment():
    one, two = _acting("bend", 4), _acting("bend", 4)
    times = [0, 400, 900, 2000, 5200, 7000]
    forwards = {}
    for t in times:
        one.pose(t)
        forwards[t] = one.mesh.vertices.copy(), one.keypoints_m.copy(), one.action
    for t in reversed(times):
        two.pose(t)
        assert (two.mesh.vertices == forwards[t][0]).all()
        assert (two.keypoints_m == forwards[t][1]).all() and two.action == forwards[t][2]


def test_nobody_is_like_the_next():
    one, two = _person(_step("stand"), seed=1), _person(_step("stand"), seed=2)
    assert one.look != two.look
    one.pose(1000)
    mine = one.keypoints_m.copy()
    two.pose(1000)
    assert abs(mine - two.keypoints_m).max() > 0.01


@pytest.mark.parametrize("do", [do for do in get_args(Doing) if do not in ("fall", "run")])
def test_nothing_jumps(do):
    person = _acting(do)
    last = None
    for t in _moments(step_ms=20):
        person.pose(t)
        points = person.keypoints_m.copy()
        if last is not None and person.action != "fall":
            assert abs(points - last).max() < 0.16, (t, person.action)
        last = points


@pytest.mark.parametrize("direction", ["forward", "back", "left", "right"])
def test_a_fall_takes_about_a_second_and_ends_lying(direction):
    person = _person(_step("stand", for_ms=1000), _step("fall", direction=direction), heading_deg=0)
    first = {}
    for t in range(900, 4000, 20):
        person.pose(t)
        first.setdefault(person.action, t)
    assert 700 <= first["lie"] - first["fall"] <= 1150
    head, hips = person.keypoints_m[K["nose"]], person.keypoints_m[K["left_hip"]]
    assert head[2] < 0.5 and hips[2] < 0.5
    way = {"forward": (0, 1), "back": (0, -1), "left": (-1, 0), "right": (1, 0)}[direction]
    assert (head[:2] - np.array([0.5, 1.0])) @ way > 0.7


def test_who_falls_from_a_ladder_falls_as_fast_as_anything():
    person = _person(_step("climb", to_height_m=3.0), _step("fall", direction="back"))
    person.pose(12_000)
    start = next(t for t in range(0, 20_000, 10) if _at(person, t) == "fall")
    end = next(t for t in range(start, start + 3000, 10) if _at(person, t) == "lie")
    free = 1000 * np.sqrt(2 * 3.0 / 9.81)
    assert free < end - start < free + 600
    person.pose(end + 500)
    assert person.height_m == 0 and person.mesh.vertices[:, 2].max() < 0.7


def _at(person: Person, t_ms: float) -> str:
    person.pose(t_ms)
    return person.action


def test_climbing_goes_up_the_ladder_and_down_again():
    person = _person(
        _step("climb", to_height_m=2.0), _step("climb_down"), _step("stand"), heading_deg=0
    )
    heights = []
    for t in range(0, 20_000, 50):
        person.pose(t)
        heights.append(person.height_m)
    assert max(heights) == pytest.approx(2.0, abs=0.35)
    assert heights[-1] == 0 and person.action == "stand"
    assert person.foot_m[1] == pytest.approx(1.0, abs=0.1)


def test_helmet_off_is_true_from_the_middle_of_the_motion():
    person = _person(_step("stand", for_ms=1000), _step("helmet_off"), _step("stand"))
    worn = []
    for t in range(0, 5000, 20):
        person.pose(t)
        worn.append(person.helmet)
    off = worn.index(False) * 20
    assert 1500 < off < 2400 and not any(worn[off // 20 :])
    wrist = person.keypoints_m[K["right_wrist"]].copy()
    person.pose(off)
    nose = person.keypoints_m[K["nose"]]
    assert np.linalg.norm(person.keypoints_m[K["right_wrist"]] - nose) < 0.45
    assert wrist[2] < 1.2


def test_vest_on_covers_the_trunk():
    person = _person(_step("vest_on"), _step("stand"), vest=False)
    person.pose(0)
    assert not person.vest
    before = person.mesh.vertices.copy()
    person.pose(4000)
    assert person.vest
    assert abs(before - person.mesh.vertices).max() > 0.3


def test_a_load_is_no_part_of_the_body():
    bare, laden = _person(_step("stand")), _person(_step("stand"), carries="box")
    assert laden.body_vertices == bare.body_vertices == len(bare.mesh.vertices)
    assert laden.body_triangles < len(laden.mesh.triangles)
    assert laden.mesh.triangles[: laden.body_triangles].max() < laden.body_vertices
    laden.pose(1000)
    load = laden.mesh.vertices[laden.body_vertices :].mean(0)
    hands = laden.keypoints_m[[K["left_wrist"], K["right_wrist"]]].mean(0)
    assert np.linalg.norm(load - hands) < 0.4


def test_presence_is_from_enter_to_leave():
    person = _person(_step("stand"), enter_ms=1000, leave_ms=3000)
    seen = []
    for t in (0, 999, 1000, 2999, 3000):
        person.pose(t)
        seen.append(person.present)
        assert np.isfinite(person.keypoints_m).all()
    assert seen == [False, False, True, True, False]


def test_triangles_face_outwards():
    person = _person(_step("stand"), carries="bucket")
    person.pose(500)
    mesh = person.mesh
    corners = mesh.vertices[mesh.triangles].astype(float)
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    size = np.linalg.norm(faces, axis=1)
    real = size > 1e-7
    agree = (faces * mesh.normals[mesh.triangles].mean(1)).sum(1)[real] > 0
    assert agree.mean() > 0.97
