"""The shipped action student: whole, small, alike in both runtimes, right on plain figures."""

from __future__ import annotations

import csv
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from drivers.board import NpuConfig
from drivers.faults import ModelRefused
from drivers.npu.tflite import TfliteNpu
from models.action import ACTIONS, ActionNetwork
from models.action_cli import UNKNOWN, action
from models.package import STUDENTS, load_package, read_info
from models.run_cli import MODEL_REFUSED, OK, WRONG_ARGUMENTS
from models.signature import open_session
from models.skeleton_files import read_skeletons
from models.skeletons import JOINTS, mirror_order
from models.tables import Actions, Skeletons
from models.training.action_sources import LZQ_A, LZQ_B, last_fifth
from tests.models import tiny_tflite

FOLDER = STUDENTS / "action_xs"
MOST_PARAMETERS = 30_000
RIGHT = LZQ_A | LZQ_B
TOLERANCE = 0.12
"""Of a score, between the two runtimes' integer kernels."""
STANDING = [
    (100, 40), (104, 36), (96, 36), (110, 40), (90, 40), (120, 70), (80, 70), (126, 104),
    (74, 104), (127, 136), (73, 136), (112, 130), (88, 130), (112, 178), (88, 178), (112, 224),
    (88, 224),
]  # fmt: skip
GOLDEN = {
    "arms_raised": [*STANDING[:7], (128, 38), (72, 38), (124, 6), (76, 6), *STANDING[11:]],
    "lie": [(2 * y, 200 + (x - 100) * 0.6) for x, y in STANDING],
    "run": [
        (100, 40), (104, 36), (96, 36), (110, 40), (90, 40), (104, 70), (96, 70), (76, 92),
        (124, 96), (92, 114), (146, 78), (102, 128), (98, 128), (136, 150), (76, 168), (120, 194),
        (34, 184),
    ],
    "sit": [
        (106, 40), (108, 36), (108, 36), (98, 38), (98, 38), (96, 68), (92, 68), (102, 100),
        (98, 100), (128, 108), (124, 108), (94, 126), (90, 126), (138, 130), (134, 130),
        (140, 176), (136, 176),
    ],
    "squat": [
        (100, 90), (104, 86), (96, 86), (110, 90), (90, 90), (120, 118), (80, 118), (130, 146),
        (70, 146), (112, 160), (88, 160), (114, 178), (86, 178), (138, 168), (62, 168), (126, 212),
        (74, 212),
    ],
}  # fmt: skip
"""Plain figures in pixels, y downwards, and what they must be called."""


def _golden() -> np.ndarray:
    rows = np.ones((len(GOLDEN), JOINTS, 3), np.float32)
    rows[:, :, :2] = list(GOLDEN.values())
    return rows


def _network(runtime: str = "auto", capacity: int = 8) -> ActionNetwork:
    package = load_package(FOLDER, "tflite")
    if runtime != "auto":
        pytest.importorskip(tiny_tflite.RUNTIMES[runtime], reason=f"{runtime} is not installed")
    npu = TfliteNpu(NpuConfig(driver="npu.tflite", runtime=runtime))  # type: ignore[arg-type]
    return ActionNetwork(package, open_session(package, npu), capacity)


def _judge(network: ActionNetwork, keypoints: np.ndarray) -> Actions:
    skeletons, actions = Skeletons(8), Actions(8, len(network.classes))
    skeletons.keypoints[: len(keypoints)] = keypoints
    skeletons.count = len(keypoints)
    network(skeletons, actions)
    return actions


def test_the_package_is_small_and_says_what_it_is() -> None:
    info = read_info(FOLDER)
    assert (info.role, info.family) == ("action", "skeleton_classifier")
    assert info.classes == list(ACTIONS)
    assert 0 < info.parameters <= MOST_PARAMETERS


def test_the_card_names_every_data_set_and_its_licence() -> None:
    card = (FOLDER / "README.md").read_text()
    assert "confusion.png" in card
    assert (FOLDER / "confusion.png").is_file()
    for data in read_info(FOLDER).training_data:
        assert data.name in card
        assert data.licence in card


@pytest.mark.parametrize("runtime", sorted(tiny_tflite.RUNTIMES))
def test_golden_skeletons_are_named(runtime: str) -> None:
    actions = _judge(_network(runtime), _golden())
    assert [ACTIONS[i] for i in actions.best[: actions.count]] == list(GOLDEN)
    assert actions.scores[: actions.count].sum(1) == pytest.approx(1, abs=1e-5)


def test_both_runtimes_agree() -> None:
    one, other = (_judge(_network(runtime), _golden()).scores for runtime in ("litert", "tflite"))
    assert np.abs(one - other).max() <= TOLERANCE


