"""The C functions of librknnrt that a frame needs, each with its return code checked.

RKNNLite loads the library and the network, but its `inference()` drops the code of `rknn_run`,
hands out the outputs of the frame before, turns every output into float32 and leaks 42 kB a call
through reference cycles. So a frame calls the library itself, by the public interface (rknn_api.h
of rknpu2 1.4 to 2.3; all numbers little-endian, C alignment).
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

from drivers.faults import NpuFault

MAX_DIMS: Final = 16
NAME_BYTES: Final = 256

QUERY_COUNTS: Final = 0
QUERY_INPUT: Final = 1
QUERY_OUTPUT: Final = 2
QUERY_VERSIONS: Final = 5

FLOAT32, FLOAT16, INT8, UINT8 = range(4)
"""rknn_tensor_type, the first of them."""
NCHW, NHWC = range(2)
"""rknn_tensor_format, the first of them."""
AFFINE: Final = 2
"""rknn_tensor_qnt_type: real = (stored - zp) * scale."""

CODES: Final = {
    -1: "RKNN_ERR_FAIL",
    -2: "RKNN_ERR_TIMEOUT",
    -3: "RKNN_ERR_DEVICE_UNAVAILABLE",
    -4: "RKNN_ERR_MALLOC_FAIL",
    -5: "RKNN_ERR_PARAM_INVALID",
    -6: "RKNN_ERR_MODEL_INVALID",
    -7: "RKNN_ERR_CTX_INVALID",
    -8: "RKNN_ERR_INPUT_INVALID",
    -9: "RKNN_ERR_OUTPUT_INVALID",
    -10: "RKNN_ERR_DEVICE_UNMATCH",
    -11: "RKNN_ERR_INCOMPATILE_PRE_COMPILE_MODEL",
    -12: "RKNN_ERR_INCOMPATILE_OPTIMIZATION_LEVEL_VERSION",
    -13: "RKNN_ERR_TARGET_PLATFORM_UNMATCH",
}


class Counts(ctypes.Structure):
    """rknn_input_output_num."""

    _fields_ = (("inputs", ctypes.c_uint32), ("outputs", ctypes.c_uint32))


class TensorAttr(ctypes.Structure):
    """rknn_tensor_attr: what the library says of one tensor."""

    _fields_ = (
        ("index", ctypes.c_uint32),
        ("n_dims", ctypes.c_uint32),
        ("dims", ctypes.c_uint32 * MAX_DIMS),
        ("name", ctypes.c_char * NAME_BYTES),
        ("n_elems", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("fmt", ctypes.c_int32),
        ("type", ctypes.c_int32),
        ("qnt_type", ctypes.c_int32),
        ("fl", ctypes.c_int8),
        ("zp", ctypes.c_int32),
        ("scale", ctypes.c_float),
        ("w_stride", ctypes.c_uint32),
        ("size_with_stride", ctypes.c_uint32),
        ("pass_through", ctypes.c_uint8),
        ("h_stride", ctypes.c_uint32),
    )


class Versions(ctypes.Structure):
    """rknn_sdk_version."""

    _fields_ = (("api", ctypes.c_char * 256), ("driver", ctypes.c_char * 256))


class Input(ctypes.Structure):
    """rknn_input: where one input lies, and in which form."""

    _fields_ = (
        ("index", ctypes.c_uint32),
        ("buf", ctypes.c_void_p),
        ("size", ctypes.c_uint32),
        ("pass_through", ctypes.c_uint8),
        ("type", ctypes.c_int32),
        ("fmt", ctypes.c_int32),
    )


class Output(ctypes.Structure):
    """rknn_output: where one output goes; memory of ours where `is_prealloc`."""

    _fields_ = (
        ("want_float", ctypes.c_uint8),
        ("is_prealloc", ctypes.c_uint8),
        ("index", ctypes.c_uint32),
        ("buf", ctypes.c_void_p),
        ("size", ctypes.c_uint32),
    )


CONTEXT, U32, INT, ADDRESS = ctypes.c_uint64, ctypes.c_uint32, ctypes.c_int, ctypes.c_void_p
FUNCTIONS: Final[dict[str, tuple[Any, ...]]] = {
    "rknn_query": (CONTEXT, INT, ADDRESS, U32),
    "rknn_inputs_set": (CONTEXT, U32, ADDRESS),
    "rknn_run": (CONTEXT, ADDRESS),
    "rknn_outputs_get": (CONTEXT, U32, ADDRESS, ADDRESS),
    "rknn_outputs_release": (CONTEXT, U32, ADDRESS),
    "rknn_set_core_mask": (CONTEXT, INT),
}


class RknnApi:
    """One loaded network's context; every method raises NpuFault for a code that is not 0.

    Addresses are plain integers: `ctypes.cast` and `data_as` would leave a cycle per call.
    """

    def __init__(self, library: Any, context: int) -> None:
        """Take over the library that RKNNLite opened, and the context that it made.

        Args:
            library: a ctypes.CDLL. Its own function objects stay as they are.
            context: of rknn_init.

        Raises:
            NpuFault: "no_runtime": the library lacks a function.
        """
        self._context = context
        self._functions: dict[str, Any] = {}
        for name, arguments in FUNCTIONS.items():
            try:
                function = library[name]
            except AttributeError as error:
                raise NpuFault("no_runtime", f"librknnrt: {error}") from error
            function.argtypes, function.restype = arguments, INT
            self._functions[name] = function
        self._run = self._functions["rknn_run"]

    def _call(self, name: str, *arguments: int) -> None:
        code = self._functions[name](self._context, *arguments)
        if code:
            raise failed(name, code)

    def counts(self) -> tuple[int, int]:
        """Numbers of inputs and outputs."""
        counts = Counts()
        self._query(QUERY_COUNTS, counts)
        return counts.inputs, counts.outputs

    def attribute(self, query: int, index: int) -> TensorAttr:
        """Of one input (QUERY_INPUT) or output (QUERY_OUTPUT)."""
        attribute = TensorAttr(index=index)
        self._query(query, attribute)
        return attribute

    def versions(self) -> tuple[str, str]:
        """Of librknnrt and of the kernel driver, e.g. ("2.3.2 (429f97ae6b@...)", "0.9.8")."""
        versions = Versions()
        self._query(QUERY_VERSIONS, versions)
        return versions.api.decode("ascii", "replace"), versions.driver.decode("ascii", "replace")

    def _query(self, query: int, answer: ctypes.Structure) -> None:
        self._call("rknn_query", query, ctypes.addressof(answer), ctypes.sizeof(answer))

    def use_cores(self, mask: int) -> None:
        """Say which cores run the network; an error on SoCs that have one."""
        self._call("rknn_set_core_mask", mask)

    def set_inputs(self, count: int, inputs: int) -> None:
        """Hand over `count` Inputs that lie at the address `inputs`."""
        self._call("rknn_inputs_set", count, inputs)

    def run(self) -> None:
        """Run the network once; NULL for the extension: wait for it."""
        code = self._run(self._context, None)
        if code:
            raise failed("rknn_run", code)

    def get_outputs(self, count: int, outputs: int) -> None:
        """Fill `count` Outputs that lie at the address `outputs`."""
        code = self._functions["rknn_outputs_get"](self._context, count, outputs, None)
        if code:
            raise failed("rknn_outputs_get", code)

    def release_outputs(self, count: int, outputs: int) -> None:
        """Give back what `get_outputs` took."""
        self._call("rknn_outputs_release", count, outputs)


def failed(function: str, code: int) -> NpuFault:
    """The fault for a function's return code."""
    return NpuFault("invoke_failed", f"{function}: {CODES.get(code, 'unknown code')} ({code})")
