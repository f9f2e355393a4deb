"""Finds a back end that hands out old outputs as if they were new.

RKNNLite ignores a failed run and returns the previous outputs; a wedged delegate does the same.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from drivers.faults import NpuFault
from drivers.interfaces import Session

SAMPLES: Final = 512
"""Input values looked at, spread evenly over the picture and over its three colours."""
MATERIAL_LEVELS: Final = 16
"""A sample that moved by more than this many of 256 levels has really changed: not sensor noise."""
MATERIAL_SAMPLES: Final = 4
"""This many changed samples are about 1 % of the picture: a person 16 px wide."""
REPEATS: Final = 3
HOLD_MS: Final = 300.0
WITNESS_BYTES: Final = 256
"""While the smallest output of at least this size changes, nothing else has to be compared."""


class StaleCheck:
    """Call `check` after each `invoke`.

    A single repeat proves nothing: a small student may saturate, and noise may round away. So the
    fault needs outputs that are identical to the bit, over `repeats` pictures that all differ from
    each other and materially from the one that the outputs belong to, for at least `hold_ms`. The
    comparison is with that picture, not with the last one, so slow changes add up; and pictures
    that stand still are never counted.

    Attributes:
        doubtful: the last outputs repeat older ones for a new picture; not yet a fault.
    """

    def __init__(self, session: Session, hold_ms: float = HOLD_MS, repeats: int = REPEATS) -> None:
        """Allocate for one session's first input and all its outputs.

        Args:
            session: its arrays are read in place, no copy is kept of the whole input.
            hold_ms: shortest time from the first repeat to the fault.
            repeats: fewest repeats before the fault.
        """
        flat = session.inputs[0].reshape(-1)
        step = max(1, flat.size // SAMPLES) | 1
        self._sample = flat[::step]
        self._owner = self._sample.copy()
        self._previous = self._sample.copy()
        self._high, self._low = self._sample.copy(), self._sample.copy()
        self._moved = np.zeros(self._sample.size, np.uint8)
        self._changed = np.zeros(self._sample.size, np.bool_)
        self._pairs = sorted(
            ((out, out.copy(), np.zeros(out.shape, np.bool_)) for out in session.outputs),
            key=lambda pair: pair[0].size,
        )
        by_size = sorted(session.outputs, key=lambda output: output.nbytes)
        rich = (output for output in by_size if output.nbytes >= WITNESS_BYTES)
        self._witness = next(rich, by_size[-1])
        self._last = b""
        self._hold_ms, self._repeats = hold_ms, repeats
        self._counted, self._since_ms, self._seen = 0, 0.0, False
        self.doubtful = False

    def check(self, now_ms: float) -> None:
        """Compare the outputs with those of the last call.

        Args:
            now_ms: time of this inference, ms of the injected clock.

        Raises:
            NpuFault: "stale_output", at every call until the outputs change.
        """
        self.doubtful = False
        witness = self._witness.tobytes()
        if witness != self._last:
            self._last, self._seen = witness, False
            return
        if not self._seen or self._outputs_changed():
            self._remember()
            return
        if not self._input_is_new():
            return
        if self._counted == 0:
            self._since_ms = now_ms
        self._counted += 1
        self.doubtful = True
        span_ms = now_ms - self._since_ms
        if self._counted >= self._repeats and span_ms >= self._hold_ms:
            raise NpuFault(
                "stale_output", f"same outputs for {self._counted} new pictures in {span_ms:.0f} ms"
            )

    def _outputs_changed(self) -> bool:
        """Whether any output differs from the remembered one; the first usually does."""
        for output, last, differs in self._pairs:
            np.not_equal(output, last, out=differs)
            if differs.any():
                return True
        return False

    def _remember(self) -> None:
        for output, last, _ in self._pairs:
            np.copyto(last, output)
        np.copyto(self._owner, self._sample)
        np.copyto(self._previous, self._sample)
        self._counted, self._seen = 0, True

    def _input_is_new(self) -> bool:
        """Whether the picture moved since the last call, and materially since the outputs did."""
        np.not_equal(self._sample, self._previous, out=self._changed)
        moving = bool(self._changed.any())
        np.copyto(self._previous, self._sample)
        return moving and self._material() >= MATERIAL_SAMPLES

    def _material(self) -> int:
        """How many samples are more than MATERIAL_LEVELS from the picture of the outputs.

        high - low wraps to the true distance in uint8, for int8 tensors too.
        """
        np.maximum(self._sample, self._owner, out=self._high)
        np.minimum(self._sample, self._owner, out=self._low)
        np.subtract(_bytes(self._high), _bytes(self._low), out=self._moved)
        np.greater(self._moved, MATERIAL_LEVELS, out=self._changed)
        return int(np.count_nonzero(self._changed))


def _bytes(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    return array.view(np.uint8)
