"""Entry prediction: what a path says, in any place, direction, frame rate and company."""

from __future__ import annotations

import gc
import time
import tracemalloc

import numpy as np
import pytest

from runtime.entry_parameters import load_parameters
from runtime.entry_replay import first_touch
from runtime.motion import ACROSS, ALONG, TIMES, Motion
from runtime.predict import EntryPredictor, lay_corners

SQUARE = [(3.0, -1.0), (5.0, -1.0), (5.0, 1.0), (3.0, 1.0)]
"""Two metres wide, its near edge 3 m ahead of the origin."""
MODEL = load_parameters()


def probabilities(places, step_ms=400.0, polygons=(SQUARE,), horizon_ms=2000.0, capacity=1, slot=0):
    """Walk one person through places (complex metres); float list over zones, at the last one."""
    motion = Motion(capacity)
    predictor = EntryPredictor(lay_corners(polygons), MODEL, capacity, horizon_ms)
    row, seen = np.zeros(capacity, np.complex128), np.zeros(capacity, np.bool_)
    seen[slot] = True
    for k, place in enumerate(places):
        row[slot] = place
        motion.observe(row, k * step_ms, seen)
    return predictor.update(motion, (len(places) - 1) * step_ms)[:, slot].tolist()


def straight(end=0j, velocity=1.4 + 0j, n=8, step_s=0.4):
    return [end - velocity * step_s * (n - 1 - k) for k in range(n)]


@pytest.mark.parametrize(
    ("name", "velocity", "least", "most"),
    [
        ("walks at it", 1.8 + 0j, 0.7, 1.0),
        ("walks away", -1.8 + 0j, 0.0, 0.02),
        ("walks past", 1.8j, 0.0, 0.05),
        ("too slow", 0.5 + 0j, 0.0, 0.1),
        ("stands", 0j, 0.0, 0.05),
    ],
)
def test_who_walks_at_a_zone_will_enter_it(name, velocity, least, most):
    (p,) = probabilities(straight(velocity=velocity))
    assert least <= p <= most


def test_nearer_is_surer_and_a_longer_horizon_too():
    near, far = (probabilities(straight(end=x + 0j))[0] for x in (2.0, 0.0))
    assert near > far
    ps = [probabilities(straight(), horizon_ms=h)[0] for h in (1000.0, 2000.0, 3000.0)]
    assert ps == sorted(ps)


@pytest.mark.parametrize("angle", [0.7, 2.0, -2.9])
def test_it_is_the_same_in_every_place_and_direction(angle):
    turn, move = np.exp(1j * angle), 31.0 - 12.0j
    corners = [complex(*c) * turn + move for c in SQUARE]
    polygon = [(c.real, c.imag) for c in corners]
    bent = [*straight(n=6), 0.5 + 0.1j, 0.9 + 0.3j]
    here = probabilities(bent)
    there = probabilities([p * turn + move for p in bent], polygons=[polygon])
    assert there == pytest.approx(here, abs=2e-3)


def test_corners_may_come_in_both_orders_and_in_any_number():
    many = [*SQUARE[:1], (4.0, -1.0), *SQUARE[1:]]
    ps = probabilities(straight(), polygons=[SQUARE, SQUARE[::-1], many, SQUARE[2:] + SQUARE[:2]])
    assert ps == pytest.approx([ps[0]] * 4, abs=1e-4)


def test_a_notch_in_front_is_not_the_zone():
    """A U open towards the walker is entered later than its hull."""
    notched = [(3, -2), (8, -2), (8, 2), (3, 2), (3, 1.5), (7, 1.5), (7, -1.5), (3, -1.5)]
    hull, u = probabilities(
        straight(velocity=1.8), polygons=[[(3, -2), (8, -2), (8, 2), (3, 2)], notched]
    )
    assert hull > 0.7 > 0.3 > u


def test_a_fast_camera_says_what_a_slow_one_says():
    slow = probabilities(straight(velocity=1.8, n=8))
    fast = probabilities(straight(velocity=1.8, n=29, step_s=0.1), step_ms=100.0)
    assert fast == pytest.approx(slow, abs=0.1)


def test_a_slot_does_not_matter_nor_who_else_is_there():
    alone = probabilities(straight())
    assert probabilities(straight(), capacity=32, slot=17) == pytest.approx(alone, abs=1e-5)


def test_the_next_person_in_a_slot_inherits_no_path():
    motion, seen = Motion(1), np.ones(1, np.bool_)
    for k, place in enumerate(straight()):
        motion.observe(np.array([place]), k * 400.0, seen)
    motion.forget(0)
    motion.observe(np.array([9j]), 5000.0, seen)
    motion.describe()
    assert motion.first_ms[0] == 5000.0
    assert motion.features[0, 0] == pytest.approx(0.0, abs=1e-5)
    assert not motion.features[TIMES].any()


def test_a_slot_taken_over_at_once_is_as_good_as_new():
    used, fresh, seen = Motion(1), Motion(1), np.ones(1, np.bool_)
    for t_ms in (0.0, 100.0, 200.0):
        used.observe(np.array([5j]), t_ms, seen)
    used.forget(0)
    for motion in (used, fresh):
        for t_ms in (250.0, 350.0, 450.0, 700.0):
            motion.observe(np.array([t_ms / 1000.0 + 0j]), t_ms, seen)
        motion.describe()
    assert used.features[:, 0] == pytest.approx(fresh.features[:, 0])


