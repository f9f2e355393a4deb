"""Training the action student: what is held out, what augmentation keeps, and that it learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.action import ACTIONS
from models.skeletons import KEYPOINTS, REACH, normalise
from models.training.action_augment import augment
from models.training.action_figures import pose
from models.training.action_poses import POSES
from models.training.action_sources import accepted, last_fifth, read_all, read_simulated


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
    from models.training.action_train import Mixture, Trainer

    np.savez(tmp_path / "posed.npz", **pose(3, 2600))
    sources = [read_simulated(tmp_path / "posed.npz")]
    trainer = Trainer(Mixture(sources), 250, 0)
    losses = [trainer.advance() for _ in range(250)]
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:5])
    torch.save(trainer.state(), tmp_path / "last.pt")
    export(tmp_path / "last.pt", sources, tmp_path / "int8.tflite")
    report = measure(tmp_path / "last.pt", tmp_path / "int8.tflite", sources)
    assert report["int8"]["posed"]["accuracy"] > 0.4
