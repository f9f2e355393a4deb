"""Training the action student: what is held out, what augmentation keeps, and that it learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.action import ACTIONS
from models.skeletons import KEYPOINTS, REACH, normalise
from models.training.action_augment import BEHIND_SHARE, FACE_LOST_SHARE, FEWEST_LEFT, augment
from models.training.action_figures import pose
from models.training.action_poses import POSES
from models.training.action_robust import robustness
from models.training.action_sources import (
    OWN,
    accepted,
    last_fifth,
    read_all,
    read_simulated,
    rehearsal,
)


def test_the_last_contiguous_fifth_of_each_label_is_held_out() -> None:
    labels = np.array(["a"] * 10 + ["b"] * 5)
    assert np.flatnonzero(last_fifth(labels)).tolist() == [8, 9, 14]


def test_a_label_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="labels dance; known: walk"):
        accepted(np.array(["walk", "dance"]), {"walk": ("walk",)})


def test_figures_are_posed_for_every_action_and_the_same_again() -> None:
    one, again = pose(5, 260), pose(5, 260)
    assert all((one[key] == again[key]).all() for key in one)
    assert {word for called in one["action"] for word in str(called).split("|")} == set(ACTIONS)
    assert set(one["doing"]) == {name for name, _, _ in POSES}


def test_a_posed_person_who_faces_the_camera_has_their_left_on_the_right() -> None:
    rows = pose(6, 1300)
    standing = rows["keypoints"][rows["doing"] == "stand"]
    left, right = (KEYPOINTS.index(f"{side}_shoulder") for side in ("left", "right"))
    eye = KEYPOINTS.index("left_eye")
    facing = (standing[:, eye, 2] > 0) & (standing[:, eye + 1, 2] > 0) & (standing[:, 0, 2] > 0)
    eyes = standing[facing][:, eye, 0] > standing[facing][:, eye + 1, 0]
    assert (eyes == (standing[facing][:, left, 0] > standing[facing][:, right, 0])).mean() > 0.75


def test_augmented_skeletons_are_normal_again() -> None:
    rows = pose(7, 130)["keypoints"]
    changed = augment(np.random.default_rng(0), rows, np.ones(130))
    assert np.abs(changed).max() <= REACH
    assert normalise(changed) == pytest.approx(changed, abs=0.02)


def test_no_augmentation_mirrors_only() -> None:
    rows = pose(8, 26)["keypoints"]
    changed, plain = augment(np.random.default_rng(0), rows, np.zeros(26)), normalise(rows)
    same = np.abs(changed - plain).max((1, 2)) < 1e-3
    assert 0 < same.sum() < 26


def test_augmentation_cuts_legs_off_and_mixes_sides_up_but_leaves_somebody() -> None:
    rows = pose(10, 1300)["keypoints"]
    rows[:, :, 2] = 1
    changed = augment(np.random.default_rng(1), rows, np.ones(len(rows)))
    ankles = changed[:, [KEYPOINTS.index("left_ankle"), KEYPOINTS.index("right_ankle")]]
    legless = (changed[:, 13:, 2] == 0).all(1)
    assert 0.04 < legless.mean() < 0.3
    same = (ankles[:, :, 2] > 0).all(1) & (np.abs(ankles[:, 0] - ankles[:, 1]).max(1) < 0.05)
    assert 0 < same.mean() < 0.2
    assert (changed[:, :, 2].sum(1) >= FEWEST_LEFT).mean() > 0.9
    assert np.isfinite(changed).all()


def test_somebody_seen_from_behind_keeps_their_sides_and_may_lose_their_face() -> None:
    rows = np.repeat(pose(11, 1300)["keypoints"][:1], 2000, axis=0)
    rows[:, :, 2] = 1
    left, right = (KEYPOINTS.index(f"{side}_shoulder") for side in ("left", "right"))
    rows[:, left, 0], rows[:, right, 0] = rows[:, 0, 0] + 0.02, rows[:, 0, 0] - 0.02
    changed = augment(np.random.default_rng(2), rows, np.full(2000, 1e-6))
    away = changed[:, left, 0] < changed[:, right, 0]
    assert away.mean() == pytest.approx(BEHIND_SHARE, abs=0.03)
    faceless = (changed[:, :3, 2] == 0).all(1)
    assert faceless[away].mean() == pytest.approx(FACE_LOST_SHARE, abs=0.2)
    assert faceless[~away].mean() < 0.1


def test_a_rehearsal_never_sees_the_rows_that_judge_the_end(tmp_path: Path) -> None:
    rows = pose(11, 1300) | {"licence": np.array("CC BY 4.0")}
    rows["keypoints"][:, 0] = np.stack((np.arange(1300), *np.ones((2, 1300))), 1)
    np.savez(tmp_path / "found.npz", **rows)
    source = read_simulated(tmp_path / "found.npz")
    assert (source.licence, source.simulated) == ("CC BY 4.0", False)
    (inner,) = rehearsal([source])
    judged = set(source.skeletons[source.held_out][:, 0, 0])
    assert not judged & set(inner.skeletons[:, 0, 0])
    assert len(inner.labels) == (~source.held_out).sum()
    assert inner.held_out.mean() == pytest.approx(0.2, abs=0.02)


def test_simulated_people_rehearse_whole(tmp_path: Path) -> None:
    np.savez(tmp_path / "posed.npz", **pose(9, 130))
    source = read_simulated(tmp_path / "posed.npz")
    assert (source.licence, source.simulated) == (OWN, True)
    assert rehearsal([source]) == [source]


def test_held_out_people_come_from_the_file(tmp_path: Path) -> None:
    rows = pose(9, 130)
    np.savez(tmp_path / "posed.npz", **rows)
    source = read_simulated(tmp_path / "posed.npz")
    assert source.name == "posed"
    assert (source.held_out == rows["held_out"]).all()
    planks = source.labels == "plank"
    crawl, lie = ACTIONS.index("crawl"), ACTIONS.index("lie")
    assert source.accept[planks][:, [crawl, lie]].all()


@pytest.mark.data
def test_twin_rows_of_the_shared_sets_are_held_out_together(shared_data: Path) -> None:
    a, b = read_all(shared_data, [])[:2]
    both = np.flatnonzero((a.skeletons[:1172] == b.skeletons[:1172]).all((1, 2)))
    assert len(both) == 1172
    assert (a.held_out[both] == b.held_out[both]).all()


def test_a_short_training_lowers_the_loss_and_gives_an_int8_model(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="the train extra (torch) is not installed")
    pytest.importorskip("litert_torch", reason="the train extra (litert-torch) is not installed")
    from models.training.action_evaluate import measure
    from models.training.action_export import export
    from models.training.action_train import Mixture, Trainer, load_student

    np.savez(tmp_path / "posed.npz", **pose(3, 2600))
    sources = [read_simulated(tmp_path / "posed.npz")]
    trainer = Trainer(Mixture(sources), 250, 0)
    losses = [trainer.advance() for _ in range(250)]
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:5])
    torch.save(trainer.state(), tmp_path / "last.pt")
    taught = Trainer(Mixture(sources), 1, 0, (32, 8, 1), [load_student(tmp_path / "last.pt")])
    assert np.isfinite(taught.advance())
    assert taught.student.head.in_channels == 32
    export(tmp_path / "last.pt", sources, tmp_path / "int8.tflite")
    report = measure(tmp_path / "last.pt", tmp_path / "int8.tflite", sources)
    assert report["int8"]["posed"]["accuracy"] > 0.4


def test_robustness_counts_people_who_are_called_down_once_their_legs_are_gone(
    tmp_path: Path,
) -> None:
    np.savez(tmp_path / "posed.npz", **pose(12, 1300))
    source = read_simulated(tmp_path / "posed.npz")

    def judge(skeletons: np.ndarray) -> np.ndarray:
        scores = np.zeros((len(skeletons), len(ACTIONS)), np.float32)
        legless = (skeletons[:, KEYPOINTS.index("left_knee") :, 2] == 0).all(1)
        scores[np.arange(len(skeletons)), np.where(legless, ACTIONS.index("lie"), 0)] = 1
        return scores

    found = robustness([source], judge)
    assert found["as they are"]["posed"]["up_called_down"] == 0
    assert found["no legs"]["posed"]["up_called_down"] == 1
    assert found["no legs"]["posed"]["same"] == 0
    assert found["mirrored"]["posed"]["same"] == 1


@pytest.mark.data
def test_pictures_with_people_become_skeletons_by_picture(shared_data: Path) -> None:
    from models.training.action_real import LABELS, VIEWS, labelled, views

    people = list(labelled(shared_data))
    assert {label for _, label, _ in people} == set(LABELS)
    boxes = views(np.random.default_rng(0), np.array([0.5, 0.5, 0.2, 0.4], np.float32), 100, 200)
    assert boxes.shape == (VIEWS, 4)
    assert boxes[0].tolist() == pytest.approx([40, 60, 60, 140], abs=1e-3)
