"""What a package may say, and that its file and its network are the ones described."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from drivers.faults import ModelRefused
from models.package import find_package, load_package, read_info, shipped_packages
from models.signature import open_session
from tests.models import tiny_tflite

RUNTIMES = tuple(tiny_tflite.RUNTIMES)


@pytest.fixture(scope="module")
def content() -> bytes:
    return tiny_tflite.build()


@pytest.fixture
def tables(content: bytes) -> dict[str, Any]:
    return copy.deepcopy(tiny_tflite.description(content, ["person"]))


def _set(tables: dict[str, Any], key: str, value: object) -> None:
    *steps, last = key.split(".")
    target: Any = tables
    for step in steps:
        target = target[int(step)] if step.isdigit() else target[step]
    target[last] = value


def test_a_good_package_loads(tmp_path: Path, tables: dict[str, Any], content: bytes) -> None:
    package = load_package(tiny_tflite.write_package(tmp_path, tables, content), "tflite")
    assert package.info.classes == ["person"]
    assert package.info.accuracy == {"person_ap50": 0.1}
    assert package.file == tmp_path / "tiny.tflite"


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("format", 2, "format"),
        ("role", "judge", "role"),
        ("family", "anchors", "family"),
        ("classes", [], "classes"),
        ("classes", ["person", "person"], "named once"),
        ("classes", ["person", "helmet"], r"\[1, 8, 12, 2\] for stride 8"),
        ("surprise", 1, "surprise"),
        ("input.shape", [1, 64, 96, 1], "input.shape"),
        ("input.dtype", "float32", "input.dtype"),
        ("input.pad_value", 256, "input.pad_value"),
        ("input.letterbox", "centre", "input.letterbox"),
        ("decode.box", "xyxy", "decode.box"),
        ("decode.score", "logit_objectness", "0 objectness for stride 8"),
        ("thresholds.score", 1.5, "thresholds.score"),
        ("outputs.0.stride", 16, r"outputs\[0\].shape"),
        ("outputs.2.stride", 8, "2 box for stride 8"),
        ("outputs.0.kind", "class", "0 box for stride 8"),
        ("outputs.0.kind", "objectness", "cannot be"),
        ("outputs.1.index", 0, "each once"),
        ("outputs.1.index", 9, "0 to 3"),
        ("outputs.0.dtype", "uint8", "as the others"),
        ("outputs.0.scale", 0.0, r"outputs\[0\].scale"),
        ("targets.0.file", "../tiny.tflite", "plain file name"),
        ("targets.0.file", "/etc/passwd", "plain file name"),
        ("targets.0.file", ".", "plain file name"),
        ("targets.0.file", "a/b.tflite", "plain file name"),
        ("targets.0.sha256", "abc", r"targets\[0\].sha256"),
        ("targets.0.bytes", 0, r"targets\[0\].bytes"),
    ],
)
def test_a_wrong_description_is_refused_by_key(
    tmp_path: Path, tables: dict[str, Any], content: bytes, key: str, value: object, reason: str
) -> None:
    _set(tables, key, value)
    folder = tiny_tflite.write_package(tmp_path, tables, content)
    with pytest.raises(ModelRefused, match=reason) as refused:
        load_package(folder, "tflite")
    assert refused.value.path == str(folder / "model.toml")


def test_all_mistakes_are_named_at_once(
    tmp_path: Path, tables: dict[str, Any], content: bytes
) -> None:
    _set(tables, "role", "judge")
    _set(tables, "thresholds.score", 7.0)
    _set(tables, "outputs.0.shape", [1, 8, 12, 5])
    _set(tables, "outputs.1.index", 0)
    with pytest.raises(ModelRefused) as refused:
        read_info(tiny_tflite.write_package(tmp_path, tables, content))
    for part in ("role", "thresholds.score", "outputs[0].shape", "each once"):
        assert part in refused.value.reason


def test_two_files_for_one_target_are_refused(
    tmp_path: Path, tables: dict[str, Any], content: bytes
) -> None:
    tables["targets"] *= 2
    with pytest.raises(ModelRefused, match="must have one file"):
        read_info(tiny_tflite.write_package(tmp_path, tables, content))


def test_a_target_that_is_not_there_names_those_that_are(
    tmp_path: Path, tables: dict[str, Any], content: bytes
) -> None:
    folder = tiny_tflite.write_package(tmp_path, tables, content)
    with pytest.raises(ModelRefused, match=r"'rk3588'; it has: tflite"):
        load_package(folder, "rk3588")


def test_another_file_is_refused(tmp_path: Path, tables: dict[str, Any], content: bytes) -> None:
    folder = tiny_tflite.write_package(tmp_path, tables, content)
    file = folder / "tiny.tflite"
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ModelRefused, match="sha256"):
        load_package(folder, "tflite")
    file.write_bytes(content + b"\0")
    with pytest.raises(ModelRefused, match=f"{len(content) + 1} bytes"):
        load_package(folder, "tflite")
    file.unlink()
    with pytest.raises(ModelRefused, match="no such file"):
        load_package(folder, "tflite")


def test_a_folder_without_a_description_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match=r"model\.toml"):
        load_package(tmp_path, "tflite")


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_network_is_the_one_described(
    tmp_path: Path, tables: dict[str, Any], content: bytes, runtime: str
) -> None:
    folder = tiny_tflite.write_package(tmp_path, tables, content)
    session = open_session(load_package(folder, "tflite"), tiny_tflite.npu(runtime))
    assert len(session.outputs) == 4


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"input.scale": 0.5}, ["input.scale = 0.5, the model has 0.0078125"]),
        ({"input.dtype": "uint8"}, ['input.dtype = "uint8", the model has "int8"']),
        ({"outputs.0.scale": 0.02001}, ["outputs[0].scale = 0.02001"]),
        ({"outputs.2.zero_point": 4}, ["outputs[2].zero_point = 4, the model has -3"]),
        (
            {"outputs.0.index": 1, "outputs.1.index": 0},
            [
                "outputs[0].shape = [1, 8, 12, 4], the model has [1, 8, 12, 1]",
                "outputs[1].shape = [1, 8, 12, 1], the model has [1, 8, 12, 4]",
                "outputs[0].zero_point",
            ],
        ),
    ],
)
def test_a_network_that_is_another_is_refused_with_every_difference(
    tmp_path: Path,
    tables: dict[str, Any],
    content: bytes,
    changes: dict[str, object],
    reasons: list[str],
) -> None:
    for key, value in changes.items():
        _set(tables, key, value)
    package = load_package(tiny_tflite.write_package(tmp_path, tables, content), "tflite")
    with pytest.raises(ModelRefused) as refused:
        open_session(package, tiny_tflite.npu("litert"))
    for reason in reasons:
        assert reason in refused.value.reason


def test_a_network_with_other_classes_is_refused(tmp_path: Path, tables: dict[str, Any]) -> None:
    two = tiny_tflite.build(classes=2)
    described = tiny_tflite.description(two, ["person"])
    package = load_package(tiny_tflite.write_package(tmp_path, described, two), "tflite")
    with pytest.raises(ModelRefused, match=r"outputs\[1\]\.shape .*\[1, 8, 12, 2\]"):
        open_session(package, tiny_tflite.npu("litert"))


@pytest.mark.data
def test_a_float_network_is_refused(
    tmp_path: Path, tables: dict[str, Any], shared_data: Path
) -> None:
    pattern = "mediapipe/face_detection_short_range*.tflite"
    content = next((shared_data / "models").glob(pattern)).read_bytes()
    tables["targets"] = tiny_tflite.description(content, ["person"])["targets"]
    package = load_package(tiny_tflite.write_package(tmp_path, tables, content), "tflite")
    with pytest.raises(ModelRefused, match='the model has "float32"') as refused:
        open_session(package, tiny_tflite.npu("litert"))
    assert "4 output tensors described, the model has 2" in refused.value.reason


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_shipped_package_opens(runtime: str) -> None:
    folders = shipped_packages()
    if not folders:
        pytest.skip("no student is shipped yet")
    for folder in folders:
        assert find_package(folder.name) == folder
        package = load_package(folder, "tflite")
        open_session(package, tiny_tflite.npu(runtime)).close()


@pytest.mark.parametrize(
    ("per_class", "reason"),
    [
        ({"boots": 0.3}, "thresholds.per_class.boots"),
        ({"person": 1.5}, "thresholds.per_class.person = 1.5"),
    ],
)
def test_a_score_for_a_class_that_is_not_there_is_refused(
    tmp_path: Path, tables: dict[str, Any], content: bytes, per_class: dict[str, float], reason: str
) -> None:
    folder = tiny_tflite.write_package(tmp_path, tables, content)
    (name, score), *_ = per_class.items()
    file = folder / "model.toml"
    line = f"nms_iou = 0.6\nper_class = {{ {name} = {score} }}"
    file.write_text(file.read_text().replace("nms_iou = 0.6", line))
    with pytest.raises(ModelRefused) as refused:
        read_info(folder)
    assert reason in str(refused.value)
