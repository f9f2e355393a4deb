"""What a `model.toml` of a skeleton network may say, and what is refused."""

from __future__ import annotations

import copy

import pytest

from drivers.faults import ModelRefused
from models.pack import to_toml
from models.package import read_info
from models.skeletons import KEYPOINTS


def tensor(index, kind, shape, **more):
    quantized = {"dtype": "int8", "scale": 0.1, "zero_point": 0}
    return {"index": index, "kind": kind, "stride": 8, "shape": shape} | quantized | more


CELLS = {
    "format": 1,
    "name": "joints",
    "version": "0.1.0",
    "role": "skeleton",
    "family": "joint_cells",
    "licence": "Apache-2.0",
    "classes": list(KEYPOINTS),
    "input": {"shape": [1, 128, 96, 3], "dtype": "int8", "scale": 1 / 128, "zero_point": 0},
    "decode": {"box": "none", "score": "probability"},
    "thresholds": {"score": 0.3},
    "outputs": [
        tensor(0, "cells", [1, 16, 12, 17]),
        tensor(1, "offsets", [1, 16, 12, 34]),
        tensor(2, "visible", [1, 1, 1, 17]),
    ],
    "targets": [{"npu": "tflite", "file": "a.tflite", "sha256": "0" * 64, "bytes": 1}],
}
MOVENET = CELLS | {
    "family": "movenet",
    "input": {"shape": [1, 192, 192, 3], "dtype": "uint8", "scale": 0.0, "zero_point": 0},
    "outputs": [tensor(0, "points", [1, 1, 17, 3], dtype="float32", scale=0.0)],
}


def read(tmp_path, raw):
    (tmp_path / "model.toml").write_text(to_toml(raw))
    return read_info(tmp_path)


@pytest.mark.parametrize("raw", [CELLS, MOVENET], ids=["joint_cells", "movenet"])
def test_a_right_description_is_read(tmp_path, raw):
    info = read(tmp_path, raw)
    assert (info.role, info.family) == ("skeleton", raw["family"])
    assert info.input.crop_margin == 0.25


@pytest.mark.parametrize(
    ("base", "where", "value", "said"),
    [
        (CELLS, ("family",), "anchor_free", 'family = "anchor_free"'),
        (CELLS, ("role",), "detector", 'must be "anchor_free" for role = "detector"'),
        (CELLS, ("classes",), ["person"], "must be the joints in COCO's order: nose, left_eye"),
        (CELLS, ("input", "crop_margin"), 3.0, "input.crop_margin = 3"),
        (CELLS, ("input", "scale"), 0.0, "input.scale = 0"),
        (CELLS, ("decode", "box"), "ltrb_exp", "decode.box"),
        (CELLS, ("decode", "score"), "logit", "decode.score"),
        (CELLS, ("outputs", 0, "shape"), [1, 12, 16, 17], "must be [1, 16, 12, 17] for stride 8"),
        (CELLS, ("outputs", 1, "kind"), "box", "must be one of cells, offsets, visible"),
        (CELLS, ("outputs", 2, "index"), 1, "indices must be 0 to 2, each once"),
        (CELLS, ("outputs", 2, "dtype"), "uint8", 'must be "int8"'),
        (CELLS, ("outputs", 2, "scale"), 0.0, "must be 0 for float32, > 0 for the others"),
        (MOVENET, ("outputs", 0, "shape"), [1, 1, 18, 3], "must be [1, 1, 17, 3]"),
        (MOVENET, ("outputs", 0, "dtype"), "int8", "outputs[0].dtype"),
        (MOVENET, ("outputs", 0, "kind"), "cells", 'must be "points"'),
    ],
)
def test_a_wrong_value_is_refused_by_key(tmp_path, base, where, value, said):
    raw = copy.deepcopy(base)
    part = raw
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = value
    with pytest.raises(ModelRefused) as refused:
        read(tmp_path, raw)
    assert said in str(refused.value)


def test_a_missing_output_is_refused(tmp_path):
    with pytest.raises(ModelRefused, match="cells, offsets, visible, each once"):
        read(tmp_path, CELLS | {"outputs": CELLS["outputs"][:2]})


def test_a_grid_of_joints_is_no_detector(tmp_path):
    raw = CELLS | {"role": "detector", "family": "anchor_free", "classes": ["person"]}
    raw |= {"decode": {"box": "ltrb_exp", "score": "probability"}}
    with pytest.raises(ModelRefused, match="must be one of box, class, objectness"):
        read(tmp_path, raw)
