"""Tensors of a Rockchip network at fixed addresses, on their way in and out.

Inputs are channels-last, as everywhere here. A picture goes in as bytes, which the NPU's runtime
shifts to int8 itself; anything else goes in as the real numbers that its values mean. Quantized
outputs come out as they are, never through float32; they are channels-first until they are copied.
"""

from __future__ import annotations

import ctypes
import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from drivers.faults import ModelRefused
from drivers.npu import rknn_api as c
from drivers.npu.tensors import TensorDetail

Array = npt.NDArray[Any]
U8 = npt.NDArray[np.uint8]

STORED: Final = {c.INT8: "int8", c.UINT8: "uint8"}
MAX_BYTES: Final = 64 << 20
COLOURS: Final = (1, 3, 4)
"""Channels that a picture may have."""
SIGN_BIT: Final = np.uint8(0x80)
KNUTH: Final = np.uint32(2654435761)
"""Multiplicative hash (Knuth, TAOCP 3, 6.4): bytes that look like noise, without a generator."""


def noise(size: int, start: int = 0) -> U8:
    """uint8[size]: the same bytes at every call."""
    count = np.arange(start, start + size, dtype=np.uint32)
    return ((count * KNUTH) >> np.uint32(24)).astype(np.uint8)


class Tensor:
    """What the library says of one tensor, in our terms.

    Attributes:
        detail: name, channels-last shape, dtype, quantization.
        is_quantized: int8 or uint8 with scale and zero point; float32 otherwise.
        library_shape: as the library orders it.
        is_channels_first: `library_shape` is NCHW.
        input_fmt: how an input is handed over: channels-last where it has four dimensions.
    """

    def __init__(self, attribute: c.TensorAttr, path: str) -> None:
        """Take over an attribute.

        Raises:
            ModelRefused: a shape that is none, or values of a kind that no decoder reads.
        """
        name = attribute.name.decode("utf-8", "replace")
        shape = tuple(attribute.dims[: min(attribute.n_dims, c.MAX_DIMS)])
        size = math.prod(shape)
        if not shape or size != attribute.n_elems or not 0 < size <= MAX_BYTES // 4:
            raise ModelRefused(path, f"tensor {name}: shape {shape}, {attribute.n_elems} values")
        self.is_quantized = attribute.type in STORED and attribute.qnt_type == c.AFFINE
        if not self.is_quantized and attribute.type not in (c.FLOAT16, c.FLOAT32):
            raise ModelRefused(
                path, f"tensor {name}: type {attribute.type} quantized by {attribute.qnt_type}"
            )
        self.library_shape = shape
        self.is_channels_first = attribute.fmt == c.NCHW and len(shape) == 4
        self.input_fmt = c.NHWC if len(shape) == 4 else int(attribute.fmt)
        ours = (shape[0], *shape[2:], shape[1]) if self.is_channels_first else shape
        if self.is_quantized:
            kind, scale, zero = STORED[attribute.type], float(attribute.scale), int(attribute.zp)
        else:
            kind, scale, zero = "float32", 0.0, 0
        self.detail = TensorDetail(name, ours, kind, scale, zero)

    @property
    def is_picture(self) -> bool:
        """Bytes per pixel and colour; else numbers."""
        shape = self.detail.shape
        return (
            self.is_quantized
            and len(shape) == 4
            and shape[3] in COLOURS
            and min(shape[1], shape[2]) > 1
        )

    def zeros(self) -> Array:
        """An array for it, channels-last."""
        return np.full(self.detail.shape, 0, self.detail.dtype)


