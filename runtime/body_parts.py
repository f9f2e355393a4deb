"""Where a person's head and torso are in the picture: by the box, or by a fresh skeleton."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from runtime.posture import Postures
from runtime.tables import Tracks

FRESH_MS = 150.0
"""An older skeleton has been walked away from."""
JOINT_SEEN = 0.3
HEAD_JOINTS = (0, 1, 2, 3, 4)
TORSO_JOINTS = (5, 6, 11, 12)
FOLDED, LARGEST = 2.0, 1.6
"""Of a box, in its width and its height: how tall somebody in it may be who crouches."""
CUT = 2.4
"""Widths that somebody is tall whose legs are below the picture."""
UPRIGHT = 1.6
"""Height over width from which on a box alone tells where the head is."""
# Body proportions (Drillis and Contini, 1966), as shares of the standing height.
HEAD_Y, HEAD_SIZE, HEAD_REACH = 0.08, 0.15, 0.13
TORSO_Y, TORSO_SIZE, TORSO_REACH = 0.36, 0.34, 0.18
SIDE_REACH = 0.45
"""Of the box's width: how far from its middle a head may be."""
# The same in torsos, shoulder to hip, as a skeleton gives them.
HEAD_TORSOS, TORSO_TORSOS, REACH_TORSOS = 0.55, 1.2, 0.6
SMALLEST, BIGGEST = 0.35, 2.5
"""Of an item's height, in the size that its place leads one to expect."""


class Place(NamedTuple):
    """Where a part of the body is expected: its middle, how far off it may be, how tall; pixels."""

    x: float
    y: float
    reach_x: float
    reach_y: float
    size: float

    def covered(self, box: list[float]) -> float:
        """Share of the part that lies in a box."""
        half = self.size * 0.5
        width = min(self.x + half, box[2]) - max(self.x - half, box[0])
        height = min(self.y + half, box[3]) - max(self.y - half, box[1])
        return width * height / (self.size * self.size) if min(width, height) > 0.0 else 0.0


class Body(NamedTuple):
    """One person in one frame.

    Attributes:
        slot: of the track.
        box: x1, y1, x2, y2, pixels.
        head, torso: where they are.
        certain: a skeleton says so, or somebody stands upright.
    """

    slot: int
    box: list[float]
    head: Place
    torso: Place
    certain: bool


def misfits(
    box: list[float], places: Sequence[tuple[int, float, float, float, float, float]]
) -> list[tuple[float, int]]:
    """How badly an item fits to where it may be: 0 is exactly there, 1 at the edge of its reach.

    Args:
        box: x1, y1, x2, y2 of the item.
        places: slot, then the Place of each person.

    Returns:
        (misfit, slot) of the places that it is at; plain numbers, as this is the product of all
        items and all people.
    """
    item_x, item_y, height = (box[0] + box[2]) * 0.5, (box[1] + box[3]) * 0.5, box[3] - box[1]
    found = []
    for slot, x, y, reach_x, reach_y, size in places:
        across = item_x - x
        if across > reach_x or -across > reach_x:
            continue
        misfit = (across / reach_x) ** 2 + ((item_y - y) / reach_y) ** 2
        if misfit <= 1.0 and SMALLEST * size <= height <= BIGGEST * size:
            found.append((misfit, slot))
    return found


def find_body(
    slot: int, tracks: Tracks, postures: Postures | None, t_ms: float, bottom_px: float
) -> Body:
    """Of one track that is seen in this frame; below `bottom_px` a box is cut by the picture."""
    box: list[float] = tracks.boxes[slot].tolist()
    if postures is not None and t_ms - postures.found_ms.item(slot) <= FRESH_MS:
        body = _by_skeleton(slot, box, postures)
        if body is not None:
            return body
    return _by_box(slot, box, box[3] > bottom_px)


def _by_box(slot: int, box: list[float], is_cut: bool) -> Body:
    width, height = max(box[2] - box[0], 1.0), max(box[3] - box[1], 1.0)
    tall = min(max(height, FOLDED * width), LARGEST * height)
    if is_cut:
        height = tall = max(height, CUT * width)
    x, top, aside = (box[0] + box[2]) * 0.5, box[1], SIDE_REACH * width
    head = Place(x, top + HEAD_Y * tall, aside, HEAD_REACH * tall, HEAD_SIZE * tall)
    torso = Place(x, top + TORSO_Y * height, aside, TORSO_REACH * tall, TORSO_SIZE * tall)
    return Body(slot, box, head, torso, height >= UPRIGHT * width)


def _by_skeleton(slot: int, box: list[float], postures: Postures) -> Body | None:
    """None where the head or the torso is not seen, or the head is not at the box."""
    joints: list[list[float]] = postures.keypoints[slot].tolist()
    torso_px = postures.torso_px.item(slot)
    head, torso = _middle(joints, HEAD_JOINTS), _middle(joints, TORSO_JOINTS)
    if head is None or torso is None or torso_px <= 1.0:
        return None
    (x, y), reach = head, REACH_TORSOS * torso_px
    if not (box[0] - reach <= x <= box[2] + reach and box[1] - reach <= y <= box[3] + reach):
        return None
    return Body(
        slot,
        box,
        Place(x, y, reach, reach, HEAD_TORSOS * torso_px),
        Place(*torso, reach, reach, TORSO_TORSOS * torso_px),
        True,
    )


def _middle(joints: list[list[float]], which: tuple[int, ...]) -> tuple[float, float] | None:
    seen = [joints[i] for i in which if joints[i][2] >= JOINT_SEEN]
    if len(seen) < 2:
        return None
    return sum(x for x, _, _ in seen) / len(seen), sum(y for _, y, _ in seen) / len(seen)
