"""What a loaded network says about its own tensors, for comparison with what a package promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from drivers.interfaces import Session


class TensorDetail(NamedTuple):
    """One tensor: `real = (stored - zero_point) * scale`.

    Attributes:
        name: the tensor's name in the model file.
        shape: e.g. (1, 256, 320, 3).
        dtype: numpy's name: "int8", "uint8", "float32".
        scale: real units per step; 0.0 where the tensor is not quantized.
        zero_point: stored value that means zero.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int


@runtime_checkable
class DescribedSession(Session, Protocol):
    """A Session that also knows its tensors; `input_details[i]` describes `inputs[i]`."""

    input_details: Sequence[TensorDetail]
    output_details: Sequence[TensorDetail]
