"""The loop's side of a trial: which eyes drive the camera, and which look on.

Everything here runs on the loop's thread, between two stages; rows were made beforehand.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass

from runtime.context import Context
from runtime.eyes import Eyes
from runtime.loop import Loop, Stage
from runtime.metrics import Metrics
from runtime.posture_stages import Look
from runtime.privacy import Anonymiser
from runtime.shadow import Shadow
from runtime.track import Tracker


@dataclass(frozen=True)
class Seat:
    """A pair of eyes with its rows of the stage table, ready to take over.

    Attributes:
        known: what its action network knows of the exam; 0 without one.
    """

    eyes: Eyes
    rows: tuple[Stage, ...]
    known: int


class TrialSide:
    """Swaps students in a running loop.

    Args:
        loop, context, tracker, metrics: the camera's own.
        shadow: its stage of that name.
        anonymiser: of a camera that exports pictures.
        eyes, rows: what it sees by now, and their rows of the stage table.

    Attributes:
        live: what drives the camera.
        factory_version: of the detector that the camera was made with, where that is known.
    """

    def __init__(
        self,
        loop: Loop,
        context: Context,
        tracker: Tracker,
        metrics: Metrics,
        shadow: Shadow,
        anonymiser: Anonymiser | None,
        eyes: Eyes,
        rows: tuple[Stage, ...],
    ) -> None:
        self._loop, self._context, self._tracker = loop, context, tracker
        self._metrics, self._anonymiser = metrics, anonymiser
        self.shadow = shadow
        self.factory_version = ""
        self.live = Seat(eyes, rows, eyes.examine())

    def seat(self, eyes: Eyes) -> Seat:
        """Make the rows of other eyes; takes memory, so on whatever thread has headroom.

        They must not be in use yet. Raises NpuFault.
        """
        context, metrics = self._context, self._metrics
        first = eyes.first_rows(context, metrics, self._anonymiser)
        rows = (*first, *eyes.second_rows(context, metrics))
        return Seat(eyes, rows, eyes.examine())

    def look_on(self, seat: Seat) -> None:
        """New eyes look on beside the live ones."""
        self.shadow.begin(seat.eyes, self.live.eyes, is_new=True)

    def swap(self, seat: Seat, watcher: Seat | None) -> None:
        """Drive the camera by other eyes from the next tick on.

        Args:
            seat: takes over.
            watcher: looks on from now on; None: nobody.
        """
        eyes, postures = seat.eyes, self._context.postures
        for row in seat.rows:
            if isinstance(row.run, Look):
                row.run.restart()
        self._loop.swap(seat.rows)
        self._tracker.birth_score = eyes.birth_score
        if postures is not None and eyes.bodies is not None:
            postures.knows_absence = eyes.bodies.knows_absence
        self.live = seat
        if watcher is None:
            self.shadow.end()
        else:
            self.shadow.begin(watcher.eyes, eyes, is_new=False)

    def end(self) -> None:
        """Nobody looks on any more; what the trial has left over is collected once."""
        self.shadow.end()
        gc.collect()
        gc.freeze()
