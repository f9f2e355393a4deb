"""What is really there in one picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.world.config import Action

F64 = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels."""
Metres2 = tuple[float, float]

COCO_KEYPOINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
"""In COCO's order (Lin et al., Microsoft COCO, ECCV 2014)."""
OUTSIDE, HIDDEN, VISIBLE = 0, 1, 2
"""Visibility of a keypoint as COCO counts it; OUTSIDE: not in the picture, x = y = 0."""


@dataclass(frozen=True)
class PersonTruth:
    """One person in one picture.

    Attributes:
        name: from the configuration.
        box: the whole body with helmet and what is carried left out, as if nothing stood in front,
            cut to the picture; None when nothing of it is inside.
        in_view: share of the body's outline (its pixels if nothing stood in front) that is inside
            the picture, 0 to 1.
        visible: share of the outline inside the picture that nothing hides, 0 to 1.
        visible_box: around what is visible; None when nothing is.
        keypoints: float64[17, 3] x, y in pixels and visibility, in COCO's order.
        keypoints_m: float64[17, 3] in metres.
        action: what the person does.
        helmet, vest: what the person wears.
        foot_m: ground position, metres: the middle between the feet; of the hips when not upright.
        height_m: how high above the ground the feet (or lowest part) are.
        speed_m_s: over the ground.
        zones: names of the zones that hold foot_m.
        helmet_box, head_box, vest_box: around what is visible of the helmet, of the head with it,
            and of the vest; None when hardly anything is, or in a brief truth.
    """

    name: str
    box: Box | None
    in_view: float
    visible: float
    visible_box: Box | None
    keypoints: F64
    keypoints_m: F64
    action: Action
    helmet: bool
    vest: bool
    foot_m: Metres2
    height_m: float
    speed_m_s: float
    zones: tuple[str, ...]
    helmet_box: Box | None = None
    head_box: Box | None = None
    vest_box: Box | None = None


@dataclass(frozen=True)
class MachineTruth:
    """One machine in one picture; `box` and `visible` as of people."""

    name: str
    kind: str
    box: Box | None
    visible: float
    at_m: Metres2
    footprint_m: tuple[Metres2, ...]


@dataclass(frozen=True)
class Truth:
    """All of one picture."""

    t_ms: float
    people: tuple[PersonTruth, ...]
    machines: tuple[MachineTruth, ...]
