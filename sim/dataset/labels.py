"""What a label file says about one picture, taken from the truth: plain numbers only.

A person's box is around what is visible, as COCO's are (Lin et al., ECCV 2014); the whole body's
is an attribute. Somebody of whom too little is visible is neither a person to be found nor
background: COCO's `iscrowd` tells evaluators to ignore them, YOLO files leave them out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sim.world.truth import HIDDEN, OUTSIDE, Box, MachineTruth, PersonTruth, Truth

YOLO_CLASSES = ("person", "helmet", "vest", "head")
"""In the order of their numbers: "helmet" is a head with its helmet, "head" a bare one."""
MIN_BOX_PX = 3.0
"""A box that is smaller in either direction shows nothing."""
MIN_MACHINE_VISIBLE = 0.05


@dataclass(frozen=True)
class Labels:
    """All labels of one picture.

    Attributes:
        people: COCO annotations without ids: bbox, area, keypoints, attributes...
        machines: likewise.
        yolo: (class, x1, y1, x2, y2) in pixels.
    """

    people: tuple[dict[str, Any], ...]
    machines: tuple[dict[str, Any], ...]
    yolo: tuple[tuple[int, float, float, float, float], ...]


def labels_of(truth: Truth, width_px: int, height_px: int, min_visible: float) -> Labels:
    """The labels of a picture.

    Args:
        truth: of this picture.
        width_px, height_px: boxes are cut to this.
        min_visible: share of the body that must be visible to be labelled as a person.
    """
    people, machines = [], []
    yolo: list[tuple[int, float, float, float, float]] = []
    for person in truth.people:
        box = usable(person.visible_box, width_px, height_px)
        if box is None:
            continue
        enough = person.visible * person.in_view >= min_visible
        people.append(_person(person, box, enough))
        if enough:
            yolo.append((0, *box))
            yolo.extend(_parts(person, width_px, height_px))
    for machine in truth.machines:
        box = usable(machine.box, width_px, height_px)
        if box is not None and machine.visible >= MIN_MACHINE_VISIBLE:
            machines.append(_machine(machine, box))
    return Labels(tuple(people), tuple(machines), tuple(yolo))


def usable(box: Box | None, width_px: int, height_px: int) -> Box | None:
    """The part of a box inside the picture; None when there is next to nothing of it."""
    if box is None:
        return None
    x1, y1 = max(0.0, float(box[0])), max(0.0, float(box[1]))
    x2, y2 = min(float(width_px), float(box[2])), min(float(height_px), float(box[3]))
    if x2 - x1 < MIN_BOX_PX or y2 - y1 < MIN_BOX_PX:
        return None
    return round(x1, 2), round(y1, 2), round(x2, 2), round(y2, 2)


def _xywh(box: Box) -> list[float]:
    return [box[0], box[1], round(box[2] - box[0], 2), round(box[3] - box[1], 2)]


def _area(box: Box) -> float:
    return round((box[2] - box[0]) * (box[3] - box[1]), 1)


def _person(person: PersonTruth, box: Box, enough: bool) -> dict[str, Any]:
    keypoints: list[float] = []
    labelled = 0
    for x, y, seen in person.keypoints.tolist():
        inside = int(seen) != OUTSIDE
        keypoints += [round(x, 1), round(y, 1), int(seen)] if inside else [0, 0, OUTSIDE]
        labelled += int(seen) >= HIDDEN
    return {
        "bbox": _xywh(box),
        "area": _area(box),
        "iscrowd": int(not enough),
        "keypoints": keypoints,
        "num_keypoints": labelled,
        "attributes": {
            "name": person.name,
            "action": person.action,
            "helmet": person.helmet,
            "vest": person.vest,
            "visible": round(person.visible, 3),
            "in_view": round(person.in_view, 3),
            "full_bbox": _xywh(person.box) if person.box else None,
            "at_m": [round(value, 3) for value in person.foot_m],
            "above_ground_m": round(person.height_m, 3),
            "speed_m_s": round(person.speed_m_s, 2),
        },
    }


def _machine(machine: MachineTruth, box: Box) -> dict[str, Any]:
    return {
        "bbox": _xywh(box),
        "area": _area(box),
        "iscrowd": 0,
        "attributes": {
            "name": machine.name,
            "kind": machine.kind,
            "visible": round(machine.visible, 3),
            "at_m": [round(value, 3) for value in machine.at_m],
        },
    }


def _parts(
    person: PersonTruth, width_px: int, height_px: int
) -> list[tuple[int, float, float, float, float]]:
    """The head, with its helmet or bare, and the vest, as far as they are visible."""
    parts = (
        (YOLO_CLASSES.index("helmet" if person.helmet else "head"), person.head_box),
        (YOLO_CLASSES.index("vest"), person.vest_box if person.vest else None),
    )
    found = [(number, usable(box, width_px, height_px)) for number, box in parts]
    return [(number, *box) for number, box in found if box is not None]


def yolo_lines(labels: Labels, width_px: int, height_px: int) -> str:
    """A YOLO label file: class, centre and size as shares of the picture, one box a line."""
    lines = []
    for number, x1, y1, x2, y2 in labels.yolo:
        middle = (x1 + x2) / 2 / width_px, (y1 + y2) / 2 / height_px
        size = (x2 - x1) / width_px, (y2 - y1) / height_px
        lines.append(f"{number} " + " ".join(f"{value:.6f}" for value in (*middle, *size)))
    return "\n".join(lines) + ("\n" if lines else "")
