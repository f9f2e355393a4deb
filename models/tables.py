"""Tables that networks fill: fixed-capacity structs of arrays plus a count, allocated once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]


class Detections:
    """What a detector saw in one frame; rows 0..count-1 are valid, best score first.

    Attributes:
        boxes: float32[N, 4] xyxy, pixels of the source frame, clipped to it.
        scores: float32[N] in 0..1.
        classes: int32[N], index into the model's class list.
        count: number of valid rows, 0..capacity.
        dropped: rows that did not fit, this frame.
    """

    __slots__ = ("boxes", "capacity", "classes", "count", "dropped", "scores")

    def __init__(self, capacity: int = 64) -> None:
        self.capacity = capacity
        self.boxes: F32 = np.zeros((capacity, 4), np.float32)
        self.scores: F32 = np.zeros(capacity, np.float32)
        self.classes: I32 = np.zeros(capacity, np.int32)
        self.count = 0
        self.dropped = 0
