"""A virtual NPU: RKNNLite with an NPU that fails, hangs, repeats and lies on command.

On an arm64 machine with rknn-toolkit-lite2 the tests run the real RKNNLite on `librknnrt.c`; on a
PC its twin here, which behaves as the real one was seen to behave (2.3.2 and 2.5.0), traps
included. Both read the control file named by VIRTUAL_NPU, of lines `WORD VALUE`:

    init, query, mask, set, run, get, release   that function's return code; `run` computes nothing
    say         what a function that fails prints
    repeats     runs that compute nothing and return 0: `*`, or `yny` for the first and third
    init_ms     rknn_init takes so long, or until the file says otherwise
    hang_ms     a run takes so long, or until the file says otherwise
    nan         float outputs have one NaN
    unwritten   outputs are not written; `foreign`: they lie elsewhere than asked for
    off         added to every stored output; `drift`: once more at each run
    core        run, repeats, hang_ms, off and drift are only for this core mask
    runtime, driver   versions
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import struct
import sys
import time
import types
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from drivers.npu import rknn_api as c
from drivers.npu.rknn_file import BODY_AT, MAGIC, PREAMBLE

IS_REAL = importlib.util.find_spec("rknnlite") is not None
PRINTED = {-1: "RKNN_ERR_FAIL", -6: "RKNN_ERR_MODEL_INVALID", -3: "RKNN_ERR_DEVICE_UNAVAILABLE"}

DETECTOR = """\
in image 2 1 0 0.0078125 1 8 12 3
out box 2 0 -3 0.5 1 4 4 6
out class 2 0 -128 0.00390625 1 2 4 6
out box16 3 0 7 0.25 1 4 2 3
"""
SKELETON = """\
in joints 2 0 5 0.03125 1 51 1 1
out class 2 0 0 0.125 1 12 1 1
"""
FLOATS = """\
in image 2 1 0 0.0078125 1 8 12 3
in extra 0 3 0 0 1 6
out points 1 0 0 0 1 3 2 4
out visible 0 3 0 0 1 17
"""


def model(body: str = DETECTOR, platforms: Sequence[str] = ("rk3588",)) -> bytes:
    """A file as the converter lays it out, with a body that a virtual NPU runs."""
    told = {"target_platform": list(platforms), "version": "2.5.0", "input_num": 1, "output_num": 1}
    text = json.dumps(told).encode()
    start = PREAMBLE.pack(MAGIC, 6, len(body)).ljust(BODY_AT, b"\0")
    return start + body.encode() + struct.pack("<Q", len(text)) + text


class Line(NamedTuple):
    """One tensor of a model's body."""

    side: str
    name: str
    type: int
    fmt: int
    zp: int
    scale: float
    shape: tuple[int, ...]

    @property
    def is_quantized(self) -> bool:
        return self.type in (c.INT8, c.UINT8)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))


def lines(body: str, side: str) -> list[Line]:
    found = []
    for line in body.splitlines():
        words = line.split()
        numbers = (int(words[2]), int(words[3]), int(words[4]), float(words[5]))
        found.append(Line(words[0], words[1], *numbers, tuple(map(int, words[6:]))))
    return [line for line in found if line.side == side]


def answers(body: str, x: np.ndarray, off: int = 0) -> list[np.ndarray]:
    """The outputs for input bytes, in the library's order: stored values, or float32."""
    found = []
    for o, line in enumerate(lines(body, "out")):
        k = np.arange(line.size)
        near, far = x[(k * 7 + o * 13) % x.size], x[(k * 3 + 5) % x.size]
        y = ((near ^ (k * 31 & 255)) + (far >> 1) + off & 255).astype(np.uint8)
        stored = y if line.type == c.UINT8 else y.view(np.int8)
        real = (stored / np.float32(64)).astype(np.float32)
        found.append((stored if line.is_quantized else real).reshape(line.shape))
    return found