def test_a_straight_path_has_no_changes_and_a_gap_is_seen_in_its_times():
    motion = Motion(2)
    for k, place in enumerate(straight()):
        seen = np.array([True, k != 6])
        motion.observe(np.full(2, place), k * 400.0, seen)
    motion.describe()
    assert motion.features[0] == pytest.approx([1.4, 1.4])
    assert motion.features[ALONG] == pytest.approx(0.0, abs=1e-5)
    assert motion.features[ACROSS] == pytest.approx(0.0, abs=1e-5)
    assert motion.features[TIMES, 0] == pytest.approx(0.4)
    assert motion.features[TIMES, 1] == pytest.approx([0.8, 0.4, 0.4, 0.4, 0.4])


def test_zones_may_be_measured_in_another_unit_around_each_person():
    """Pixels: each person has their own metres to a pixel, and their own zero."""
    place = np.array([1.5 + 0.4j, -20.0 + 3j])
    scale, shift = np.array([0.01, 0.004]), place * 0.5
    pixels = [[(300.0, 0.0), (600.0, 0.0), (600.0, 200.0), (300.0, 200.0)]]
    seen, motion = np.ones(2, np.bool_), Motion(2)
    predictor = EntryPredictor(lay_corners(pixels), MODEL, 2, 2000.0)
    predictor.rays.measure(scale, shift)
    for k in range(8):
        motion.observe(place + 0.5 * k, k * 400.0, seen)
    together = predictor.update(motion, 2800.0)[0]
    for slot in range(2):
        corners = lay_corners(pixels) * scale[slot] + shift[slot]
        alone = EntryPredictor(corners, MODEL, 2, 2000.0).update(motion, 2800.0)[0, slot]
        assert together[slot] == pytest.approx(alone, abs=1e-4)


def test_32_people_and_8_zones_cost_less_than_constant_velocity_does():
    """Compared with where 32 straight ways meet the edges of 8 zones, in the same process."""
    random = np.random.default_rng(1)
    place, way = (random.normal(0, 3, 32) + 1j * random.normal(0, 3, 32) for _ in range(2))
    corners = lay_corners([[(x + k, y) for x, y in SQUARE] for k in range(8)])
    motion, seen = Motion(32), np.ones(32, np.bool_)
    predictor = EntryPredictor(corners, MODEL, 32, 2000.0)
    for k in range(20):
        motion.observe(place + way * 0.1 * k, k * 100.0, seen)
    ours = least_seconds(lambda: predictor.update(motion, 1900.0))
    theirs = least_seconds(lambda: first_touch(corners, place, place + way))
    assert ours < 0.85 * theirs


def least_seconds(call, times=1500):
    """Of one call: the least is what it costs when nothing else runs."""
    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - began)
    return best


def test_jitter_of_a_fast_camera_is_averaged_away():
    random = np.random.default_rng(1)
    motion, seen = Motion(200), np.ones(200, np.bool_)
    for k in range(42):
        noise = random.normal(0, 0.1, 200) + 1j * random.normal(0, 0.1, 200)
        motion.observe(0.14 * k + noise, k * 100.0, seen)
    motion.describe()
    assert motion.features[0].std() < 0.065, "single places would give 0.09"


@pytest.mark.parametrize("gone_s", [10.0, 600.0, 36_000.0])
def test_a_slot_that_nobody_has_used_for_hours_stays_a_number(gone_s):
    """One person jumps about and is gone; another walks on. Nothing overflows (warnings fail)."""
    motion = Motion(2)
    predictor = EntryPredictor(lay_corners([SQUARE]), MODEL, 2, 2000.0)
    row, seen = np.zeros(2, np.complex128), np.ones(2, np.bool_)
    for k, jump in enumerate((0, 400, -900, 2000, -4000, 9000, 0, 700)):
        row[:] = complex(jump, -jump), complex(-4.0 + 0.5 * k)
        motion.observe(row, 100.0 * k, seen)
        assert np.isfinite(predictor.update(motion, 100.0 * k)).all()
    seen[0] = False
    alone = []
    for k in range(8):
        t_ms = 1000.0 * gone_s + 400.0 * k
        row[1] = -4.0 + 0.6 * k
        motion.observe(row, t_ms, seen)
        alone.append(predictor.update(motion, t_ms).copy())
    assert np.isfinite(alone).all()
    assert np.max(alone) <= 1.0 and np.min(alone) >= 0.0


def test_nothing_is_kept_from_frame_to_frame():
    motion, seen = Motion(32), np.ones(32, np.bool_)
    predictor = EntryPredictor(lay_corners([SQUARE] * 8), MODEL, 32, 2000.0)
    place = np.linspace(0, 10, 32) + 0j

    def frames(first, count):
        for k in range(first, first + count):
            motion.observe(place, k * 100.0, seen)
            predictor.update(motion, k * 100.0)

    frames(0, 50)
    gc.collect()
    tracemalloc.start()
    frames(50, 10)
    before = tracemalloc.get_traced_memory()[0]
    frames(60, 200)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after - before < 512
