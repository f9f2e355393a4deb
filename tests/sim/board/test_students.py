"""The students that scenarios push: each loads, and only what it sees is wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from drivers.camera.synthetic_scene import SyntheticScene
from drivers.faults import ModelRefused
from models.detector import Detector
from models.package import find_package, load_package
from models.signature import open_session
from models.tables import Detections
from sim.board.students import DETECTOR, KINDS, Network, make
from tests.models import tiny_tflite

W, H = 640, 360
MOMENTS_MS = (4000.0, 5000.0, 6000.0, 7000.0)


def seen(folder: Path) -> Counter[str]:
    """How many of each class a detector finds in four pictures of three people."""
    package = load_package(folder, "tflite")
    session = open_session(package, tiny_tflite.npu("litert"))
    detector = Detector(package, session, W, H, 64, package.info.thresholds.score)
    scene, table, found = SyntheticScene(W, H, people=3), Detections(64), Counter()
    pixels = np.zeros((H, W, 3), np.uint8)
    for t_ms in MOMENTS_MS:
        scene.render(t_ms, pixels)
        detector(pixels, table)
        found.update(detector.classes[int(one)] for one in table.classes[: table.count])
    session.close()
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_the_same_every_time_and_nothing_else_than_its_files(kind, tmp_path):
    first, again = make(kind, tmp_path / "1"), make(kind, tmp_path / "2")
    names = sorted(path.name for path in first.iterdir())
    assert names == ["model.toml", "ppe_s_int8.tflite"]
    assert [(first / n).read_bytes() for n in names] == [(again / n).read_bytes() for n in names]
    package = load_package(first, "tflite")
    assert package.info.version.endswith(f"+{kind}")
    assert package.file.read_bytes() != (DETECTOR / package.file.name).read_bytes()


def test_what_each_sees(tmp_path):
    wanted = seen(find_package("ppe_s"))
    assert wanted["person"] >= 6
    assert seen(make("good", tmp_path / "good"))["person"] == wanted["person"]
    assert seen(make("slow", tmp_path / "slow")) == wanted
    assert seen(make("blind", tmp_path / "blind"))["person"] == 0
    assert seen(make("random", tmp_path / "random"))["person"] == 0
    assert seen(make("everywhere", tmp_path / "all"))["person"] == 64 * len(MOMENTS_MS)


def test_a_slow_one_is_told_from_the_others_without_running_it(tmp_path):
    def repeats(kind: str) -> int:
        folder = make(kind, tmp_path / kind)
        return Network((folder / "ppe_s_int8.tflite").read_bytes()).repeats()

    assert (repeats("good"), repeats("slow")) == (1, 10)


def test_a_scale_that_is_no_number_is_refused_by_the_file_check(tmp_path):
    package = load_package(make("nan", tmp_path), "tflite")
    with pytest.raises(ModelRefused, match="scale nan"):
        open_session(package, tiny_tflite.npu("litert"))


def test_an_unknown_kind_is_told(tmp_path):
    with pytest.raises(KeyError):
        make("lazy", tmp_path)
