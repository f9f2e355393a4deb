"""Labels and teacher together: who is certainly a person, and where nobody should be punished."""

from __future__ import annotations

import numpy as np

from models.training.boxes import F32, intersection, iou
from models.training.kinds import BARE_HEAD, EVERY, HELMET, IGNORE, PERSON
from models.training.sources import Picture

SURE_SCORE = 0.40
"""On sets without person labels a teacher box from here on is a person ..."""
DOUBT_SCORE = 0.12
"""... and from here on a region that teaches nothing."""
DOUBT_SCORE_LABELLED = 0.30
MATCH_IOU = 0.45
HEAD_INSIDE = 0.6
BODY_HEADS = (3.0, 7.0)
"""Width and height of a body in heads, around a head whose owner has no box."""


def merge(picture: Picture, teacher: F32) -> F32:
    """Rows to train on.

    Args:
        picture: with its own labels, if any.
        teacher: float32[N, 5] xyxy, score.

    Returns:
        float32[M, 5]: xyxy pixels and kind. Classes that the set does not label are ignored all
        over the picture, but for people, whom the teacher finds.
    """
    own = picture.objects[picture.objects[:, 4] == PERSON, :4]
    if PERSON in picture.labelled:
        people, doubt = own, teacher[teacher[:, 4] >= DOUBT_SCORE_LABELLED, :4]
        if len(people) and len(doubt):
            doubt = doubt[iou(doubt, people).max(1) < MATCH_IOU]
    else:
        people = teacher[teacher[:, 4] >= SURE_SCORE, :4]
        doubt = teacher[(teacher[:, 4] >= DOUBT_SCORE) & (teacher[:, 4] < SURE_SCORE), :4]
    heads = picture.objects[np.isin(picture.objects[:, 4], (HELMET, BARE_HEAD)), :4]
    doubt = np.concatenate((doubt, _ownerless(heads, people)))
    height, width = picture.pixels.shape[:2]
    silent = sorted(EVERY - picture.labelled - {PERSON})
    rows = [
        _rows(people, PERSON),
        picture.objects[picture.objects[:, 4] != PERSON],
        _rows(doubt, IGNORE + PERSON),
        *(_rows(np.array([[0, 0, width, height]], np.float32), IGNORE + c) for c in silent),
    ]
    return np.concatenate(rows).astype(np.float32)


def _rows(boxes: F32, kind: int) -> F32:
    return np.c_[boxes, np.full(len(boxes), kind)].astype(np.float32)


def _ownerless(heads: F32, people: F32) -> F32:
    """Where the bodies of heads without a person box would be, xyxy."""
    if len(heads) and len(people):
        area = np.maximum((heads[:, 2] - heads[:, 0]) * (heads[:, 3] - heads[:, 1]), 1e-6)
        inside = intersection(heads, people) / area[:, None]
        heads = heads[inside.max(1) < HEAD_INSIDE]
    middle, size = (heads[:, 0] + heads[:, 2]) / 2, heads[:, 2:] - heads[:, :2]
    half = BODY_HEADS[0] / 2 * size[:, 0]
    top = heads[:, 1] - 0.3 * size[:, 1]
    return np.stack((middle - half, top, middle + half, top + BODY_HEADS[1] * size[:, 1]), 1)
