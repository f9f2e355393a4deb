"""Licence and role of every data set that a detector has seen, as its card must name them."""

from __future__ import annotations

from typing import Final

LICENCES: Final[dict[str, str]] = {
    "coco128x2": "COCO images CC BY 4.0 / Flickr terms; labels CC BY 4.0",
    "ppe_minhnkb": "repository MIT; images from the web, rights unclear",
    "ppe_hardhat": "CC BY 4.0 label; stock images",
    "helmet_sites": "web images, rights unclear",
    "fall_posture": "claims CC BY 4.0 + ODbL; mixed sources",
    "intel_sample_gif": "CC BY 4.0 (people-detection.gif)",
    "simulated": "Apache-2.0, drawn by `haetae sim dataset`",
    "deserted": "Apache-2.0, drawn by `haetae sim dataset --deserted`",
    "synthetic": "Apache-2.0, drawn by drivers/camera/synthetic_scene.py",
}

LABELS: Final[dict[str, str]] = {
    "coco128x2": "people",
    "ppe_minhnkb": "people, helmets (shells, drawn down to the chin), vests",
    "ppe_hardhat": "people, helmets, bare heads (caps among them)",
    "helmet_sites": "helmets, bare heads; people from the teacher",
    "fall_posture": "people",
    "intel_sample_gif": "people from the teacher",
    "simulated": "everything, true",
    "deserted": "nothing is there",
    "synthetic": "people, true",
}
