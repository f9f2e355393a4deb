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


class Skeletons:
    """Skeletons of one frame; rows 0..count-1 are valid.

    Attributes:
        keypoints: float32[N, 17, 3] x, y (pixels of the source frame) and visibility 0..1, in
            COCO's order; 0, 0, 0 where a joint was not found.
        owners: int32[N], what each belongs to, as the caller numbers it.
        count: number of valid rows, 0..capacity.
        dropped: skeletons that did not fit, this frame.
    """

    __slots__ = ("capacity", "count", "dropped", "keypoints", "owners")

    def __init__(self, capacity: int = 64) -> None:
        self.capacity = capacity
        self.keypoints: F32 = np.zeros((capacity, 17, 3), np.float32)
        self.owners: I32 = np.zeros(capacity, np.int32)
        self.count = 0
        self.dropped = 0


class Actions:
    """What the people of a Skeletons table do, row by row.

    Attributes:
        scores: float32[N, C] in 0..1, a row adds up to 1; C as the model has classes.
        best: int32[N], the class with the highest score; -1 where the skeleton had too few joints.
        count: number of valid rows, 0..capacity.
    """

    __slots__ = ("best", "capacity", "count", "scores")

    def __init__(self, capacity: int = 64, classes: int = 12) -> None:
        self.capacity = capacity
        self.scores: F32 = np.zeros((capacity, classes), np.float32)
        self.best: I32 = np.full(capacity, -1, np.int32)
        self.count = 0
