"""The package that ships: whole, small enough, and honest about where it comes from."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.camera.synthetic_scene import SyntheticScene
from models.training.licences import LICENCES

FOLDER = Path(__file__).parents[3] / "models/students/ppe_s"
MOST_PARAMETERS = 700_000


@pytest.fixture(scope="module")
def described() -> dict:
    return tomllib.loads((FOLDER / "model.toml").read_text())


def test_the_file_is_the_one_described(described: dict) -> None:
    for target in described["targets"]:
        content = (FOLDER / target["file"]).read_bytes()
        assert len(content) == target["bytes"]
        assert hashlib.sha256(content).hexdigest() == target["sha256"]


def test_it_finds_four_things_with_few_parameters(described: dict) -> None:
    assert described["classes"] == ["person", "helmet", "vest", "bare_head"]
    assert 0 < described["parameters"] <= MOST_PARAMETERS


def test_six_outputs_share_one_box_scale(described: dict) -> None:
    outputs = described["outputs"]
    assert sorted((o["kind"], o["stride"]) for o in outputs) == [
        (kind, stride) for kind in ("box", "class") for stride in (8, 16, 32)
    ]
    assert len({o["scale"] for o in outputs if o["kind"] == "box"}) == 1
    assert {o["scale"] for o in outputs if o["kind"] == "class"} == {1 / 256}


def test_the_card_names_every_data_set_and_its_licence(described: dict) -> None:
    card = (FOLDER / "README.md").read_text()
    named = {row["name"]: row["licence"] for row in described["training_data"]}
    assert named.items() <= LICENCES.items()
    assert LICENCES.keys() - named.keys() <= {"deserted"}, "not trained on by this student"
    for name, licence in named.items():
        assert name in card
        assert licence in card
    assert described["teacher"].split()[0] in card


def test_nothing_it_learned_from_is_non_commercial(described: dict) -> None:
    text = (FOLDER / "model.toml").read_text()
    assert not re.search(r"\bNC\b|MOT1[57]|MOTChallenge", text)


def _run(described: dict, picture: np.ndarray) -> float:
    """Best class probability of the int8 file for one picture."""
    litert = pytest.importorskip("ai_edge_litert.interpreter", reason="LiteRT is not installed")
    runner = litert.Interpreter(str(FOLDER / described["targets"][0]["file"]), num_threads=1)
    runner.allocate_tensors()
    info = runner.get_input_details()[0]
    assert list(info["shape"]) == described["input"]["shape"]
    _, height, width, _ = described["input"]["shape"]
    canvas = np.full((height, width, 3), described["input"]["pad_value"], np.uint8)
    ratio = min(width / picture.shape[1], height / picture.shape[0])
    size = (round(picture.shape[1] * ratio), round(picture.shape[0] * ratio))
    canvas[: size[1], : size[0]] = cv2.resize(picture, size)
    runner.set_tensor(info["index"], (canvas ^ 0x80).view(np.int8)[None])
    runner.invoke()
    details, best = runner.get_output_details(), 0.0
    for output in described["outputs"]:
        detail = details[output["index"]]
        assert list(detail["shape"]) == output["shape"]
        assert detail["quantization"] == pytest.approx((output["scale"], output["zero_point"]))
        if output["kind"] == "class":
            values = runner.get_tensor(detail["index"]).astype(np.float32)
            best = max(best, float((values.max() - output["zero_point"]) * output["scale"]))
    return best


@pytest.mark.parametrize(
    ("t_ms", "somebody"), [(500, False), (5_000, True), (7_000, True), (11_500, False)]
)
def test_it_sees_the_drawn_person_and_nobody_in_the_empty_room(
    described: dict, t_ms: float, somebody: bool
) -> None:
    picture = np.empty((360, 640, 3), np.uint8)
    SyntheticScene(640, 360).render(t_ms, picture)
    assert (_run(described, picture) >= described["thresholds"]["score"]) is somebody
