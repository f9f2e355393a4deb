"""Choose the operating score on held-out pictures, never on the acceptance clip.

python -m models.training.threshold CACHE person_xs_int8.tflite
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np

from models.training import metrics
from models.training.dataset import HELD_OUT, Cache
from models.training.detect import Int8Student
from models.training.evaluate import BY_TEACHER, LABELLED, LOWEST_SCORE

log = logging.getLogger(__name__)

SCORES = np.arange(0.30, 0.71, 0.05)
SURE_OF_EMPTY = ("coco128x2", "ppe_minhnkb", "gmdcsa24", "synthetic")
"""Sets whose pictures without people are really empty."""


def main() -> None:
    """Print, for each score, people found, false boxes, and empty pictures with a false box."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("int8", type=Path)
    arguments = parser.parse_args()
    cache, student = Cache(arguments.cache), Int8Student(arguments.int8)
    judged, empty = [], []
    for source in (*LABELLED, *BY_TEACHER):
        for i in cache.where(HELD_OUT, source):
            one = metrics.judge(student.find(cache[i].pixels, LOWEST_SCORE), cache[i].boxes)
            judged.append(one)
            if source in SURE_OF_EMPTY and not len(cache[i].boxes):
                empty.append(one)
    for score in SCORES:
        found, people, false = metrics.at_threshold(judged, float(score))
        alarms = sum(bool((j.scores >= score).any()) for j in empty)
        log.info(
            "%.2f  recall %.3f  precision %.3f  empty with a false box %d/%d",
            score, found / people, found / max(found + false, 1), alarms, len(empty),
        )  # fmt: skip


if __name__ == "__main__":
    main()
