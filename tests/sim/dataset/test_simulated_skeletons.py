"""Simulated skeletons as a file: bodies shared by scripts, cameras, names, who is held out."""

from __future__ import annotations

import time
from typing import get_args

import numpy as np
import pytest

from sim.dataset.seen_as import names_of
from sim.dataset.skeletons import DOINGS, cameras, look, member, people, rows_of
from sim.people.person import Person
from sim.world.config import Action, PersonConfig, StepConfig

LEAST_ROWS_A_SECOND = 300
"""Far below what it does (about 4,000), far above a new body for every script (about 250)."""


def _config(*steps: StepConfig, **more) -> PersonConfig:
    return PersonConfig(name="kim", at_m=(0.5, 1.0), script=list(steps), **more)


def test_a_body_that_follows_another_script_moves_as_a_new_one_does() -> None:
    person = member(3)
    person.follow(_config(StepConfig(do="sit", to_height_m=0.5)), 8)
    steps = StepConfig(do="stand", for_ms=400), StepConfig(do="fall", direction="left")
    person.follow(_config(*steps), 9)
    own = Person(_config(*steps, height_m=person.look.height_m), 9)
    for t_ms in range(0, 4000, 170):
        person.pose(t_ms)
        own.pose(t_ms)
        assert person.action == own.action
        assert person.keypoints_m == pytest.approx(own.keypoints_m, abs=0.04)


def test_the_same_body_in_the_same_script_is_the_same_to_the_bit() -> None:
    steps = StepConfig(do="stand", for_ms=400), StepConfig(do="lie", direction="back")
    config = _config(*steps)
    fresh, used = Person(config, 4), Person(config, 4)
    used.follow(_config(StepConfig(do="squat")), 5)
    used.pose(3000)
    used.follow(config, 4)
    for t_ms in (0, 900, 2600, 8000):
        fresh.pose(t_ms)
        used.pose(t_ms)
        assert (fresh.keypoints_m == used.keypoints_m).all()
        assert (fresh.mesh.vertices == used.mesh.vertices).all()


def test_a_file_holds_every_doing_and_holds_people_out_whole() -> None:
    held = people(2, 8 * 5 * len(DOINGS))
    again = people(2, 8 * 5 * len(DOINGS))
    assert all((held[key] == again[key]).all() for key in held)
    assert set(held["doing"]) == set(DOINGS)
    names = {name for names in held["action"] for name in str(names).split("|")}
    assert names == set(get_args(Action))
    out = set(held["group"][held["held_out"]])
    assert out
    assert not out & set(held["group"][~held["held_out"]])
    assert np.isfinite(held["keypoints"]).all()
    assert held["keypoints"].dtype == np.float32


def test_thousands_a_minute_are_made() -> None:
    people(3, 800)
    began = time.process_time()
    people(4, 4000)
    assert 4000 / (time.process_time() - began) > LEAST_ROWS_A_SECOND


def test_a_person_upright_is_upright_in_the_picture_and_ahead_of_the_camera() -> None:
    person = member(1)
    upright = np.repeat(person.keypoints_m[None], 400, 0)
    rng = np.random.default_rng(0)
    at, axes = cameras(rng, upright.mean(1))
    depth = np.einsum("nj,nj->n", axes[:, 2], upright.mean(1) - at)
    assert depth.min() > 1
    assert at[:, 2].min() < 1.5
    assert at[:, 2].max() > 8
    seen = look(rng, upright)
    assert (seen[:, 0, 1] < seen[:, 15:, 1].max(1)).all()
    assert np.linalg.det(axes) == pytest.approx(1)


def test_what_turns_into_something_else_may_be_called_either() -> None:
    person = member(2)
    steps = StepConfig(do="stand", for_ms=500), StepConfig(do="squat")
    person.follow(_config(*steps), 1)
    found = []
    for t_ms in (300, 900, 3000):
        person.pose(t_ms)
        found.append(names_of(person, t_ms))
    assert found == ["stand", "bend|squat|stand", "squat"]


def test_a_fall_is_standing_then_a_fall_then_lying() -> None:
    names = list(dict.fromkeys(row.action for seed in range(12)
                               for row in rows_of(member(0), seed, "fall")))  # fmt: skip
    assert set(names) == {"fall|stand", "fall", "fall|lie", "lie"}
