"""Teacher, augmentation and student: joints stay on their pixels, and a few steps teach."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed (extra: train)")

import torch

from models.person_crop import PersonCrop
from models.training import skeleton_augment, skeleton_train
from models.training.pyramid import parameter_count
from models.training.skeleton_augment import FULL, MIRROR, augmented, plain
from models.training.skeleton_cache import People, Person, Writer
from models.training.skeleton_student import (
    HEIGHT_PX,
    MARGIN,
    STRIDE,
    WIDTH_PX,
    Exported,
    SkeletonStudent,
    decode,
    losses,
    middles,
    take_backbone,
)
from models.training.skeleton_teacher import AGREE, join, square
from models.training.skeleton_train import SMALL, Plan, Run, rate_at
from models.training.student import Student

MOST_PARAMETERS = 500_000


def dots(seed: int = 0) -> Person:
    """A grey picture with a dot of its own colour at each of 17 joints."""
    rng = np.random.default_rng(seed)
    pixels = np.full((240, 200, 3), 90, np.uint8)
    places = np.array([(50 + 25 * (j % 5), 40 + 40 * (j // 5)) for j in range(17)], np.float32)
    places += rng.uniform(-4, 4, places.shape).astype(np.float32)
    for joint, (x, y) in enumerate(places):
        cv2.circle(pixels, (int(x), int(y)), 5, _colour(joint), -1)
    box = np.array((35, 25, 165, 215), np.float32)
    return Person(pixels, box, places, np.ones(17, np.float32), np.ones(17, np.float32))


def _colour(joint: int) -> tuple[int, int, int]:
    return (255 * (joint % 3 == 0), 255 * (joint % 3 == 1), 255 * (joint % 3 == 2))


def test_it_is_small_enough_and_ships_three_tensors() -> None:
    student = SkeletonStudent().eval()
    assert parameter_count(student) <= MOST_PARAMETERS
    shapes = [tuple(t.shape) for t in Exported(student)(torch.zeros(1, HEIGHT_PX, WIDTH_PX, 3))]
    rows, columns = HEIGHT_PX // STRIDE, WIDTH_PX // STRIDE
    assert shapes == [(1, rows, columns, 17), (1, rows, columns, 34), (1, 1, 1, 17)]


def test_the_detectors_backbone_fits() -> None:
    student, detector = SkeletonStudent(), Student()
    taken = take_backbone(student, detector.state_dict())
    assert taken > 100
    assert torch.equal(student.stem[0][0].weight, detector.stem[0][0].weight)
    with pytest.raises(ValueError, match="no tensor"):
        take_backbone(student, {"other": torch.zeros(3)})


def test_training_sees_the_crop_that_the_camera_takes() -> None:
    person = dots()
    tensor = np.zeros((1, HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    crop = PersonCrop(tensor, MARGIN, 114)
    crop.take(person.pixels, person.box)
    sample = plain(person)
    assert np.abs(sample.pixels.astype(int) - tensor[0].astype(int)).max() <= 2
    joints = sample.joints.copy()
    crop.restore(joints)
    assert joints == pytest.approx(person.joints, abs=0.01)


@pytest.mark.parametrize("size", [FULL, SMALL])
def test_joints_follow_their_pixels_through_every_change(size: tuple[int, int]) -> None:
    """A dot of the joint's colour is where augmentation says the joint is, mirrored ones too."""
    rng, right, judged = np.random.default_rng(1), 0, 0
    for seed in range(60):
        sample = augmented(rng, dots(seed), size)
        for joint in np.flatnonzero(sample.weight == 1):
            x, y = (int(v) for v in sample.joints[joint])
            pixel = sample.pixels[min(y, size[1] - 1), min(x, size[0] - 1)].astype(int)
            if pixel.max() - pixel.min() < 60:
                continue
            judged += 1
            own, swapped = _colour(joint), _colour(MIRROR[joint])
            right += int(np.argmax(pixel) in (int(np.argmax(own)), int(np.argmax(swapped))))
    assert judged > 200
    assert right / judged > 0.9


def test_somebody_beside_is_seen_and_never_covers_the_person_asked_for() -> None:
    magenta = dots(7)._replace(pixels=np.full((240, 200, 3), (255, 0, 255), np.uint8))
    shown = 0
    for seed in range(30):
        sample = plain(dots(seed))
        picture = sample.pixels.copy()
        skeleton_augment._beside(np.random.default_rng(seed), picture, sample.joints, magenta)
        changed = (picture != sample.pixels).any(2)
        shown += int(changed.any())
        hull = np.zeros(picture.shape[:2], np.uint8)
        cv2.fillConvexPoly(hull, cv2.convexHull(sample.joints.astype(np.int32)), 1)
        assert not changed[hull > 0].any()
    assert shown > 20


def test_a_mirrored_person_has_their_left_on_the_other_side() -> None:
    rng, found = np.random.default_rng(2), set()
    for _ in range(40):
        sample = augmented(rng, dots())
        both = sample.weight[5] > 0 and sample.weight[6] > 0
        if both:
            way = sample.joints[6] - sample.joints[5]
            found.add(bool(way[0] > 0))
    assert found == {True, False}


