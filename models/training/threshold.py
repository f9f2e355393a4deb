"""Choose the operating score on held-out pictures, never on the acceptance clip.

python -m models.training.threshold CACHE ppe_s_int8.tflite
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np

from models.training import metrics
from models.training.dataset import Cache
from models.training.detect import Int8Student
from models.training.evaluate import JUDGED, LOWEST_SCORE, samples_of
from models.training.kinds import CLASSES, PERSON

log = logging.getLogger(__name__)

SCORES = np.arange(0.20, 0.66, 0.05)
SURE_OF_EMPTY = ("coco128x2", "ppe_minhnkb", "simulated", "synthetic")
"""Sets whose pictures without people are really empty."""


def main() -> None:
    """Print recall and precision by class for each score, and false people in empty pictures."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("int8", type=Path)
    arguments = parser.parse_args()
    cache, student = Cache(arguments.cache), Int8Student(arguments.int8)
    judged: dict[int, list[metrics.Judged]] = {kind: [] for kind in JUDGED}
    empty = []
    for source in dict.fromkeys(s for sources in JUDGED.values() for s in sources):
        for sample in samples_of(cache, source):
            found = student.find(sample.pixels, LOWEST_SCORE)
            for kind in (k for k in JUDGED if source in JUDGED[k]):
                judged[kind].append(metrics.judge(found, sample.boxes, kind))
            if source in SURE_OF_EMPTY and not (sample.boxes[:, 4] == PERSON).any():
                empty.append(judged[PERSON][-1])
    for score in SCORES:
        words = []
        for kind, rows in judged.items():
            found_n, there, false = metrics.at_threshold(rows, float(score))
            precision = found_n / max(found_n + false, 1)
            words.append(f"{CLASSES[kind]} recall {found_n / there:.3f} precision {precision:.3f}")
        alarms = sum(bool((j.scores >= score).any()) for j in empty)
        log.info("%.2f  %s  empty %d/%d", score, "  ".join(words), alarms, len(empty))


if __name__ == "__main__":
    main()
