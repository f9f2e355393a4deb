"""The network and its loss."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed (extra: train)")

import torch

from models.training.distill import Hints, Lesson, lesson_loss
from models.training.kinds import HELMET, IGNORE, PERSON, VEST
from models.training.loss import Targets, assign, detection_loss, overlap
from models.training.pyramid import Widths, parameter_count
from models.training.student import Exported, Student, cells, decode, flatten
from models.training.weights import WeightsRefused, keep, start_from

MOST_PARAMETERS = 700_000
CLASSES = 4


def _targets(*boxes: tuple[float, float, float, float], kind: int = PERSON) -> Targets:
    table = torch.tensor([boxes], dtype=torch.float32)
    return Targets(table, torch.full(table.shape[:2], kind))


def test_it_is_small_enough() -> None:
    assert parameter_count(Student()) <= MOST_PARAMETERS


def test_it_ships_six_tensors_with_channels_last() -> None:
    shapes = [tuple(t.shape) for t in Exported(Student()).eval()(torch.zeros(1, 256, 320, 3))]
    grids = [(32, 40), (16, 20), (8, 10)]
    assert shapes == [(1, h, w, 4) for h, w in grids] + [(1, h, w, CLASSES) for h, w in grids]


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
        decode(raw, centres, strides), torch.full((1, len(centres), CLASSES), 0.5), targets, centres
    )
    taken = centres[owner[0] == 0]
    assert 0 < len(taken) <= 9
    assert bool(((taken > torch.tensor([100, 60])) & (taken < torch.tensor([160, 220]))).all())
    assert float(soft.max()) <= 1


@pytest.mark.parametrize("kind", [PERSON, HELMET, VEST])
def test_an_ignored_region_costs_its_class_nothing(kind: int) -> None:
    centres, _ = grid = cells()
    raw = torch.zeros(1, len(centres), 4)
    logit = torch.full((1, len(centres), CLASSES), -9.0)
    inside = ((centres > 100) & (centres < 200)).all(1)
    logit[0, inside, kind] = 3.0
    region = (90.0, 90.0, 210.0, 210.0)
    hushed = detection_loss(raw, logit, _targets(region, kind=IGNORE + kind), grid).score
    other = IGNORE + (kind + 1) % CLASSES
    costly = detection_loss(raw, logit, _targets(region, kind=other), grid).score
    assert float(costly) > 1
    assert float(hushed) < 0.3


def test_an_object_teaches_its_own_class_in_its_own_cells() -> None:
    centres, _ = grid = cells()
    raw = torch.full((1, len(centres), 4), 1.5)
    logit = torch.full((1, len(centres), CLASSES), -9.0, requires_grad=True)
    detection_loss(raw, logit, _targets((100, 60, 160, 220), kind=VEST), grid).score.backward()
    assert logit.grad is not None
    wanted = (logit.grad[0] < 0).nonzero()
    assert set(wanted[:, 1].tolist()) <= {VEST}
    assert len(wanted) > 0


def test_a_lesson_moves_scores_towards_the_teacher_and_says_nothing_where_it_sees_nobody() -> None:
    centres, _ = grid = cells()
    score = torch.zeros(1, len(centres))
    score[0, 700] = 0.9
    boxes = torch.cat((centres - 20, centres + 20), 1)[None]
    lesson = Lesson(score, boxes, [], [])
    raw = torch.zeros(1, len(centres), 4, requires_grad=True)
    logit = torch.zeros(1, len(centres), CLASSES, requires_grad=True)
    lesson_loss(raw, logit, lesson, grid).backward()
    assert logit.grad is not None
    assert raw.grad is not None
    assert logit.grad.nonzero().tolist() == [[0, 700, PERSON]]
    assert float(logit.grad[0, 700, PERSON]) < 0
    assert set(raw.grad.nonzero()[:, 1].tolist()) == {700}


def test_hints_fall_to_nothing_for_features_that_a_linear_map_makes_alike() -> None:
    torch.manual_seed(0)
    hints = Hints(8)
    mine = [torch.randn(1, 8, 4, 4) for _ in range(3)]
    with torch.no_grad():
        features = [adapt(m) for adapt, m in zip(hints.maps, mine, strict=True)]
    weights = [torch.ones(1, 4, 4) for _ in range(3)]
    alike = hints(mine, Lesson(torch.zeros(1), torch.zeros(1), features, weights))
    opposed = [-f for f in features]
    apart = hints(mine, Lesson(torch.zeros(1), torch.zeros(1), opposed, weights))
    assert float(alike.detach()) < 1e-5
    assert float(apart.detach()) == pytest.approx(2, abs=1e-4)


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


def test_kept_weights_are_the_network_again_and_only_of_its_own_shape(tmp_path) -> None:
    torch.manual_seed(1)
    student, other = Student(), Student()
    keep(student, tmp_path / "weights.npz")
    start_from(other, tmp_path / "weights.npz")
    picture = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        a, b = flatten(student.eval()(picture))[1], flatten(other.eval()(picture))[1]
    assert torch.allclose(a, b, atol=0.02)
    with pytest.raises(WeightsRefused, match="not of this network"):
        start_from(Student(Widths(neck=40)), tmp_path / "weights.npz")


@pytest.mark.parametrize("share", [None, 0.0, 0.3, 0.9])
def test_weights_that_are_not_there_or_damaged_are_refused(tmp_path, share) -> None:
    file = tmp_path / "weights.npz"
    if share is not None:
        keep(Student(), file)
        file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    with pytest.raises(WeightsRefused, match=r"weights\.npz: cannot be read"):
        start_from(Student(), file)
