"""Fits a camera picture into a network's input, and maps boxes back."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

SIGN_BIT: Final = np.full(1, 0x80, np.uint8)
"""int8 = uint8 ^ 0x80: the zero point of the picture moves from 128 to 0."""


class Letterbox:
    """Resizes in one call into the tensor's own memory; the picture sits at the top left.

    Attributes:
        width_px, height_px: the part of the input that holds the picture.
        scale_x, scale_y: source pixels per input pixel.
    """

    def __init__(
        self, source_w: int, source_h: int, input_w: int, input_h: int, pad: int = 114
    ) -> None:
        """Work out the geometry, r = min(input_h / source_h, input_w / source_w).

        Args:
            source_w: width of the camera's pictures, px.
            source_h: height of the camera's pictures, px.
            input_w: width of the network's input, px.
            input_h: height of the network's input, px.
            pad: 0..255, what fills the input beside the picture.

        Raises:
            ValueError: a size is below one pixel.
        """
        if min(source_w, source_h, input_w, input_h) < 1:
            raise ValueError(f"no picture of {source_w}x{source_h} fits {input_w}x{input_h}")
        ratio = min(input_h / source_h, input_w / source_w)
        self.source_w, self.source_h = source_w, source_h
        self.input_w, self.input_h = input_w, input_h
        self.width_px = min(input_w, max(1, round(source_w * ratio)))
        self.height_px = min(input_h, max(1, round(source_h * ratio)))
        self.scale_x = source_w / self.width_px
        self.scale_y = source_h / self.height_px
        self._pad = pad

    def fits(self, width: int, height: int) -> bool:
        """Whether pictures of this size go through this letterbox."""
        return (width, height) == (self.source_w, self.source_h)

    def bind(self, tensor: npt.NDArray[Any], rgb: bool = False) -> BoundLetterbox:
        """Fill `tensor` with the pad value, once, and return what writes pictures into it.

        Args:
            tensor: uint8 or int8 [1, input_h, input_w, 3], contiguous.
            rgb: the network wants red first.
        """
        flip = tensor.dtype == np.int8
        picture = tensor.view(np.uint8).reshape(self.input_h, self.input_w, 3)
        bound = BoundLetterbox(picture, (self.width_px, self.height_px), self._pad, flip, rgb)
        bound.clear()
        return bound


class BoundLetterbox:
    """The picture's part of one input tensor.

    Args:
        tensor: uint8[input_h, input_w, 3], the whole input.
        size: width and height of the picture's part, at the top left.
        pad: 0..255, what is beside it.
        flip: the tensor is int8.
        rgb: it is red first.
    """

    def __init__(
        self,
        tensor: npt.NDArray[np.uint8],
        size: tuple[int, int],
        pad: int,
        flip: bool,
        rgb: bool,
    ) -> None:
        self._tensor, self._size = tensor, size
        self._region = tensor[: size[1], : size[0]]
        self._fill = pad ^ 0x80 if flip else pad
        self._flip, self._rgb = flip, rgb

    def clear(self) -> None:
        """Fill what is beside the picture, after something else was written there."""
        self._tensor[self._size[1] :] = self._fill
        self._tensor[:, self._size[0] :] = self._fill

    def write(self, pixels: npt.NDArray[np.uint8]) -> None:
        """Resize one picture into the tensor.

        Args:
            pixels: uint8[source_h, source_w, 3] BGR.
        """
        region = self._region
        cv2.resize(pixels, self._size, dst=region, interpolation=cv2.INTER_LINEAR)
        if self._rgb:
            cv2.cvtColor(region, cv2.COLOR_BGR2RGB, dst=region)
        if self._flip:
            np.bitwise_xor(region, SIGN_BIT, out=region)
