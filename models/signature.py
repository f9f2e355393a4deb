"""Compares what a package promises with what the loaded network really has."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy.typing as npt

from drivers.faults import ModelRefused
from drivers.interfaces import Npu, Session
from drivers.npu.tensors import DescribedSession, TensorDetail
from models.package import InputInfo, OutputInfo, Package

RELATIVE = 1e-6
"""Scales are written as decimal text and stored as float32."""

Promise = InputInfo | OutputInfo


def open_session(package: Package, npu: Npu) -> Session:
    """Load a package's verified file and compare its tensors with the description.

    Raises:
        ModelRefused: every tensor that is not as promised, one per line: key, value, found.
        NpuFault: the device failed.
    """
    session = npu.load(str(package.file))
    wrong = list(_differences(package, session))
    if wrong:
        session.close()
        raise ModelRefused(str(package.file), "not the network described:\n  " + "\n  ".join(wrong))
    return session


def _differences(package: Package, session: Session) -> Iterator[str]:
    details_in: Sequence[TensorDetail] = ()
    details_out: Sequence[TensorDetail] = ()
    if isinstance(session, DescribedSession):
        details_in, details_out = session.input_details, session.output_details
    info = package.info
    yield from _compare_all(["input"], [info.input], session.inputs, details_in)
    outputs = sorted(info.outputs, key=lambda output: output.index)
    keys = [f"outputs[{info.outputs.index(output)}]" for output in outputs]
    yield from _compare_all(keys, outputs, session.outputs, details_out)


def _compare_all(
    keys: list[str],
    promises: Sequence[Promise],
    arrays: Sequence[npt.NDArray[Any]],
    details: Sequence[TensorDetail],
) -> Iterator[str]:
    what = keys[0].partition("[")[0].rstrip("s")
    if len(promises) != len(arrays):
        yield f"{len(promises)} {what} tensors described, the model has {len(arrays)}"
    for i, (key, promise, array) in enumerate(zip(keys, promises, arrays, strict=False)):
        yield from _compare(key, promise, array)
        if i < len(details):
            yield from _compare_quantization(key, promise, details[i])


def _compare(key: str, promise: Promise, array: npt.NDArray[Any]) -> Iterator[str]:
    if tuple(promise.shape) != array.shape:
        yield f"{key}.shape = {promise.shape}, the model has {list(array.shape)}"
    if promise.dtype != array.dtype.name:
        yield f'{key}.dtype = "{promise.dtype}", the model has "{array.dtype.name}"'


def _compare_quantization(key: str, promise: Promise, detail: TensorDetail) -> Iterator[str]:
    if not math.isclose(promise.scale, detail.scale, rel_tol=RELATIVE):
        yield f"{key}.scale = {promise.scale!r}, the model has {detail.scale!r}"
    if promise.zero_point != detail.zero_point:
        yield f"{key}.zero_point = {promise.zero_point}, the model has {detail.zero_point}"
