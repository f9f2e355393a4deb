"""TensorFlow Lite on the CPU or through an external delegate (VX, Edge TPU, Ethos-U)."""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from drivers.board import NpuConfig
from drivers.clock import MonotonicClock
from drivers.faults import ModelRefused, NpuFault
from drivers.interfaces import Clock, Session
from drivers.npu.bounded import within
from drivers.npu.guarded import GuardedSession
from drivers.npu.model_file import read_model
from drivers.npu.stderr import silent_stderr
from drivers.npu.tensors import TensorDetail
from drivers.npu.tflite_file import verify_tflite

Array = npt.NDArray[Any]

RUNTIMES: Final = {
    "litert": ("ai_edge_litert",),
    "tflite": ("tflite_runtime",),
    "auto": ("ai_edge_litert", "tflite_runtime"),
}
"""Packages to try, in order, by `NpuConfig.runtime`."""
PYPI_NAMES: Final = {"ai_edge_litert": "ai-edge-litert", "tflite_runtime": "tflite-runtime"}
DELEGATE_ENTRY: Final = "tflite_plugin_create_delegate"
DTYPES: Final = ("int8", "uint8", "int16", "int32", "int64", "float32")
RUNTIME_ERRORS: Final = (RuntimeError, ValueError, MemoryError, OSError, AttributeError)
"""What the two interpreters raise, from Python and from their C++ side."""


class TfliteNpu:
    """Loads `.tflite` files with whichever of the two interpreters is there.

    Attributes:
        target: "tflite".
        runtime: the package in use, "ai_edge_litert" or "tflite_runtime".
    """

    target = "tflite"

    def __init__(self, config: NpuConfig, clock: Clock | None = None) -> None:
        """Find the interpreter; loads no model yet.

        Args:
            config: runtime, threads, delegate and deadline.
            clock: times the deadline's report; the system's monotonic clock by default.

        Raises:
            NpuFault: "no_runtime": the interpreter that the board file asks for is not installed.
        """
        self._config = config
        self._clock = clock or MonotonicClock()
        self.runtime, self._interpreters = _import_runtime(config.runtime)

    def load(self, path: str) -> Session:
        """Load a model file, allocate its memory and run it once.

        Args:
            path: a `.tflite` file.

        Returns:
            A `TfliteSession`, on a thread of its own where `call_deadline_ms` is set.

        Raises:
            ModelRefused: missing, empty, truncated, damaged, or with operators or tensors that
                this runtime does not have.
            NpuFault: the delegate failed, or did not start within `load_deadline_ms`.
        """
        content = read_model(path)
        verify_tflite(content, path)
        config = self._config
        with silent_stderr():
            if not (config.delegate and config.call_deadline_ms):
                session = self._build(content, path)
            else:
                session = within(
                    config.load_deadline_ms,
                    lambda: self._build(content, path),
                    lambda late: late.close(),
                )
        if config.call_deadline_ms:
            return GuardedSession(session, config.call_deadline_ms, self._clock)
        return session

    def _build(self, content: bytes, path: str) -> TfliteSession:
        delegates = self._delegates()
        try:
            interpreter = self._interpreters.Interpreter(
                model_content=content,
                num_threads=self._config.threads,
                experimental_delegates=delegates,
            )
            interpreter.allocate_tensors()
            interpreter.invoke()
        except RUNTIME_ERRORS as error:
            raise ModelRefused(path, f"{self.runtime} cannot run it: {_first(error)}") from error
        return TfliteSession(interpreter, path)

    def _delegates(self) -> list[Any]:
        """A fresh delegate, or none; tried first, as a failed one complains when collected."""
        library = self._config.delegate
        if not library:
            return []
        try:
            if not hasattr(ctypes.PyDLL(library), DELEGATE_ENTRY):
                raise NpuFault("delegate_failed", f"{library} is not a TFLite delegate")
            return [self._interpreters.load_delegate(library, self._config.delegate_options)]
        except RUNTIME_ERRORS as error:
            raise NpuFault("delegate_failed", f"{library}: {_first(error)}") from error


class TfliteSession:
    """One loaded network. Its tensors stay where they are: nothing is resized after the load.

    The arrays view memory that the interpreter owns; do not use them after `close`.

    Attributes:
        inputs: writable arrays, one per input tensor.
        outputs: one array per output tensor, valid after `invoke` until the next one.
        input_details: what the model says of each input.
        output_details: what the model says of each output.
    """

    def __init__(self, interpreter: Any, path: str) -> None:
        """Take the tensor addresses of an interpreter that has been allocated and run once.

        Raises:
            ModelRefused: a tensor has no fixed memory, or holds what no array can show.
        """
        self._interpreter = interpreter
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
        if not inputs or not outputs:
            raise ModelRefused(path, "the network has no input or no output")
        self.input_details: Sequence[TensorDetail] = tuple(_detail(entry) for entry in inputs)
        self.output_details: Sequence[TensorDetail] = tuple(_detail(entry) for entry in outputs)
        self.inputs: Sequence[Array] = [self._view(entry, path) for entry in inputs]
        self.outputs: Sequence[Array] = [self._view(entry, path) for entry in outputs]

    def _view(self, entry: dict[str, Any], path: str) -> Array:
        """An array over the tensor's memory that holds no reference to the interpreter."""
        name, dtype = entry["name"], np.dtype(entry["dtype"])
        if dtype.name not in DTYPES:
            raise ModelRefused(path, f"tensor {name} holds {dtype.name}; allowed: {DTYPES}")
        try:
            live: Array = self._interpreter.tensor(entry["index"])()
        except (RuntimeError, ValueError) as error:
            raise ModelRefused(path, f"tensor {name} has no memory: {_first(error)}") from error
        if not live.nbytes:
            raise ModelRefused(path, f"tensor {name} is empty: shape {live.shape}")
        memory = (ctypes.c_uint8 * live.nbytes).from_address(live.__array_interface__["data"][0])
        view: Array = np.frombuffer(memoryview(memory), dtype)
        return view.reshape(live.shape)

    def invoke(self) -> None:
        """Run the network once on `inputs`.

        Raises:
            NpuFault: "invoke_failed", or "closed" after `close`.
        """
        if self._interpreter is None:
            raise NpuFault("closed", "the session is closed")
        try:
            self._interpreter.invoke()
        except RUNTIME_ERRORS as error:
            raise NpuFault("invoke_failed", _first(error)) from error

    def close(self) -> None:
        """Free the network and the views. May be called twice."""
        self.inputs = self.outputs = ()
        self._interpreter = None


def _import_runtime(choice: str) -> tuple[str, Any]:
    missing: list[str] = []
    for package in RUNTIMES[choice]:
        try:
            return package, importlib.import_module(f"{package}.interpreter")
        except (ImportError, AttributeError) as error:
            missing.append(f"{PYPI_NAMES[package]} ({error})")
    raise NpuFault("no_runtime", f"npu.runtime = {choice!r} needs {' or '.join(missing)}")


def _detail(entry: dict[str, Any]) -> TensorDetail:
    scale, zero_point = entry["quantization"]
    shape = tuple(int(size) for size in entry["shape"])
    dtype = np.dtype(entry["dtype"]).name
    return TensorDetail(str(entry["name"]), shape, dtype, float(scale), int(zero_point))


def _first(error: BaseException) -> str:
    """The first line of a runtime's error text, which can run to kilobytes."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]
