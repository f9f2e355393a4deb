"""What was really there, picture by picture, and when things happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from sim.scenario.expect import Moment
from sim.scenario.result import Track
from sim.world.config import LineConfig, WorldConfig
from sim.world.truth import Truth

DIGITS = 3
"""Millimetres."""


class Posed(Protocol):
    """What the log asks of a world."""

    def pose(self, t_ms: float) -> None:
        """Move everybody to where they are at a time, without drawing."""
        ...

    def brief(self) -> Truth:
        """Who is where, of the last picture or pose."""
        ...


class Row(NamedTuple):
    """One person or machine in one picture."""

    name: str
    kind: str
    at_m: tuple[float, float]
    action: str = ""
    zones: tuple[str, ...] = ()
    helmet: bool = False
    vest: bool = False


class TruthLog:
    """Keeps who was where, picture by picture.

    Args:
        world: asked after each picture.
    """

    def __init__(self, world: Posed) -> None:
        self._world = world
        self._rows: dict[float, list[Row]] = {}
        self._tracks: dict[str, Track] = {}

    def see(self, t_ms: float) -> None:
        """A picture of this time was drawn."""
        truth = self._world.brief()
        rows = [
            Row(p.name, "person", p.foot_m, p.action, p.zones, p.helmet, p.vest)
            for p in truth.people
        ]
        rows += [Row(machine.name, machine.kind, machine.at_m) for machine in truth.machines]
        self._rows[t_ms] = rows

    def fill(self, times_ms: Iterable[float]) -> None:
        """After the run: add the times at which the camera gave no picture, and make the tracks."""
        for t_ms in times_ms:
            if t_ms not in self._rows:
                self._world.pose(t_ms)
                self.see(t_ms)
        self._tracks.clear()
        for t_ms in sorted(self._rows):
            for row in self._rows[t_ms]:
                self._add(t_ms, row)

    @property
    def tracks(self) -> list[Track]:
        """All ways, in the order of first appearance; there after `fill`."""
        return list(self._tracks.values())

    def moments(self, moment: Moment, config: WorldConfig) -> list[float]:
        """Every time at which the person did what the moment says, ms."""
        track = self._tracks.get(moment.person)
        if track is None:
            return []
        if moment.crosses:
            line = next(line for line in config.lines if line.name == moment.crosses)
            return list(_crossings(track, line))
        values = _states(track, moment)
        was = [False, *values[:-1]] if not moment.leaves else [True, *values[:-1]]
        return [
            t_ms
            for t_ms, now, before in zip(track.t_ms, values, was, strict=True)
            if now and not before
        ]

    def _add(self, t_ms: float, row: Row) -> None:
        track = self._tracks.get(row.name)
        if track is None:
            track = Track(name=row.name, kind=row.kind, t_ms=[], x_m=[], y_m=[])
            self._tracks[row.name] = track
        track.t_ms.append(t_ms)
        track.x_m.append(round(row.at_m[0], DIGITS))
        track.y_m.append(round(row.at_m[1], DIGITS))
        if row.kind == "person":
            track.action.append(row.action)
            track.zones.append(list(row.zones))
            track.helmet.append(row.helmet)
            track.vest.append(row.vest)


def _states(track: Track, moment: Moment) -> list[bool]:
    """Whether what the moment looks for holds, per picture."""
    if moment.enters:
        return [moment.enters in zones for zones in track.zones]
    if moment.leaves:
        return [moment.leaves not in zones for zones in track.zones]
    if moment.action:
        return [action == moment.action for action in track.action]
    if moment.loses or moment.wears:
        worn = track.helmet if "helmet" in (moment.loses, moment.wears) else track.vest
        return [has is bool(moment.wears) for has in worn]
    return [True] * len(track.t_ms)  # appears


def _crossings(track: Track, line: LineConfig) -> Iterator[float]:
    """Times at which the way leads over the line, between its ends."""
    points = list(zip(track.x_m, track.y_m, strict=True))
    (ax, ay), (bx, by) = line.start_m, line.end_m
    for index in range(1, len(points)):
        p, q = points[index - 1], points[index]
        before, now = ((bx - ax) * (y - ay) - (by - ay) * (x - ax) for x, y in (p, q))
        if before * now > 0 or now == before or now == 0:
            continue
        share = before / (before - now)
        x, y = p[0] + share * (q[0] - p[0]), p[1] + share * (q[1] - p[1])
        along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)
        if 0.0 <= along <= 1.0:
            yield track.t_ms[index]