def test_what_is_cut_off_teaches_no_place() -> None:
    rng = np.random.default_rng(3)
    legless = np.array((35, 25, 165, 90), np.float32)
    samples = [augmented(rng, dots(i)._replace(box=legless)) for i in range(30)]
    outside = [(s.joints < 0).any(1) | (s.joints >= FULL).any(1) for s in samples]
    assert any(out.any() for out in outside)
    for sample, out in zip(samples, outside, strict=True):
        assert not sample.weight[out].any()
        assert not sample.seen[out].any()


def test_decoding_finds_what_the_loss_asks_for() -> None:
    joints = torch.rand(2, 17, 2) * torch.tensor([WIDTH_PX - 1.0, HEIGHT_PX - 1.0])
    rows, columns = HEIGHT_PX // STRIDE, WIDTH_PX // STRIDE
    way = joints[:, :, None] / STRIDE - middles(columns, rows)
    cells = (-8 * (way**2).sum(-1)).unflatten(2, (rows, columns))
    offsets = way.permute(0, 1, 3, 2).reshape(2, 34, rows, columns)
    seen = torch.full((2, 17, 1, 1), 4.0)
    assert decode(cells, offsets, seen)[:, :, :2] == pytest.approx(joints, abs=1e-3)
    ones = torch.ones(2, 17)
    place, offset, visible = losses((cells, offsets, seen), joints, ones, ones)
    worse = losses((-cells, -offsets, -seen), joints, ones, ones)
    assert offset < 1e-6
    assert place < worse[0] and offset < worse[1] and visible < worse[2]


def test_an_unknown_joint_teaches_nothing() -> None:
    student = SkeletonStudent().eval()
    with torch.no_grad():
        outputs = student(torch.zeros(1, 3, HEIGHT_PX, WIDTH_PX))
    joints, none = torch.zeros(1, 17, 2), torch.zeros(1, 17)
    assert [float(part) for part in losses(outputs, joints, none, none - 1)] == [0, 0, 0]


def test_the_rate_stays_level_and_then_falls() -> None:
    late = 10_000
    assert rate_at(late, 0.1, 0.6) == rate_at(late, 0.6, 0.6)
    assert rate_at(late, 1.0, 0.6) < 0.02 * rate_at(late, 0.6, 0.6)
    assert rate_at(0, 0.0, 0.6) < 0.05 * rate_at(late, 0.0, 0.6)


def test_the_teacher_goes_where_most_looks_agree() -> None:
    looks = np.zeros((6, 17, 3), np.float32)
    looks[:, :, :2], looks[:, :, 2] = (50, 60), 1.0
    looks[0, :, :2] = 90, 10
    found = join(looks, 100)
    assert found[:, :2] == pytest.approx(np.tile((50, 60), (17, 1)), abs=0.1)
    assert (found[:, 2] < join(np.concatenate((looks[1:2], looks[1:])), 100)[:, 2]).all()


def test_looks_that_differ_by_the_tolerance_half_agree() -> None:
    looks = np.ones((2, 17, 3), np.float32)
    looks[1, :, 0] += AGREE * 100
    one, other = join(looks[:1], 100)[0, 2], join(looks, 100)[0, 2]
    assert other == pytest.approx(1.5 * one, rel=1e-3)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turn_deg", [0.0, 90.0, -90.0])
def test_a_view_has_the_box_in_its_middle(turn_deg: float, mirrored: bool) -> None:
    view = square(np.array((100, 50, 200, 350), np.float32), 0.0, turn_deg, 192, mirrored)
    middle = view.matrix[:, :2] @ (96, 96) + view.matrix[:, 2]
    assert middle == pytest.approx((150, 200), abs=1e-3)
    top = view.matrix[:, :2] @ (96, 0) + view.matrix[:, 2]
    expected = {0.0: (150, 50), 90.0: (300, 200), -90.0: (0, 200)}[turn_deg]
    assert top == pytest.approx(expected, abs=1e-2)


def test_a_few_steps_lower_the_loss_and_the_run_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(skeleton_train, "WARM_UP_STEPS", 2)
    monkeypatch.setattr(skeleton_train, "BATCH", 16)
    with Writer(tmp_path / "cache") as writer:
        for seed in range(12):
            person = dots(seed)
            joints = np.c_[person.joints, np.full(17, 2)].astype(np.float32)
            truth = np.full(17, 2, np.int8)
            writer.add("simulated", seed < 2, person.pixels, person.box, joints, truth, "stand")
    torch.set_num_threads(1)
    people = People([tmp_path / "cache"])
    run = Run(people, tmp_path, Plan(small_until=1.0))
    parts = [run.advance().sum() for _ in range(14)]
    assert np.mean(parts[-3:]) < 0.95 * np.mean(parts[:3])
    run.save()
    again = Run(people, tmp_path, Plan(small_until=1.0))
    assert again.step == run.step
    assert torch.equal(again.student.stem[0][0].weight, run.student.stem[0][0].weight)