class Feed:
    """The inputs of one run in the form that the library takes, and their description for it.

    Attributes:
        address: of the Inputs.
        count: number of them.
    """

    def __init__(self, tensors: list[Tensor]) -> None:
        self._tensors = tensors
        self._arrays = [
            np.full(one.detail.shape, 0, np.uint8 if one.is_picture else np.float32)
            for one in tensors
        ]
        self._inputs = (c.Input * len(tensors))()
        for i, (one, array) in enumerate(zip(tensors, self._arrays, strict=True)):
            kind = c.UINT8 if one.is_picture else c.FLOAT32
            place = array.__array_interface__["data"][0]
            self._inputs[i] = c.Input(i, place, array.nbytes, 0, kind, one.input_fmt)
        self._flat = [array.reshape(-1).view(np.uint8) for array in self._arrays]
        self._differs = [np.zeros(flat.shape, np.bool_) for flat in self._flat]
        self.address, self.count = ctypes.addressof(self._inputs), len(tensors)

    def take(self, arrays: list[Array]) -> None:
        """Copy a session's inputs in."""
        for one, array, staged in zip(self._tensors, arrays, self._arrays, strict=True):
            detail = one.detail
            if not one.is_picture:
                np.copyto(staged, array)
                if one.is_quantized:
                    np.subtract(staged, detail.zero_point, out=staged)
                    np.multiply(staged, detail.scale, out=staged)
            elif detail.dtype == "int8":
                np.bitwise_xor(array.view(np.uint8), SIGN_BIT, out=staged)
            else:
                np.copyto(staged, array)

    def differs(self, other: Feed) -> bool:
        """Whether any value is another one."""
        return any(map(_differ, self._flat, other._flat, self._differs))


class Catch:
    """The outputs of one run, at addresses of ours.

    Attributes:
        address: of the Outputs.
        count: number of them.
    """

    def __init__(self, tensors: list[Tensor]) -> None:
        self._tensors = tensors
        self._arrays = [np.full(one.library_shape, 0, one.detail.dtype) for one in tensors]
        self._flat = [array.reshape(-1).view(np.uint8) for array in self._arrays]
        self._differs = [np.zeros(flat.shape, np.bool_) for flat in self._flat]
        self._finite = [np.zeros(array.shape, np.bool_) for array in self._arrays]
        self._poison = [noise(flat.size, 1 + i) for i, flat in enumerate(self._flat)]
        self._places = [int(array.__array_interface__["data"][0]) for array in self._arrays]
        self._outputs = (c.Output * len(tensors))()
        self._views = [
            array.transpose(0, 2, 3, 1) if one.is_channels_first else array
            for one, array in zip(tensors, self._arrays, strict=True)
        ]
        self._by_size = sorted(range(len(tensors)), key=lambda i: self._flat[i].size)
        self.address, self.count = ctypes.addressof(self._outputs), len(tensors)

    def poison(self) -> None:
        """Fill it with what no network answers, and say again where everything goes."""
        for i, one in enumerate(self._tensors):
            np.copyto(self._flat[i], self._poison[i])
            output = self._outputs[i]
            output.want_float, output.is_prealloc = not one.is_quantized, 1
            output.index, output.buf, output.size = i, self._places[i], self._flat[i].size

    def wrong(self) -> tuple[str, str] | None:
        """After a run: reason and detail where an output did not come, or is not a number."""
        for i, one in enumerate(self._tensors):
            name = one.detail.name
            if self._outputs[i].buf != self._places[i]:
                return "not_written", f"{name}: the library gave other memory than was asked for"
            if not _differ(self._flat[i], self._poison[i], self._differs[i]):
                return "not_written", f"{name}: no output was written"
            if not one.is_quantized:
                np.isfinite(self._arrays[i], out=self._finite[i])
                if not self._finite[i].all():
                    return "not_finite", f"{name}: NaN or infinite values"
        return None

    def differs(self, other: Catch) -> bool:
        """Whether any output is another one; the small ones are looked at first."""
        return any(_differ(self._flat[i], other._flat[i], self._differs[i]) for i in self._by_size)

    def copy_to(self, arrays: list[Array]) -> None:
        """Into a session's outputs, channels-last."""
        for array, view in zip(arrays, self._views, strict=True):
            np.copyto(array, view)


class Exam(Feed):
    """A made-up input and the answer that the NPU gave to it when the network was loaded."""

    def __init__(self, inputs: list[Tensor], outputs: list[Tensor], pattern: int) -> None:
        """Make the input number `pattern`."""
        super().__init__(inputs)
        self.answer = Catch(outputs)
        arrays = [one.zeros() for one in inputs]
        for array in arrays:
            made = np.bitwise_xor(noise(array.size), np.uint8(pattern * 85 & 0xFF))
            if array.dtype == np.float32:
                np.copyto(array.reshape(-1), made / np.float32(128) - 1)
            else:
                np.copyto(array.reshape(-1).view(np.uint8), made)
        self.take(arrays)


def _differ(one: U8, other: U8, differs: npt.NDArray[np.bool_]) -> bool:
    np.not_equal(one, other, out=differs)
    return bool(differs.any())
