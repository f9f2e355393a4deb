"""The commands: what they print, write and return."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.cli import detect, model
from models.package import shipped_packages
from tests.models import tiny_tflite


@pytest.fixture
def package(tmp_path: Path) -> Path:
    content = tiny_tflite.build()
    tables = tiny_tflite.description(content, ["person"])
    return tiny_tflite.write_package(tmp_path / "package", tables, content)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(8)
    for name, size in (("b.png", (60, 80)), ("a.png", (200, 100)), ("c.jpg", (60, 80))):
        cv2.imwrite(str(folder / name), rng.integers(0, 256, (*size, 3), np.uint8))
    (folder / "notes.txt").write_text("not a picture")
    return folder


@pytest.mark.parametrize("runtime", tuple(tiny_tflite.RUNTIMES))
def test_detect_writes_one_line_per_picture_by_name(
    package: Path, images: Path, tmp_path: Path, runtime: str
) -> None:
    tiny_tflite.npu(runtime)
    out = tmp_path / "out.jsonl"
    arguments = ["--images", str(images), "--model", str(package), "--npu", runtime]
    assert detect([*arguments, "--score", "0.6", "--out", str(out)]) == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["image"] for row in rows] == ["a.png", "b.png", "c.jpg"]
    for row, (height, width) in zip(rows, ((200, 100), (60, 80), (60, 80)), strict=True):
        assert list(row) == ["image", "boxes", "scores", "classes"]
        assert len(row["boxes"]) == len(row["scores"]) == len(row["classes"]) > 0
        assert set(row["classes"]) == {"person"}
        assert min(row["scores"]) >= 0.6
        assert row["scores"] == sorted(row["scores"], reverse=True)
        boxes = np.array(row["boxes"])
        assert boxes.min() >= 0
        assert boxes[:, [0, 2]].max() <= width
        assert boxes[:, [1, 3]].max() <= height


def test_an_unreadable_picture_is_named_and_the_others_are_written(
    package: Path, images: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (images / "bad.png").write_bytes(b"\x89PNG but no")
    out = tmp_path / "out.jsonl"
    arguments = ["--images", str(images), "--model", str(package), "--out", str(out)]
    assert detect(arguments) == 1
    assert "bad.png: cannot be read" in capfd.readouterr().err
    assert len(out.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        (("--images", "/nonexistent"), 2, "must be a folder"),
        (("--out", "/nonexistent/out.jsonl"), 2, "/nonexistent/out.jsonl"),
        (("--model", "/nonexistent"), 3, "model refused: /nonexistent"),
        (("--score", "1.5"), 2, "not between 0 and 1"),
        (("--score", "nan"), 2, "not between 0 and 1"),
        (("--npu", "cuda"), 2, "--npu"),
    ],
)
def test_wrong_arguments(
    package: Path,
    images: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: tuple[str, str],
    code: int,
    text: str,
) -> None:
    arguments = {"--images": str(images), "--model": str(package), "--out": str(tmp_path / "o")}
    arguments[change[0]] = change[1]
    assert detect([word for pair in arguments.items() for word in pair]) == code
    assert text in capsys.readouterr().err


def test_show_prints_the_package(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert model(["show", str(package)]) == 0
    printed = capsys.readouterr().out
    for part in ("tiny 0.0.1", "96x64 int8 bgr", "person_ap50 = 0.1", "noise (CC0)", "tflite:"):
        assert part in printed


def test_show_refuses_a_changed_file(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (package / "tiny.tflite").write_bytes(b"other")
    assert model(["show", str(package)]) == 3
    assert "tiny.tflite: 5 bytes" in capsys.readouterr().err


def test_list_names_every_shipped_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert model(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(shipped_packages())
    assert lines[0].split()[:2] == ["name", "version"]


@pytest.mark.parametrize("arguments", [[], ["paint"], ["pack", "x.json"], ["show"]])
def test_incomplete_commands_are_exit_code_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert model(arguments) == 2
    assert "usage" in capsys.readouterr().err


def test_help_is_exit_code_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert model(["--help"]) == 0
    assert detect(["--help"]) == 0
    assert "--images" in capsys.readouterr().out


def test_pack_refuses_what_is_no_description(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.json"
    file.write_text("{")
    assert model(["pack", str(file), "--out", str(tmp_path / "out")]) == 3
    assert "not a model description" in capsys.readouterr().err