def test_a_mirrored_moved_and_enlarged_person_does_the_same() -> None:
    network = _network()
    rows = _golden()[:, list(mirror_order())]
    rows[:, :, :2] = rows[:, :, :2] * (-7.0, 7.0) + (3000.0, 50.0)
    assert [ACTIONS[i] for i in _judge(network, rows).best[: len(rows)]] == list(GOLDEN)


def test_too_few_joints_are_not_judged() -> None:
    rows = _golden()[:2]
    rows[0, 3:] = 0
    actions = _judge(_network(), rows)
    assert actions.best[:2].tolist() == [-1, ACTIONS.index("lie")]
    assert not actions.scores[0].any()


def test_a_call_keeps_no_memory() -> None:
    network = _network()
    skeletons, actions = Skeletons(8), Actions(8)
    skeletons.keypoints[: len(GOLDEN)], skeletons.count = _golden(), len(GOLDEN)
    for _ in range(5):
        network(skeletons, actions)
    tracemalloc.start()
    network(skeletons, actions)
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(50):
        network(skeletons, actions)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 512


def test_the_command_writes_a_row_per_skeleton(tmp_path: Path) -> None:
    source, out = tmp_path / "s.npz", tmp_path / "o.csv"
    rows = np.concatenate((_golden(), np.zeros((1, JOINTS, 3), np.float32)))
    np.savez(source, keypoints=rows)
    arguments = ["--skeletons", str(source), "--layout", "coco17", "--out", str(out)]
    assert action(arguments) == OK
    with out.open(newline="") as file:
        heading, *lines = csv.reader(file)
    assert heading == ["row", "label", *ACTIONS]
    assert [line[:2] for line in lines] == [
        [str(i), label] for i, label in enumerate((*GOLDEN, UNKNOWN))
    ]


@pytest.mark.parametrize(
    ("extra", "code", "reason"),
    [
        (["--layout", "halpe"], WRONG_ARGUMENTS, "halpe"),
        (["--layout", "coco17"], WRONG_ARGUMENTS, r"\[4, 17, 3\]|allowed"),
        (["--layout", "body25", "--aspect", "0"], WRONG_ARGUMENTS, "0.1 and 10"),
    ],
)
def test_wrong_arguments_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: list[str], code: int, reason: str
) -> None:
    source = tmp_path / "s.npz"
    np.savez(source, keypoints=np.ones((1, 5, 3)))
    assert action(["--skeletons", str(source), "--out", str(tmp_path / "o"), *extra]) == code
    assert re.search(reason, capsys.readouterr().err)
    assert not (tmp_path / "o").exists()


def test_a_detector_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "s.npz"
    np.savez(source, keypoints=_golden())
    arguments = ["--skeletons", str(source), "--layout", "coco17", "--out", str(tmp_path / "o")]
    assert action([*arguments, "--model", "ppe_s"]) == MODEL_REFUSED
    assert 'allowed: "action"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('family = "skeleton_classifier"', 'family = "anchor_free"', 'role = "action"'),
        ("shape = [1, 1, 1, 51]", "shape = [1, 1, 1, 50]", "x, y, seen of 17 joints"),
        ('skeleton = "coco17_torso"', "", "coco17_torso"),
        ('box = "none"', 'box = "ltrb_exp"', "decode.box"),
        ('score = "softmax"', 'score = "logit"', "decode.score"),
        ("shape = [1, 1, 1, 12]", "shape = [1, 1, 1, 11]", r"must be \[1, 1, 1, 12\]"),
        ('kind = "class"', 'kind = "box"', 'must be "class"'),
    ],
)
def test_a_description_that_cannot_be_is_refused(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    text = (FOLDER / "model.toml").read_text()
    assert old in text
    (tmp_path / "model.toml").write_text(text.replace(old, new, 1))
    with pytest.raises(ModelRefused, match=reason):
        read_info(tmp_path)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "layout", "least"),
    [
        ("lzq/standing_walking_waving_squatting.csv", "openpose18", 0.95),
        ("lzq/standing_walking_operating_falling_running.csv", "openpose18", 0.95),
    ],
)
def test_held_out_rows_of_the_shared_sets_stay_right(
    shared_data: Path, tmp_path: Path, name: str, layout: str, least: float
) -> None:
    out, source = tmp_path / "o.csv", shared_data / "skeleton" / name
    assert action(["--skeletons", str(source), "--layout", layout, "--out", str(out)]) == OK
    with out.open(newline="") as file:
        said = np.array([line[1] for line in list(csv.reader(file))[1:]])
    labels = np.array(read_skeletons(source, "openpose18").labels)
    right = np.array([word in RIGHT[label] for word, label in zip(said, labels, strict=True)])
    assert right[last_fifth(labels)].mean() >= least
