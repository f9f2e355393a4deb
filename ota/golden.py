"""Golden inputs: a network that a bundle brought answers them as it did on the maker's machine.

    msgpack {
      "format": 1,
      "inputs": [bytes, ...],        each picture: zlib of the input tensor's bytes
      "outputs": [[dtype, bytes], ...],  each output tensor: zlib of its bytes for all pictures
      "allowed": {target: [number, ...]},  for each output tensor; "" for targets not named
    }

`allowed` is the mean absolute difference over all values of a tensor and all pictures, in its own
units (LSB of int8). Two runtimes differ by less than 0.05 of how far the tensor moves around its
median, a wrong network by 0.4 and more; see `ota.golden_make` for what is allowed between them.
"""

from __future__ import annotations

import zlib
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from drivers.faults import NpuFault
from drivers.interfaces import Session
from ota import wire
from ota.refusal import Refused

FORMAT: Final = 1
MAX_GOLDEN_BYTES: Final = 1 << 19
MAX_PICTURES: Final = 16
DTYPES: Final = ("int8", "uint8", "float32")


class GoldenCheck:
    """The check, picture by picture, so that a loop can go on between two of them.

    Attributes:
        used: worst share of what is allowed, once all pictures were answered.
    """

    def __init__(self, data: bytes, session: Session, target: str) -> None:
        """Read a golden file and see that it is for such a network.

        Args:
            data: the file.
            session: of the network to check.
            target: the NPU's.

        Raises:
            Refused: "golden", "malformed", "too_long", "too_deep" or "newer_format".
        """
        raw = _read(data)
        self._session = session
        self._inputs: list[bytes] = raw["inputs"]
        count = len(self._inputs)
        outputs = session.outputs
        if len(session.inputs) != 1 or len(raw["outputs"]) != len(outputs):
            raise Refused("golden", "made for a network with other tensors")
        self._wanted = [
            _wanted(entry, output, count)
            for entry, output in zip(raw["outputs"], outputs, strict=True)
        ]
        self._allowed = _allowed(raw["allowed"], target, len(outputs))
        self._sums = [0.0] * len(outputs)
        self._next = 0
        self.used = 0.0

    def step(self) -> bool:
        """Ask for one picture; True when that was the last one, and all answers are right.

        Raises:
            Refused: "golden": the network failed, gave no numbers, or answers otherwise.
        """
        picture = self._inputs[self._next]
        tensor = self._session.inputs[0]
        content = _inflate(picture, tensor.nbytes)
        np.copyto(tensor, np.frombuffer(content, tensor.dtype).reshape(tensor.shape))
        try:
            self._session.invoke()
        except NpuFault as fault:
            raise Refused("golden", str(fault)) from fault
        for place, output in enumerate(self._session.outputs):
            self._add(place, output)
        self._next += 1
        if self._next < len(self._inputs):
            return False
        self._judge()
        return True

    def _add(self, place: int, output: npt.NDArray[Any]) -> None:
        found = output.reshape(-1).astype(np.float32)
        if not np.isfinite(found).all():
            raise Refused("golden", f"output {place} is no number")
        difference = np.abs(found - self._wanted[place][self._next])
        self._sums[place] += float(difference.mean(dtype=np.float64))

    def _judge(self) -> None:
        for place, total in enumerate(self._sums):
            mean, allowed = total / len(self._inputs), self._allowed[place]
            self.used = max(self.used, mean / allowed)
            if not mean <= allowed:
                raise Refused(
                    "golden", f"output {place} is off by {mean:.3g}; allowed: {allowed:.3g}"
                )


def check_golden(data: bytes, session: Session, target: str) -> float:
    """Run all pictures; the session's output is another one afterwards.

    Returns:
        The worst share of what is allowed, 0..1.

    Raises:
        Refused: as `GoldenCheck`.
    """
    check = GoldenCheck(data, session, target)
    while not check.step():
        pass
    return check.used


def _read(data: bytes) -> dict[str, Any]:
    raw = wire.unpack(data, MAX_GOLDEN_BYTES, "golden inputs")
    if not isinstance(raw, dict) or not isinstance(raw.get("format"), int):
        raise Refused("malformed", "golden inputs: no format")
    if raw["format"] > FORMAT:
        raise Refused("newer_format", f"golden inputs: format {raw['format']}; known: {FORMAT}")
    inputs, outputs = raw.get("inputs"), raw.get("outputs")
    if not isinstance(inputs, list) or not isinstance(outputs, list):
        raise Refused("malformed", "golden inputs: no lists")
    if not 1 <= len(inputs) <= MAX_PICTURES or not all(isinstance(one, bytes) for one in inputs):
        raise Refused("malformed", f"golden inputs: not 1 to {MAX_PICTURES} pictures")
    if not isinstance(raw.get("allowed"), dict):
        raise Refused("malformed", "golden inputs: nothing is allowed")
    return raw


def _wanted(entry: Any, output: npt.NDArray[Any], count: int) -> npt.NDArray[np.float32]:
    """float32[pictures, values] of one output."""
    if not isinstance(entry, list) or len(entry) != 2 or entry[0] not in DTYPES:
        raise Refused("malformed", "golden inputs: an output is no pair of type and bytes")
    if entry[0] != output.dtype.name or not isinstance(entry[1], bytes):
        raise Refused("golden", f"made for a network that gives {entry[0]}")
    content = _inflate(entry[1], count * output.nbytes)
    return np.frombuffer(content, output.dtype).reshape(count, -1).astype(np.float32)


def _allowed(raw: dict[str, Any], target: str, count: int) -> list[float]:
    numbers = raw.get(target, raw.get(""))
    if not isinstance(numbers, list) or len(numbers) != count:
        raise Refused("golden", f"made for other targets than {target}")
    if not all(isinstance(one, (int, float)) and 0 < one < 256 for one in numbers):
        raise Refused("malformed", "golden inputs: what is allowed is no difference")
    return [float(one) for one in numbers]


def _inflate(data: bytes, size: int) -> bytes:
    """Exactly `size` bytes, never more in memory."""
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(data, size + 1)
    except zlib.error as error:
        raise Refused("malformed", f"golden inputs: {error}") from error
    if len(content) != size or not unpacker.eof:
        raise Refused("golden", f"made for a network with tensors other than of {size} bytes")
    return content
