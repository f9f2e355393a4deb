"""Students that no camera should keep, and one that it should: packages for updates in scenarios.

Each is the shipped detector with something changed in the bytes of its network. Their descriptions
and hashes are right and, but for "nan", every runtime loads them: only a trial can tell.

    good        a few weights are one step larger, and the version is newer
    random      all weights are random bytes
    blind       nobody ever scores enough to be a person; helmets and vests go on
    everywhere  every place scores as surely as can be to be a person
    slow        every operator is there ten times; the answers are the same to the bit
    nan         a scale is not a number: the check of the file's structure refuses it
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.package import DESCRIPTION, STUDENTS, read_info

DETECTOR: Final = STUDENTS / "ppe_s"
SEED: Final = 20_261_121
SMALLEST_WEIGHTS: Final = 64
"""Constants with fewer bytes are shapes and biases."""
TOUCHED: Final = 40
"""Weights that the good student has changed."""
BLIND_LOGIT, SURE_LOGIT = -30.0, 30.0
TIMES: Final = 10
INT8: Final = 9
"""TensorType of the schema."""


class Network:
    """A .tflite file whose numbers can be changed where they lie.

    Attributes:
        content: the file.
    """

    def __init__(self, content: bytes) -> None:
        self.content = bytearray(content)
        self._schema = import_module("ai_edge_litert.schema_py_generated")
        self._model = self._schema.Model.GetRootAs(self.content)
        self._graph = self._model.Subgraphs(0)
        self._makers = {}
        for place in range(self._graph.OperatorsLength()):
            operator = self._graph.Operators(place)
            for output in operator.OutputsAsNumpy():
                self._makers[int(output)] = [int(one) for one in operator.InputsAsNumpy()]

    def weights(self) -> list[Any]:
        """Writable int8 arrays of all weights."""
        found = []
        for place in range(self._graph.TensorsLength()):
            if self._graph.Tensors(place).Type() == INT8:
                data = self._data(place)
                if data is not None and data.size >= SMALLEST_WEIGHTS:
                    found.append(data.view(np.int8))
        return found

    def scores(self) -> list[tuple[Any, Any, float]]:
        """For each class head: its bias int32[classes], the scale of its logits, bias's scale."""
        found = []
        for output in self._graph.OutputsAsNumpy():
            inputs = self._makers[int(output)]
            if len(inputs) == 1:  # the sigmoid; boxes come straight from a convolution
                bias = self._makers[inputs[0]][2]
                found.append(
                    (
                        self._data(bias).view(np.int32),
                        self.scale(inputs[0]),
                        float(self.scale(bias)[0]),
                    )
                )
        return found

    def scale(self, tensor: int) -> Any:
        """Writable float32 array of a tensor's scales."""
        return self._graph.Tensors(tensor).Quantization().ScaleAsNumpy()

    def repeated(self, times: int) -> bytes:
        """The same network with every operator so many times in a row."""
        flatbuffers = import_module("flatbuffers")
        model = self._schema.ModelT.InitFromObj(self._model)
        for buffer in model.buffers:
            if buffer.size:
                buffer.data = np.frombuffer(self.content, np.uint8, buffer.size, buffer.offset)
                buffer.offset = buffer.size = 0
        graph = model.subgraphs[0]
        graph.operators = [one for one in graph.operators for _ in range(times)]
        builder = flatbuffers.Builder(len(self.content))
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def repeats(self) -> int:
        """How many times the operators are there: a simulator takes time for each."""
        return int(self._graph.OperatorsLength()) // len(self._makers)

    def _data(self, tensor: int) -> Any:
        buffer = self._model.Buffers(self._graph.Tensors(tensor).Buffer())
        if buffer.Size():  # large ones lie behind the tables
            return np.frombuffer(self.content, np.uint8, buffer.Size(), buffer.Offset())
        return None if buffer.DataIsNone() else buffer.DataAsNumpy()


def _good(network: Network) -> bytes:
    weights = max(network.weights(), key=len)
    step = len(weights) // TOUCHED
    few = weights[: step * TOUCHED : step]
    few += (few < 127).astype(np.int8)
    return bytes(network.content)


def _random(network: Network) -> bytes:
    rng = np.random.default_rng(SEED)
    for weights in network.weights():
        weights[:] = rng.integers(-127, 128, len(weights), np.int8)
    return bytes(network.content)


def _blind(network: Network) -> bytes:
    for bias, _, scale in network.scores():
        bias[0] = round(BLIND_LOGIT / scale)
    return bytes(network.content)


def _everywhere(network: Network) -> bytes:
    for bias, _, scale in network.scores():
        bias[0] = round(SURE_LOGIT / scale)
    return bytes(network.content)


def _slow(network: Network) -> bytes:
    return network.repeated(TIMES)


def _nan(network: Network) -> bytes:
    network.scores()[0][1][:] = np.nan
    return bytes(network.content)


KINDS: Final[dict[str, Callable[[Network], bytes]]] = {
    "good": _good,
    "random": _random,
    "blind": _blind,
    "everywhere": _everywhere,
    "slow": _slow,
    "nan": _nan,
}


def make(kind: str, out: Path, package: Path = DETECTOR) -> Path:
    """Write a package folder; always the same bytes for the same kind and package.

    Args:
        kind: one of KINDS.
        out: the folder to write.
        package: the detector that it is made of.

    Returns:
        `out`. Its version is the package's with the kind behind it, e.g. "0.2.0+blind".

    Raises:
        KeyError: there is no such kind.
        ModelRefused: the package is none.
    """
    info = read_info(package)
    target = info.targets[0]
    content = KINDS[kind](Network((package / target.file).read_bytes()))
    out.mkdir(parents=True, exist_ok=True)
    text = (package / DESCRIPTION).read_text(encoding="utf-8")
    for old, new in (
        (f'sha256 = "{target.sha256}"', f'sha256 = "{hashlib.sha256(content).hexdigest()}"'),
        (f"bytes = {target.bytes}", f"bytes = {len(content)}"),
        (f'version = "{info.version}"', f'version = "{info.version}+{kind}"'),
    ):
        text = text.replace(old, new)
    (out / DESCRIPTION).write_text(text, encoding="utf-8")
    (out / target.file).write_bytes(content)
    return out
