"""The stages that make pictures for others: learn the empty room, anonymise, annotate, write."""

from __future__ import annotations

from models.detector import Detector
from models.families.anchor_free import AnchorFreeDecoder
from models.tables import Detections
from runtime.context import Context
from runtime.loop import Stage, judged
from runtime.privacy import Anonymiser

FAINT_SHARE = 0.4
"""Of the score that makes a person: where the detector is this doubtful, nothing is learned."""


class LearnRoom:
    """Learns the empty room for an Anonymiser. Left out when the loop is behind.

    Args:
        anonymiser: whose room it is.
        detector: the loop's own; its outputs are read a second time, down to low scores.
        capacity: most detections of all classes.
        birth_score: what makes a person.
    """

    def __init__(
        self, anonymiser: Anonymiser, detector: Detector, capacity: int, birth_score: float
    ) -> None:
        self._anonymiser = anonymiser
        info, score = detector.package.info, FAINT_SHARE * birth_score
        self._decoder = AnchorFreeDecoder(info, detector.letterbox, capacity, score)
        self._outputs = detector.session.outputs
        self._faint = Detections(capacity)
        self._decoder.rehearse(self._faint)

    def __call__(self, context: Context) -> None:
        """A frame teaches something now and then, and only when it was judged."""
        anonymiser, t_ms = self._anonymiser, context.t_ms
        if anonymiser.learns_at(t_ms):
            self._decoder.decode(self._outputs, self._faint)
            anonymiser.learn(context.frame, context.detections, context.tracks, t_ms, self._faint)


def learn_stages(
    anonymiser: Anonymiser | None, detector: Detector, capacity: int, birth_score: float
) -> tuple[Stage, ...]:
    """The row of the stage table: it reads the detector's outputs, so before they are others."""
    if anonymiser is None:
        return ()
    learn = LearnRoom(anonymiser, detector, capacity, birth_score)
    return (Stage("room", learn, judged, 2.0, sheddable=True),)
