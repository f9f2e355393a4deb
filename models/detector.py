"""A detector: one package, one session, one source size, ready to run on every frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.faults import ModelRefused
from drivers.interfaces import Session
from models.families.anchor_free import AnchorFreeDecoder
from models.letterbox import Letterbox
from models.package import Package
from models.tables import Detections


class Detector:
    """Picture in, Detections out.

    The three steps are apart so that the loop can time the network alone:
    `prepare`, `session.invoke`, `decode`.

    Attributes:
        package: what is running.
        session: the loaded network; shared, so closing it is the caller's.
        classes: names by class index.
        letterbox: how pictures sit in the network's input.
    """

    def __init__(
        self,
        package: Package,
        session: Session,
        source_w: int,
        source_h: int,
        capacity: int,
        min_score: float | Sequence[float] | None = None,
    ) -> None:
        """Allocate everything.

        Args:
            package: a package that was loaded for the session.
            session: from `open_session`.
            source_w: width of the pictures, px.
            source_h: height of the pictures, px.
            capacity: most detections per frame.
            min_score: instead of the package's thresholds, of all classes or of each.

        Raises:
            ModelRefused: the package is no detector.
        """
        info = package.info
        if info.role != "detector":
            raise ModelRefused(str(package.folder), f'role = "{info.role}"; allowed: "detector"')
        height, width = info.input.shape[1:3]
        self.package = package
        self.session = session
        self.classes: Sequence[str] = tuple(info.classes)
        self.letterbox = Letterbox(source_w, source_h, width, height, info.input.pad_value)
        self._picture = self.letterbox.bind(session.inputs[0], info.input.colour == "rgb")
        self._decoder = AnchorFreeDecoder(info, self.letterbox, capacity, min_score)
        self._outputs: Sequence[npt.NDArray[Any]] = session.outputs

    def prepare(self, pixels: npt.NDArray[np.uint8]) -> None:
        """Write one picture into the network's input.

        Args:
            pixels: uint8[source_h, source_w, 3] BGR.
        """
        self._picture.write(pixels)

    def clear(self) -> None:
        """Make the input whole again after something else than `prepare` wrote into it."""
        self._picture.clear()

    def decode(self, detections: Detections) -> None:
        """Turn the network's outputs into `detections`, in source pixels."""
        self._decoder.decode(self._outputs, detections)

    def rehearse(self, detections: Detections) -> None:
        """Take all the memory that any frame can need; call before it is sealed.

        Args:
            detections: filled with boxes that mean nothing.
        """
        self._decoder.rehearse(detections)

    def __call__(self, pixels: npt.NDArray[np.uint8], detections: Detections) -> None:
        """Detect in one picture.

        Raises:
            NpuFault: the network failed.
        """
        self.prepare(pixels)
        self.session.invoke()
        self.decode(detections)
