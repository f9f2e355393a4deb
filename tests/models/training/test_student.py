"""The network and its loss."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed (extra: train)")

import torch

from models.training.loss import Targets, assign, detection_loss, overlap
from models.training.student import Exported, Student, cells, decode, flatten, parameter_count

MOST_PARAMETERS = 200_000


def _targets(*boxes: tuple[float, float, float, float], ignore: bool = False) -> Targets:
    table = torch.tensor([boxes], dtype=torch.float32)
    marks = torch.full(table.shape[:2], ignore)
    return Targets(table, ~marks, marks)


def test_it_is_small_enough() -> None:
    assert parameter_count(Student()) <= MOST_PARAMETERS


def test_it_ships_six_tensors_with_channels_last() -> None:
    shapes = [tuple(t.shape) for t in Exported(Student()).eval()(torch.zeros(1, 256, 320, 3))]
    grids = [(32, 40), (16, 20), (8, 10)]
    assert shapes == [(1, h, w, 4) for h, w in grids] + [(1, h, w, 1) for h, w in grids]


def test_decode_is_distances_around_the_cell_centre() -> None:
    centres, strides = cells()
    box = decode(torch.zeros(1, len(centres), 4), centres, strides)[0]
    assert box[0].tolist() == [-4, -4, 12, 12]
    assert box[-1].tolist() == [304 - 32, 240 - 32, 304 + 32, 240 + 32]


def test_generalised_overlap_tells_far_from_near() -> None:
    box = torch.tensor([0.0, 0, 10, 10])
    near, far = torch.tensor([11.0, 0, 21, 10]), torch.tensor([90.0, 0, 100, 10])
    assert overlap(box, near) == overlap(box, far) == 0
    assert overlap(box, near, generalised=True) > overlap(box, far, generalised=True)
    assert overlap(box, box) == 1


def test_a_person_gets_cells_inside_the_box_only() -> None:
    centres, strides = cells()
    targets = _targets((100, 60, 160, 220))
    raw = torch.full((1, len(centres), 4), 1.0)
    owner, soft = assign(
        decode(raw, centres, strides), torch.full((1, len(centres)), 0.5), targets, centres
    )
    taken = centres[owner[0] == 0]
    assert 0 < len(taken) <= 9
    assert bool(((taken > torch.tensor([100, 60])) & (taken < torch.tensor([160, 220]))).all())
    assert float(soft.max()) <= 1


def test_an_ignored_region_costs_nothing() -> None:
    centres, _ = grid = cells()
    raw, logit = torch.zeros(1, len(centres), 4), torch.full((1, len(centres)), -9.0)
    inside = ((centres > 100) & (centres < 200)).all(1)
    logit[0, inside] = 3.0
    costly = detection_loss(raw, logit, _targets((0, 0, 1, 1), ignore=True), grid).score
    hushed = detection_loss(raw, logit, _targets((90, 90, 210, 210), ignore=True), grid).score
    assert float(costly) > 1
    assert float(hushed) < 0.01


def test_a_few_steps_lower_the_loss() -> None:
    torch.manual_seed(0)
    student, grid = Student(), cells()
    optimizer = torch.optim.Adam(student.parameters(), 3e-3)
    picture, targets = torch.randn(2, 3, 256, 320), _targets((40, 40, 120, 200))
    targets = Targets(*(t.repeat(2, *[1] * (t.ndim - 1)) for t in targets))
    values = []
    for _ in range(8):
        losses = detection_loss(*flatten(student(picture)), targets, grid)
        optimizer.zero_grad()
        (losses.score + losses.box).backward()
        optimizer.step()
        values.append(float((losses.score + losses.box).detach()))
    assert values[-1] < 0.8 * values[0]