class Control:
    """Writes the control file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.text = ""
        self()

    def __call__(self, **words: object) -> None:
        """From now on these words, and no others."""
        self.text = "".join(f"{name} {value}\n" for name, value in words.items())
        spare = self.file.with_suffix(".new")
        spare.write_text(self.text)
        spare.replace(self.file)


def words() -> dict[str, str]:
    file = Path(os.environ["VIRTUAL_NPU"])
    pairs = (line.partition(" ") for line in file.read_text().splitlines())
    return {name: value for name, _, value in pairs}


class Library:
    """The twin of librknnrt.c: gets addresses, as C does."""

    def __init__(self, body: str) -> None:
        self.body, self.mask, self.turn = body, 0, 0
        self.ins, self.outs = lines(body, "in"), lines(body, "out")
        self.told: dict[str, str] = {}
        self.x = np.zeros(1, np.uint8)
        self.y: list[np.ndarray] = answers(body, self.x)
        self.kept: list[Any] = []

    def __getitem__(self, name: str) -> Callable[..., int]:
        """A new function object each time, as of a ctypes.CDLL."""
        if not hasattr(self, name):
            raise AttributeError(f"undefined symbol: {name}")
        return partial(getattr(self, name))

    def look(self, name: str) -> int:
        told = words()
        if told != self.told:
            self.told, self.turn = told, 0
        code = self.number(name)
        if code and "say" in told:
            os.write(2, told["say"].encode() + b"\n")
        return code

    def number(self, name: str, otherwise: int = 0) -> int:
        return int(self.told.get(name, otherwise))

    def rknn_query(self, context: int, command: int, info: int, size: int) -> int:
        if code := self.look("query"):
            return code
        if command == c.QUERY_COUNTS:
            counts = c.Counts.from_address(info)
            counts.inputs, counts.outputs = len(self.ins), len(self.outs)
        elif command == c.QUERY_VERSIONS:
            versions = c.Versions.from_address(info)
            versions.api = self.told.get("runtime", "2.3.2 (virtual@2026)").encode()
            versions.driver = self.told.get("driver", "0.9.8").encode()
        else:
            at = c.TensorAttr.from_address(info)
            line = (self.ins if command == c.QUERY_INPUT else self.outs)[at.index]
            at.name, at.type, at.fmt, at.zp = line.name.encode(), line.type, line.fmt, line.zp
            at.scale, at.n_dims, at.n_elems = line.scale, len(line.shape), line.size
            at.qnt_type = c.AFFINE if line.is_quantized else 0
            at.dims[: at.n_dims] = line.shape
        return 0

    def rknn_set_core_mask(self, context: int, mask: int) -> int:
        code = self.look("mask")
        self.mask = self.mask if code else mask
        return code

    def rknn_inputs_set(self, context: int, count: int, inputs: int) -> int:
        if code := self.look("set"):
            return code
        parts = []
        for line, given in zip(self.ins, (c.Input * count).from_address(inputs), strict=True):
            assert given.fmt == (c.NHWC if len(line.shape) == 4 else line.fmt)
            data = np.frombuffer(ctypes.string_at(given.buf, given.size), np.uint8)
            if given.type == c.FLOAT32 and line.is_quantized:
                real = data.view(np.float32) / np.float32(line.scale)
                data = (np.rint(real) + line.zp + 128 * (line.type == c.INT8)).astype(np.uint8)
            assert data.size == line.size * (1 if line.is_quantized else 4)
            parts.append(data)
        self.x = np.concatenate(parts)
        return 0

    def rknn_run(self, context: int, extend: None) -> int:
        code, here = self.look("run"), self.mask == self.number("core", self.mask)
        until = time.monotonic() + here * self.number("hang_ms") / 1000
        while time.monotonic() < until and "hang_ms" in words():
            time.sleep(0.005)
        if code and here:
            return code
        turn, self.turn = self.turn, self.turn + here
        repeats = self.told.get("repeats", "") if here else ""
        if repeats[:1] == "*" or repeats[turn : turn + 1] == "y":
            return 0
        off = here * (self.number("off") + turn * self.number("drift"))
        self.y = answers(self.body, self.x, off & 255)
        return 0

    def rknn_outputs_get(self, context: int, count: int, outputs: int, extend: None) -> int:
        if (code := self.look("get")) or self.number("unwritten"):
            return code
        wanted = (c.Output * count).from_address(outputs)
        for line, stored, out in zip(self.outs, self.y, wanted, strict=True):
            value = stored
            if out.want_float:
                value = stored.astype(np.float32)
                value.reshape(-1)[value.size // 2] *= np.nan if self.number("nan") else 1
            data = np.ascontiguousarray(value).tobytes()
            if self.number("foreign"):
                self.kept = [ctypes.create_string_buffer(len(data))]
                out.buf = ctypes.addressof(self.kept[0])
            assert out.is_prealloc and out.size >= len(data), line
            ctypes.memmove(out.buf, data, len(data))
        return 0

    def rknn_outputs_release(self, context: int, count: int, outputs: int) -> int:
        return self.look("release")


class Runtime:
    """The twin of RKNNLite's inner object."""

    def __init__(self, body: str) -> None:
        self.lib, self.context = Library(body), 4660


