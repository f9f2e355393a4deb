"""Licence and role of every data set that a student has seen, as its card must name them."""

from __future__ import annotations

from typing import Final

LICENCES: Final[dict[str, str]] = {
    "coco128x2": "COCO images CC BY 4.0 / Flickr terms; labels CC BY 4.0",
    "ppe_minhnkb": "repository MIT; images from the web, rights unclear",
    "ppe_hardhat": "CC BY 4.0 label; stock images",
    "helmet_sites": "web images, rights unclear",
    "fall_posture": "claims CC BY 4.0 + ODbL; mixed sources",
    "ambianic_fall": "Apache-2.0",
    "ambianic_clip": "Apache-2.0",
    "gmdcsa24": "MIT",
    "intel_sample_gifs": "CC BY 4.0",
    "synthetic": "Apache-2.0, drawn by drivers/camera/synthetic_scene.py",
}

LABELS: Final[dict[str, str]] = {
    "coco128x2": "own labels; teacher boxes that match none teach nothing",
    "ppe_minhnkb": "own labels; teacher boxes that match none teach nothing",
    "ppe_hardhat": "own labels; teacher boxes that match none teach nothing",
    "helmet_sites": "teacher boxes; bodies under unmatched heads teach nothing",
    "fall_posture": "own labels; teacher boxes that match none teach nothing",
    "ambianic_fall": "teacher boxes",
    "ambianic_clip": "teacher boxes",
    "gmdcsa24": "teacher boxes; medians of clips as empty rooms",
    "intel_sample_gifs": "teacher boxes",
    "synthetic": "true boxes",
}
