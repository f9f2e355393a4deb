"""The way to a .rknn file: with a made-up converter always, with Rockchip's where it is."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed (extra: train)")

import torch
from torch import nn

from models.training import rknn
from models.training.action_student import INPUTS, ActionStudent, Exported
from models.training.rknn_header import read_header
from models.training.rknn_subjects import SUBJECTS, Subject, same_answer, same_boxes
from tests.models.training.test_rknn_header import TOLD, made

OUTPUTS = 12


@pytest.fixture
def subject() -> Subject:
    """An untrained action student on random rows."""
    torch.manual_seed(0)
    body = Exported(ActionStudent()).eval().body
    rows = np.random.default_rng(0).normal(0, 1, (24, INPUTS, 1, 1)).astype(np.float32)
    return Subject(body, ("class",), rows[:16], rows[16:], None, None, same_answer)


FAKE = """
import json, os, sys
import numpy as np
job = json.load(open(sys.argv[-1]))
assert os.environ["PYTHONHASHSEED"] == "0"
count = len(os.listdir("."))
content = open({content!r}, "rb").read()
if {noise}:
    content = content.replace(b"\\1\\1\\1\\1", os.urandom(4), 1)
open(job["out"], "wb").write(content)
trial = np.load(job["trial"])
wanted = np.load({wanted!r})
np.savez(job["answers"], **{{f"a{{k}}_0": wanted[k] * {gain} for k in range(len(trial.files))}})
sys.exit({code})
"""


def converter(folder: Path, subject: Subject, target: str = "rk3588", **change: object) -> None:
    """A script that behaves as the converter's, in the place of ours."""
    (folder / "content").write_bytes(made(TOLD | {"target_platform": [target]}))
    np.save(folder / "wanted.npy", [row[0] for row in rknn.float_answers(subject)])
    words = {"noise": False, "gain": 1.0, "code": 0} | change
    places = {"content": str(folder / "content"), "wanted": str(folder / "wanted.npy")}
    (folder / "fake.py").write_text(FAKE.format(**places, **words))


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if shutil.which("setarch") is None:
        pytest.skip("setarch (util-linux) is not installed")
    monkeypatch.setattr(rknn, "SCRIPT", tmp_path / "fake.py")
    return tmp_path


def export(subject: Subject, folder: Path, targets: list[str]) -> list[Path]:
    return rknn.export(subject, folder / "student", targets, Path(sys.executable))


def test_files_are_written_per_soc_and_compared(
    subject: Subject, script: Path, caplog: pytest.LogCaptureFixture
) -> None:
    converter(script, subject)
    with caplog.at_level("INFO"):
        files = export(subject, script, ["rk3588"])
    assert [file.name for file in files] == ["student.rk3588.rknn"]
    assert read_header(files[0]).target_platform == ("rk3588",)
    assert "class 1.0000" in caplog.text
    assert "answers: 8 of 8 the same" in caplog.text
    assert "two builds the same" in caplog.text


def test_a_file_for_another_soc_is_refused(subject: Subject, script: Path) -> None:
    converter(script, subject, target="rk3576")
    with pytest.raises(rknn.ConversionFailed, match=r"asked for rk3588.*rk3576"):
        export(subject, script, ["rk3588"])
    assert list(script.glob("*.rknn")) == []


def test_outputs_unlike_the_float_networks_are_refused(subject: Subject, script: Path) -> None:
    converter(script, subject, gain=-1.0)
    with pytest.raises(rknn.ConversionFailed, match="cosine to the float network"):
        export(subject, script, ["rk3588"])
    assert list(script.glob("*.rknn")) == []


def test_bytes_that_never_repeat_are_told(
    subject: Subject, script: Path, caplog: pytest.LogCaptureFixture
) -> None:
    converter(script, subject, noise=True)
    with caplog.at_level("INFO"):
        export(subject, script, ["rk3588"])
    assert "NOT repeatable" in caplog.text


def test_a_failing_converter_is_told_with_its_words(subject: Subject, script: Path) -> None:
    converter(script, subject, code="'no such operator'")
    with pytest.raises(rknn.ConversionFailed, match="no such operator"):
        export(subject, script, ["rk3588"])


def test_without_the_converter_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HAETAE_RKNN_PYTHON", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(rknn.ConversionFailed, match=r"make \.venv-rknn/ready"):
        rknn.toolkit_python(None)


def test_boxes_are_compared_through_the_decoder() -> None:
    rng = np.random.default_rng(1)
    sides = [(32, 40), (16, 20), (8, 10)]
    boxes = [rng.normal(0.7, 0.05, (1, 4, h, w)).astype(np.float32) for h, w in sides]
    scores = [np.zeros((1, 4, h, w), np.float32) for h, w in sides]
    scores[0][0, 0, 10, 10] = scores[1][0, 2, 5, 12] = 0.9
    both = [*boxes, *scores]
    assert same_boxes([both], [both]).startswith("boxes: 2 the same, 0 only in float, 0 only")
    silent = [*boxes, *(0 * s for s in scores)]
    assert same_boxes([both], [silent]).startswith("boxes: 0 the same, 2 only in float, 0 only")


def test_pictures_go_in_as_bytes_with_the_students_own_scaling() -> None:
    byte = np.full((1, 3, 2, 2), 255, np.uint8)
    subject = Subject(nn.Identity(), ("x",), byte, byte, 128.0, 128.0, same_answer)
    assert float(subject.scaled(byte)[0, 0, 0, 0]) == 127 / 128


def test_every_student_can_be_converted() -> None:
    assert set(SUBJECTS) == {"detector", "skeleton", "action"}


@pytest.mark.parametrize("target", rknn.TARGETS)
def test_rockchips_converter_makes_a_file_like_the_float_network(
    subject: Subject, tmp_path: Path, target: str
) -> None:
    python = Path(os.environ.get("HAETAE_RKNN_PYTHON", rknn.TOOLKIT_PYTHON))
    if not python.exists():
        pytest.skip(f"no converter at {python} (make .venv-rknn/ready, HAETAE_RKNN_PYTHON)")
    job = rknn.prepare(subject, tmp_path) | {"target": target}
    content = rknn.convert(python.absolute(), tmp_path, job)
    (tmp_path / "job.json").write_text(json.dumps(job))
    (file := tmp_path / "made.rknn").write_bytes(content)
    assert read_header(file).target_platform[0][:5] == target[:5]
    found = rknn.answers(tmp_path, job, subject)
    assert min(rknn.cosines(rknn.float_answers(subject), found)) >= 0.99
