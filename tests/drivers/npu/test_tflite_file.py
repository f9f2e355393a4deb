"""The structure check: whole files pass, and nothing else does more than be refused."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.faults import ModelRefused
from drivers.npu.tflite_file import verify_tflite
from tests.models import tiny_tflite


@cache
def tiny() -> bytes:
    return tiny_tflite.build()


def test_a_whole_file_passes() -> None:
    verify_tflite(tiny(), "tiny.tflite")


def test_every_shorter_file_is_refused() -> None:
    for length in range(0, len(tiny()), 37):
        with pytest.raises(ModelRefused):
            verify_tflite(tiny()[:length], "cut.tflite")


@settings(max_examples=300, deadline=None)
@given(
    places=st.lists(st.integers(0, 1 << 20), min_size=1, max_size=12),
    words=st.lists(st.integers(-(2**31), 2**31 - 1), min_size=12, max_size=12),
)
def test_damage_passes_or_is_refused_and_nothing_else(places: list[int], words: list[int]) -> None:
    damaged = bytearray(tiny())
    for place, word in zip(places, words, strict=False):
        struct.pack_into("<i", damaged, place % (len(damaged) - 4), word)
    with suppress(ModelRefused):
        verify_tflite(bytes(damaged), "damaged.tflite")


def _rebuilt(change: Callable[[Any], None]) -> bytes:
    import flatbuffers

    schema = tiny_tflite.schema()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(tiny(), 0))
    change(model)
    packer = flatbuffers.Builder(4096)
    packer.Finish(model.Pack(packer), b"TFL3")
    return bytes(packer.Output())


def _set(path: str, value: object) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        *steps, last = path.split(".")
        for step in steps:
            model = model[int(step)] if step.isdigit() else getattr(model, step)
        setattr(model, last, value)

    return change


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("version", 2, "schema version 2"),
        ("subgraphs", [], "no graph"),
        ("subgraphs.0.outputs", [999], "graph tensor 999"),
        ("subgraphs.0.tensors.1.buffer", 99, "tensor buffer 99"),
        ("subgraphs.0.tensors.1.shape", [4, 8, 8, 2], "its buffer has"),
        ("subgraphs.0.tensors.1.shape", [1 << 30, 8, 8, 3], "is over"),
        ("subgraphs.0.tensors.1.shape", [-1, 8, 8, 3], "tensor shape"),
        ("subgraphs.0.tensors.1.shape", [1] * 9, "tensor shape"),
        ("subgraphs.0.tensors.1.type", 5, "tensor type 5"),
        ("subgraphs.0.tensors.1.quantization.scale", [float("nan")], "tensor scale nan"),
        ("subgraphs.0.tensors.1.quantization.scale", [-1.0], "tensor scale"),
        ("subgraphs.0.operators.0.opcodeIndex", 3, "operator code 3"),
        ("subgraphs.0.operators.0.inputs", [-1, 1, 2], "operator tensor -1"),
        ("subgraphs.0.operators.0.outputs", [-1], "operator tensor -1"),
        ("operatorCodes.0.builtinCode", 49, "operator 49 disagrees"),
    ],
)
def test_parts_that_disagree_are_refused(path: str, value: object, reason: str) -> None:
    with pytest.raises(ModelRefused, match=reason):
        verify_tflite(_rebuilt(_set(path, value)), "wrong.tflite")