class RKNNLite:
    """The twin of RKNNLite: it raises nothing, checks little and talks much."""

    def __init__(self, verbose: bool = False) -> None:
        self.rknn_runtime: Runtime | None = None
        self.rknn_data: bytes | None = None
        os.write(2, b"W rknn-toolkit-lite2 version: 2.5.0\n")

    def load_rknn(self, path: str) -> int:
        if not Path(path).exists():
            os.write(2, f"E Invalid RKNN model path: {path}\n".encode())
            return -1
        self.rknn_data = Path(path).read_bytes()
        return 0

    def init_runtime(self, core_mask: int = 0) -> int:
        if self.rknn_data is None:
            os.write(2, b"E Model is not loaded yet\n")
            return -1
        told = words()
        code = int(told.get("init", 0)) or -6 * (not self.rknn_data.startswith(b"RKNN"))
        if code:
            os.write(2, f"{told['say']}\n".encode() if "say" in told else b"")
            why = f"Exception: RKNN init failed. error code: {PRINTED[code]}"
            os.write(2, f"E Catch exception when init runtime!\nE Traceback\n{why}\n\n".encode())
            return -1
        until = time.monotonic() + int(told.get("init_ms", 0)) / 1000
        while time.monotonic() < until and "init_ms" in words():
            time.sleep(0.005)
        _, _, size = PREAMBLE.unpack_from(self.rknn_data)
        self.rknn_runtime = Runtime(self.rknn_data[BODY_AT : BODY_AT + size].decode())
        os.write(2, b"W Query dynamic range failed. Ret code: RKNN_ERR_PARAM_INVALID.\n")
        return 0

    def inference(self, inputs: list[np.ndarray]) -> list[np.ndarray] | None:
        """As the real one: the code of rknn_run is dropped. For networks of quantized tensors."""
        if self.rknn_runtime is None:
            return None
        library = self.rknn_runtime.lib
        library.x = np.concatenate([one.reshape(-1) for one in inputs])
        library.rknn_run(4660, None)
        if library.look("get"):
            return None
        return [
            ((stored.astype(np.float32) - line.zp) * np.float32(line.scale)).astype(np.float32)
            for line, stored in zip(library.outs, library.y, strict=True)
        ]

    def release(self) -> None:
        self.rknn_runtime = None


def install(folder: Path, monkeypatch: Any) -> Control:
    """Put the NPU into this machine, a rk3588; returns its control."""
    monkeypatch.setenv("VIRTUAL_NPU", str(folder / "control"))
    if not IS_REAL:
        package, api = types.ModuleType("rknnlite"), types.ModuleType("rknnlite.api")
        api.RKNNLite = RKNNLite  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "rknnlite", package)
        monkeypatch.setitem(sys.modules, "rknnlite.api", api)
    return Control(folder / "control")
