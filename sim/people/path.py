"""Where a person is over time: places on the ground joined by lines and turns."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass, field
from typing import Literal

Manner = Literal["stay", "turn", "walk", "run", "crawl", "climb"]


def smooth(share: float) -> float:
    """0 to 1, at rest at both ends; outside it stays."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


@dataclass(frozen=True)
class Piece:
    """One stretch of time.

    Attributes:
        start_ms, end_ms: when; the place stays at its end afterwards.
        x0, y0, x1, y1: from where to where, metres.
        yaw0, yaw1: heading in degrees, not wrapped.
        floor0, floor1: height of what is stood on.
        manner: how.
        ramp_s: time to speed up, and again to slow down.
        step_m: length of a step, 0 where there are none.
    """

    start_ms: float
    end_ms: float
    x0: float
    y0: float
    x1: float
    y1: float
    yaw0: float
    yaw1: float
    floor0: float = 0.0
    floor1: float = 0.0
    manner: Manner = "stay"
    ramp_s: float = 0.0
    step_m: float = 0.0

    @property
    def length_m(self) -> float:
        """Over the ground."""
        return math.hypot(self.x1 - self.x0, self.y1 - self.y0)

    @property
    def cruise_m_s(self) -> float:
        """Speed between the ramps."""
        return self.length_m / max((self.end_ms - self.start_ms) / 1000 - self.ramp_s, 1e-6)

    def gone_m(self, t_ms: float) -> float:
        """How far along."""
        whole = (self.end_ms - self.start_ms) / 1000
        t = min(max((t_ms - self.start_ms) / 1000, 0.0), whole)
        top, ramp = self.cruise_m_s, self.ramp_s
        if ramp <= 0:
            return top * t
        if t < ramp:
            return top * t * t / (2 * ramp)
        if t > whole - ramp:
            return self.length_m - top * (whole - t) ** 2 / (2 * ramp)
        return top * (t - ramp / 2)

    def speed_m_s(self, t_ms: float) -> float:
        """Over the ground."""
        whole = (self.end_ms - self.start_ms) / 1000
        t = (t_ms - self.start_ms) / 1000
        if not 0 <= t < whole or self.length_m < 1e-9:
            return 0.0
        if self.ramp_s <= 0:
            return self.cruise_m_s
        return self.cruise_m_s * min(1.0, t / self.ramp_s, (whole - t) / self.ramp_s)

    def when_ms(self, gone_m: float) -> float:
        """When this far along: the inverse of gone_m."""
        whole = (self.end_ms - self.start_ms) / 1000
        top, ramp, length = self.cruise_m_s, self.ramp_s, self.length_m
        gone = min(max(gone_m, 0.0), length)
        if top <= 1e-9:
            return self.start_ms
        if ramp <= 0:
            t = gone / top
        elif gone < top * ramp / 2:
            t = math.sqrt(2 * ramp * gone / top)
        elif gone > length - top * ramp / 2:
            t = whole - math.sqrt(2 * ramp * (length - gone) / top)
        else:
            t = gone / top + ramp / 2
        return self.start_ms + 1000 * t


@dataclass
class Path:
    """Pieces one after the other; the last one goes on for ever."""

    pieces: list[Piece] = field(default_factory=list)
    _starts: list[float] = field(default_factory=list)

    def add(self, piece: Piece) -> None:
        """The next piece; it begins when the one before ends or later."""
        self.pieces.append(piece)
        self._starts.append(piece.start_ms)

    def piece(self, t_ms: float) -> Piece:
        """What goes on at a time."""
        return self.pieces[max(bisect.bisect_right(self._starts, t_ms) - 1, 0)]

    def at(self, t_ms: float) -> tuple[float, float, float, float]:
        """x, y, heading, floor."""
        piece = self.piece(t_ms)
        length = piece.length_m
        share = piece.gone_m(t_ms) / length if length > 1e-9 else 1.0
        time = (t_ms - piece.start_ms) / max(piece.end_ms - piece.start_ms, 1e-6)
        turn = smooth(time) if piece.manner == "turn" else smooth(time * 2)
        rise = min(max(time, 0.0), 1.0)
        return (
            piece.x0 + (piece.x1 - piece.x0) * share,
            piece.y0 + (piece.y1 - piece.y0) * share,
            piece.yaw0 + (piece.yaw1 - piece.yaw0) * turn,
            piece.floor0 + (piece.floor1 - piece.floor0) * rise,
        )
