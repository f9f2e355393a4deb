"""Builds new students beside the present ones; puts them to the first tests: fit, golden, time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from drivers.board import Board
from drivers.faults import ModelRefused
from drivers.interfaces import Clock, Npu, Session
from ota.golden import check_golden
from ota.manifest import GOLDEN_FILE
from ota.refusal import Refused
from runtime.exam import ALLOWED
from runtime.eyes import Eyes
from runtime.memory import usage_kb
from runtime.packages import factory_packages
from runtime.student_files import Files, student_packages
from runtime.trial_side import Seat, TrialSide

TIMED: Final = 5
"""Inferences that are timed; the middle one counts."""
INVOKE_SHARE: Final = 0.4
"""Of a frame's period, for the detector, where the board file says nothing."""


class Builder:
    """Makes seats.

    Args:
        board, npu, size, min_score: as for `runtime.eyes.Eyes`.
        clock: times the inferences.
        period_ms: of a frame.
        side: the loop's side of the trial.
        headroom: lifts the memory limit for as long as it is entered.
    """

    def __init__(
        self,
        board: Board,
        npu: Npu,
        size: tuple[int, int],
        min_score: float,
        clock: Clock,
        period_ms: float,
        side: TrialSide,
        headroom: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._board, self._npu, self._size, self._min_score = board, npu, size, min_score
        self._clock, self._side, self._headroom = clock, side, headroom
        asked_ms = board.updates.invoke_ms if board.updates else 0.0
        self._most_kb = (board.updates.memory_mb if board.updates else 0) << 10
        self._most_ms = asked_ms or INVOKE_SHARE * period_ms

    def build(self, files: Files, origin: str) -> Seat:
        """A set out of a slot, tried out.

        Raises:
            Refused: "golden", "latency", "memory" or "agreement".
            ModelRefused, NpuFault: it cannot be loaded, or does not fit the rules.
        """
        with_bodies = self._side.live.eyes.bodies is not None
        before_kb = usage_kb()[1]
        with self._headroom():
            with student_packages(files, self._npu.target, with_bodies, origin) as packages:
                eyes = Eyes(packages, self._board, self._npu, self._size, self._min_score)
            try:
                self._side.live.eyes.check_fits(eyes)
                self._check_answers(eyes, files)
                self._check_time(eyes.session)
                eyes.rehearse()
                self._check_memory(usage_kb()[1] - before_kb)
                seat = self._side.seat(eyes)
                self._check_exam(seat)
                return seat
            except BaseException:
                eyes.close()
                raise

    def build_factory(self) -> Seat:
        """The students that the camera was made with. Raises ModelRefused, NpuFault."""
        with_bodies = self._side.live.eyes.bodies is not None
        with self._headroom():
            packages = factory_packages(self._board.models, self._npu.target, with_bodies)
            eyes = Eyes(packages, self._board, self._npu, self._size, self._min_score)
            eyes.rehearse()
            return self._side.seat(eyes)

    def _check_answers(self, eyes: Eyes, files: Files) -> None:
        for role, session in eyes.sessions.items():
            golden = files[role].get(GOLDEN_FILE)
            if golden is None:
                raise ModelRefused(role, f"there is no {GOLDEN_FILE}")
            check_golden(golden, session, self._npu.target)

    def _check_exam(self, seat: Seat) -> None:
        present = self._side.live.known
        if seat.known < present - ALLOWED:
            detail = f"it knows {seat.known} of those who stand and lie; the present one {present}"
            raise Refused("agreement", detail)

    def _check_memory(self, grown_kb: int) -> None:
        if grown_kb > self._most_kb:
            detail = f"it takes {grown_kb / 1024:.0f} MB beside the present students"
            raise Refused("memory", f"{detail}; at most {self._most_kb / 1024:.0f} MB")

    def _check_time(self, session: Session) -> None:
        took_ms = sorted(self._time(session) for _ in range(TIMED))[TIMED // 2]
        if took_ms > self._most_ms:
            detail = f"an inference of the detector takes {took_ms:.1f} ms"
            raise Refused("latency", f"{detail}; at most {self._most_ms:.1f} ms")

    def _time(self, session: Session) -> float:
        began_ms = self._clock.now_ms()
        session.invoke()
        return self._clock.now_ms() - began_ms
