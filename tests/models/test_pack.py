"""Packages made from a description, and refusals that leave nothing behind."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from drivers.faults import ModelRefused
from models.pack import pack, to_toml
from models.package import load_package
from models.signature import open_session
from tests.models import tiny_tflite


@pytest.fixture
def description(tmp_path: Path) -> dict[str, Any]:
    content = tiny_tflite.build()
    (tmp_path / "tiny.tflite").write_bytes(content)
    tables = tiny_tflite.description(content, ["person"])
    names = {"box": "box", "class": "cls"}
    outputs = [
        {**entry, "name": f"{names[entry['kind']]}_s{entry['stride']}", "position": entry["index"]}
        for entry in tables["outputs"]
    ]
    outputs[0]["meaning"] = "ltrb: exp(v)*stride around the cell"
    return {
        "name": "tiny",
        "licence": "Apache-2.0",
        "file": "tiny.tflite",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "input": {**tables["input"], "channel_order": "BGR"},
        "outputs": outputs,
        "score": "cls",
        "produced": "ignored",
    }


def _write(folder: Path, description: dict[str, Any]) -> Path:
    file = folder / "tiny.json"
    file.write_text(json.dumps(description), encoding="utf-8")
    return file


def test_a_packed_model_opens(tmp_path: Path, description: dict[str, Any]) -> None:
    package = pack(_write(tmp_path, description), tmp_path / "out", 0.4, 0.55)
    assert package.info.thresholds.score == 0.4
    assert package.info.thresholds.nms_iou == 0.55
    assert package.info.decode.box == "ltrb_exp"
    again = load_package(tmp_path / "out", "tflite")
    assert again == package
    open_session(again, tiny_tflite.npu("litert")).close()


def test_packing_beside_the_description_keeps_the_file(
    tmp_path: Path, description: dict[str, Any]
) -> None:
    pack(_write(tmp_path, description), tmp_path, 0.4, 0.6)
    load_package(tmp_path, "tflite")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("sha256", "0" * 64, "sha256 is"),
        ("bytes", 5, "bytes; the description says 5"),
        ("file", "missing.tflite", "no such file"),
        ("file", "../tiny.tflite", "plain name"),
        ("score", "softmax", 'score = "softmax" is unknown'),
        ("outputs", [], "box meaning"),
        ("name", 5, "not a model description"),
    ],
)
def test_a_wrong_description_writes_nothing(
    tmp_path: Path, description: dict[str, Any], key: str, value: object, reason: str
) -> None:
    description[key] = value
    with pytest.raises(ModelRefused, match=reason):
        pack(_write(tmp_path, description), tmp_path / "out", 0.3, 0.6)
    assert not (tmp_path / "out").exists()


def test_what_is_written_reads_back() -> None:
    tables = tiny_tflite.description(b"abc", ['per"son', "머리"])
    assert tomllib.loads(to_toml(tables)) == tables


@pytest.mark.data
@pytest.mark.parametrize("size", ["320x256", "416x416"])
def test_the_reference_models_pack(shared_data: Path, tmp_path: Path, size: str) -> None:
    description = shared_data / f"models/reference/yolox_nano_person_{size}_int8.json"
    package = pack(description, tmp_path / "out", 0.3, 0.6)
    assert package.info.decode.score == "logit_objectness"
    assert package.info.decode.box == "yolox_cxcywh"
    assert sorted({output.stride for output in package.info.outputs}) == [8, 16, 32]
