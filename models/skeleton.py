"""Finds the joints of one person in one picture: crop, network, decode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from drivers.faults import ModelRefused
from drivers.interfaces import Session
from models.families.joint_cells import JointCellsDecoder
from models.families.movenet import MovenetDecoder
from models.package import ModelInfo, Package
from models.person_crop import PersonCrop
from models.skeletons import JOINTS
from models.tables import F32

U8 = npt.NDArray[np.uint8]


class Decoder(Protocol):
    """What a family's decoder does."""

    def decode(self, out: F32) -> None:
        """Fill float32[17, 3]: x, y in input pixels, visibility 0..1."""
        ...


MakeDecoder = Callable[[ModelInfo, Sequence[npt.NDArray[Any]]], Decoder]
DECODERS: Final[dict[str, MakeDecoder]] = {
    "movenet": MovenetDecoder,
    "joint_cells": JointCellsDecoder,
}


class SkeletonNetwork:
    """A picture and a box in, 17 joints out; one `invoke` a person.

    Attributes:
        package: what is running.
        session: the loaded network; shared, so closing it is the caller's.
    """

    def __init__(self, package: Package, session: Session, width_px: int, height_px: int) -> None:
        """Allocate everything.

        Args:
            package: a package of role "skeleton" that was loaded for the session.
            session: from `open_session`.
            width_px: of the pictures.
            height_px: of the pictures.

        Raises:
            ModelRefused: the package finds no skeletons.
        """
        info = package.info
        if info.role != "skeleton":
            raise ModelRefused(str(package.folder), f'role = "{info.role}"; allowed: "skeleton"')
        self.package = package
        self.session = session
        self._crop = PersonCrop(
            session.inputs[0],
            info.input.crop_margin,
            info.input.pad_value,
            info.input.colour == "rgb",
        )
        self._decoder = DECODERS[info.family](info, session.outputs)
        self._least = np.float32(info.thresholds.score)
        self._size: F32 = np.array([width_px, height_px], np.float32)
        self._low: npt.NDArray[np.bool_] = np.zeros((JOINTS, 1), np.bool_)

    def look(self, pixels: U8, box: F32, out: F32) -> None:
        """Find the joints of one person. Allocates nothing that stays.

        Args:
            pixels: uint8[height_px, width_px, 3] BGR.
            box: float32[4] xyxy, source pixels.
            out: float32[17, 3] to fill: x, y in source pixels, inside the picture, and visibility
                0..1; 0, 0, 0 where that is below the package's threshold.

        Raises:
            NpuFault: the network failed; `out` is then not valid.
        """
        self._crop.take(pixels, box)
        self.session.invoke()
        self._decoder.decode(out)
        points = out[:, :2]
        self._crop.restore(points)
        np.clip(points, 0, self._size, out=points)
        np.less(out[:, 2:], self._least, out=self._low)
        np.copyto(out, 0, where=self._low)
