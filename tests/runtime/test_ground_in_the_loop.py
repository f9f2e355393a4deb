"""Where the shipped networks and the ground plane put people, against where they are drawn."""

from __future__ import annotations

from itertools import combinations
from math import dist

import numpy as np
import pytest

from drivers.board import load_board
from models.detector import Detector
from models.package import find_package, load_package
from models.signature import open_session
from models.skeleton import SkeletonNetwork
from models.tables import Detections
from runtime.feet import Feet
from runtime.ground import fit_ground
from runtime.people import People
from runtime.plugins import driver
from runtime.posture_form import torso_length
from runtime.rules.places import Places
from runtime.site import GroundConfig
from runtime.tables import Tracks
from sim.scenario.survey import measure
from sim.scenario.world import make_world
from sim.world.config import CameraConfig, PersonConfig, StepConfig, WorldConfig
from tests.machine import BOARD

SIZE = 640, 360
PLACES = [(-2.6, 7.0), (0.2, 8.4), (2.4, 10.2)]
TURNS = [0.0, 90.0, 200.0]
BOX_M, FEET_M, APART_M = 0.4, 0.15, 0.15
"""Allowed medians: of places by boxes, by ankles, and of distances between two people."""


@pytest.fixture(scope="module")
def found():
    """Per person and picture: true place, place by the box, place by the feet; metres."""
    camera = CameraConfig(height_m=3.4, tilt_deg=17.5, focal_mm=5.6)
    board = load_board(BOARD)
    npu = driver("npu", board.npu.driver)(board.npu)
    package = load_package(find_package("ppe_s"), npu.target)
    session = open_session(package, npu)
    people = People(package.info.classes, "ppe_s", 32)
    detector = Detector(
        package, session, *SIZE, people.found.capacity, package.info.thresholds.score
    )
    joints = load_package(find_package("skeleton_s"), npu.target)
    network = SkeletonNetwork(joints, open_session(joints, npu), *SIZE)
    pixels, detections = np.zeros((SIZE[1], SIZE[0], 3), np.uint8), Detections(32)
    rows = []
    for turn in TURNS:
        cast = [
            PersonConfig(name=f"p{i}", at_m=at, heading_deg=turn, script=[StepConfig(do="stand")])
            for i, at in enumerate(PLACES)
        ]
        world = make_world(WorldConfig(camera=camera, people=cast), *SIZE, 5)
        ground = fit_ground(GroundConfig(**measure(world.config, world.project_ground, SIZE)))
        world.render(1000.0, pixels)
        detector.prepare(pixels)
        session.invoke()
        detector.decode(people.found)
        people.part(detections, Detections(32))
        for person in world.brief().people:
            box = max(detections.boxes[: detections.count], key=lambda b: overlap(b, person.box))
            if overlap(box, person.box) > 0.5:
                rows.append((turn, person.foot_m, *places(box, pixels, network, ground.homography)))
    assert len(rows) >= 7
    return rows


def overlap(a, b) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def places(box, pixels, network, homography):
    """(by the box, by the feet) on the ground."""
    tracks, feet = Tracks(1), Feet(1)
    tracks.state[0], tracks.boxes[0] = 2, box
    tracks.foot[0] = (box[0] + box[2]) / 2, box[3]
    tracks.refresh_live()
    result = []
    joints = np.zeros((17, 3), np.float32)
    network.look(pixels, tracks.boxes[0], joints)
    for see in (False, True):
        if see:
            feet.see(0, tracks, joints, torso_length(joints.tolist()), 0.0)
            feet.plant(tracks, 0.0)
        ground = Places(homography, 1)
        ground.update(tracks, [0], 0.0)
        result.append((ground.x[0], ground.y[0]))
    return result


def test_people_are_where_they_are(found, record_property):
    by_box = np.median([dist(true, box) for _, true, box, _ in found])
    by_feet = np.median([dist(true, feet) for _, true, _, feet in found])
    print(f"{len(found)} people, medians: box {by_box:.2f} m off, feet {by_feet:.2f} m off")
    record_property("box_m", float(by_box))
    record_property("feet_m", float(by_feet))
    assert by_box <= BOX_M
    assert by_feet <= FEET_M
    assert by_feet < by_box


def test_distances_between_people_are_true(found, record_property):
    off = [
        abs(dist(one[3], other[3]) - dist(one[1], other[1]))
        for one, other in combinations(found, 2)
        if one[0] == other[0]
    ]
    print(f"{len(off)} pairs: {np.median(off):.2f} m off, at most {max(off):.2f} m")
    record_property("apart_m", float(np.median(off)))
    assert len(off) >= 5
    assert np.median(off) <= APART_M
