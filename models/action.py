"""Says what a person does from one skeleton of one frame: no history, no state."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from drivers.interfaces import Session
from models.package import Package
from models.skeletons import JOINTS, Normaliser
from models.tables import F32, Actions, Skeletons

ACTIONS: Final = (
    "stand", "walk", "run", "bend", "squat", "sit", "climb", "fall", "lie", "crawl",
    "arms_raised", "work",
)  # fmt: skip
"""In the order of the shipped student's scores."""
INPUTS: Final = JOINTS * 3
FEWEST_JOINTS: Final = 4
"""Skeletons with fewer visible joints are not judged."""
INT8_LOW, INT8_HIGH = -128, 127


class ActionNetwork:
    """Skeletons in, Actions out; one `invoke` per skeleton, all memory taken when it is made.

    Attributes:
        package: what is running.
        session: the loaded network; shared, so closing it is the caller's.
        classes: names by class index.
    """

    def __init__(self, package: Package, session: Session, capacity: int) -> None:
        """Allocate everything.

        Args:
            package: a package of role "action" that was loaded for the session.
            session: from `open_session`.
            capacity: most skeletons per frame.
        """
        info = package.info
        self.package = package
        self.session = session
        self.classes = tuple(info.classes)
        self._normaliser = Normaliser(capacity)
        self._normal: F32 = np.zeros((capacity, JOINTS, 3), np.float32)
        self._flat: F32 = self._normal.reshape(capacity, INPUTS)
        self._input: npt.NDArray[np.int8] = session.inputs[0].reshape(INPUTS)
        self._output: npt.NDArray[np.int8] = session.outputs[0].reshape(len(self.classes))
        self._steps = np.float32(1 / info.input.scale)
        self._offset = np.float32(info.input.zero_point)
        self._scale = np.float32(info.outputs[0].scale)
        self._seen: F32 = np.zeros(capacity, np.float32)

    def __call__(self, skeletons: Skeletons, actions: Actions) -> None:
        """Judge every skeleton of a frame.

        Args:
            skeletons: at most the capacity.
            actions: filled row by row; of the same capacity.

        Raises:
            NpuFault: the network failed; `actions` is then not valid.
        """
        count = skeletons.count
        self.prepare(skeletons.keypoints[:count])
        np.sum(self._normal[:count, :, 2], axis=1, out=self._seen[:count])
        self._quantise(count)
        for row in range(count):
            if self._seen[row] < FEWEST_JOINTS:
                actions.scores[row] = 0
                actions.best[row] = -1
                continue
            np.copyto(self._input, self._flat[row], casting="unsafe")
            self.session.invoke()
            self._decode(actions.scores[row])
            actions.best[row] = actions.scores[row].argmax()
        actions.count = count

    def prepare(self, keypoints: F32) -> None:
        """Normalise skeletons float32[N, 17, 3] into the network's own memory."""
        self._normaliser(keypoints, self._normal[: len(keypoints)])

    def _quantise(self, count: int) -> None:
        """Torso lengths to the input's integers, still as floats."""
        flat = self._flat[:count]
        np.multiply(flat, self._steps, out=flat)
        np.add(flat, self._offset, out=flat)
        np.rint(flat, out=flat)
        np.clip(flat, INT8_LOW, INT8_HIGH, out=flat)

    def _decode(self, scores: F32) -> None:
        """Softmax of the quantised logits; the zero point cancels out."""
        np.copyto(scores, self._output)
        np.subtract(scores, scores.max(), out=scores)
        np.multiply(scores, self._scale, out=scores)
        np.exp(scores, out=scores)
        np.divide(scores, scores.sum(), out=scores)
