"""The COCO keypoint file: images, annotations, categories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sim.dataset.labels import Labels
from sim.world.truth import COCO_KEYPOINTS

SKELETON = (
    (16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9),
    (8, 10), (9, 11), (2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7),
)  # fmt: skip
"""Bones between keypoints, numbered from 1, as in COCO's own file."""
PERSON, MACHINE = 1, 2
CATEGORIES = (
    {
        "id": PERSON,
        "name": "person",
        "supercategory": "person",
        "keypoints": list(COCO_KEYPOINTS),
        "skeleton": [list(bone) for bone in SKELETON],
    },
    {"id": MACHINE, "name": "machine", "supercategory": "vehicle"},
)


def coco(
    info: dict[str, Any], images: Sequence[dict[str, Any]], labels: Sequence[Labels]
) -> dict[str, Any]:
    """The whole file.

    Args:
        info: where it comes from.
        images: one table a picture, with its id.
        labels: of each picture, in the same order.
    """
    annotations: list[dict[str, Any]] = []
    for image, its_labels in zip(images, labels, strict=True):
        groups = ((PERSON, its_labels.people), (MACHINE, its_labels.machines))
        for category, group in groups:
            for entry in group:
                number = len(annotations) + 1
                ids = {"id": number, "image_id": image["id"], "category_id": category}
                annotations.append(ids | entry)
    return {
        "info": info,
        "licenses": [{"id": 1, "name": "Apache-2.0"}],
        "images": list(images),
        "annotations": annotations,
        "categories": list(CATEGORIES),
    }
