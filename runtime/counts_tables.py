"""Counters of one hour in fixed memory: per cell of the picture, and per zone.

What a track did lives in its slot and dies with it. Nothing is kept of who it was: a cell knows how
many different tracks were there in this hour, so that a report can withhold what few account for.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence


class CellCounts:
    """Time spent in each cell, and by how many tracks.

    Args:
        columns, rows: of the grid over the picture.
        width_px, height_px: of the picture.
        slots: of the track table.

    Attributes:
        ms: float64[rows * columns], person-milliseconds, row by row.
        tracks: uint64[rows * columns], different tracks in this hour.
    """

    def __init__(self, columns: int, rows: int, width_px: int, height_px: int, slots: int) -> None:
        self.columns, self.rows = columns, rows
        cells = self._cells = columns * rows
        self._per_x, self._per_y = columns / width_px, rows / height_px
        self.ms = array("d", bytes(8 * cells))
        self.tracks = array("Q", bytes(8 * cells))
        self._been = bytearray(cells * slots)
        self._nowhere, self._never = bytes(cells), bytes(cells * slots)
        self._no_ms, self._no_tracks = array("d", self.ms), array("Q", self.tracks)

    def add(self, slot: int, x: float, y: float, elapsed_ms: float) -> None:
        """The track of this slot was at pixel x, y; beyond the edge is on the edge."""
        column = min(max(int(x * self._per_x), 0), self.columns - 1)
        row = min(max(int(y * self._per_y), 0), self.rows - 1)
        cell = row * self.columns + column
        self.ms[cell] += elapsed_ms
        place = slot * self._cells + cell
        if not self._been[place]:
            self._been[place] = 1
            self.tracks[cell] += 1

    def forget(self, slot: int) -> None:
        """The track of this slot died."""
        start = slot * self._cells
        self._been[start : start + self._cells] = self._nowhere

    def clear(self) -> None:
        """A new hour: whoever is there counts anew."""
        self.ms[:], self.tracks[:] = self._no_ms, self._no_tracks
        self._been[:] = self._never


class ZoneCounts:
    """Entries, exits, people inside, and how long they stayed, per zone.

    An entry counts once somebody has been inside for `settle_ms`, an exit likewise; both are dated
    back to when it began. A stay is counted in the hour in which it ends.

    Args:
        count: number of zones; zone z is bit z.
        slots: of the track table.
        settle_ms: see above.
        dwell_s: edges of the classes of stays, ascending, seconds.

    Attributes:
        ms: float64[count], person-milliseconds.
        tracks: uint64[count], different tracks.
        entries, exits: uint64[count].
        appeared: entries of those who were inside when first seen.
        vanished: exits of those who were inside when last seen.
        most: uint64[count], most people inside at a time.
        inside: uint64[count], people inside now.
        dwell: uint64[count * (len(dwell_s) + 1)], stays that ended, by class.
    """

    def __init__(self, count: int, slots: int, settle_ms: float, dwell_s: Sequence[int]) -> None:
        self.count, self._settle_ms = count, settle_ms
        self._edges_ms = [1000.0 * edge for edge in dwell_s]
        self.classes = len(dwell_s) + 1
        self.ms = array("d", bytes(8 * count))
        self.tracks, self.entries, self.exits = _zeros(count), _zeros(count), _zeros(count)
        self.appeared, self.vanished = _zeros(count), _zeros(count)
        self.most, self.inside = _zeros(count), _zeros(count)
        self.dwell = _zeros(count * self.classes)
        self._raw, self._settled, self._been = _zeros(slots), _zeros(slots), _zeros(slots)
        self._born = _zeros(slots)
        self._since_ms = array("d", bytes(8 * slots * count))
        self._entered_ms = array("d", bytes(8 * slots * count))

    def see(
        self, slot: int, bits: int, seen_ms: float, elapsed_ms: float, is_first: bool = False
    ) -> None:
        """A track was seen.

        Args:
            slot: of the track.
            bits: the zones it is in.
            seen_ms: when, source time.
            elapsed_ms: since it was seen before; since its birth where `is_first`.
            is_first: not seen before by this counter.
        """
        for zone in _ones(bits):
            self.ms[zone] += elapsed_ms
        if bits & ~self._been[slot]:
            for zone in _ones(bits & ~self._been[slot]):
                self.tracks[zone] += 1
            self._been[slot] |= bits
        changed = bits ^ self._raw[slot]
        if changed:
            self._move(slot, bits, changed, seen_ms - elapsed_ms if is_first else seen_ms)
            self._born[slot] = bits if is_first else self._born[slot] & ~changed
        if bits != self._settled[slot]:
            self._settle(slot, bits, seen_ms)

    def die(self, slot: int, last_ms: float) -> None:
        """The track of this slot died; it was last seen at `last_ms`."""
        for zone in _ones(self._settled[slot]):
            is_inside = self._raw[slot] >> zone & 1
            self.vanished[zone] += is_inside
            self._exit(slot, zone, last_ms if is_inside else self._since(slot, zone))
        self._raw[slot] = self._settled[slot] = self._been[slot] = self._born[slot] = 0

    def clear(self) -> None:
        """A new hour; who is inside stays inside."""
        for table in (self.tracks, self.entries, self.exits, self.appeared, self.vanished):
            _wipe(table)
        _wipe(self.dwell)
        _wipe(self._been)
        for zone in range(self.count):
            self.ms[zone] = 0.0
            self.most[zone] = self.inside[zone]

    def _since(self, slot: int, zone: int) -> float:
        return self._since_ms[slot * self.count + zone]

    def _move(self, slot: int, bits: int, changed: int, moment_ms: float) -> None:
        for zone in _ones(changed):
            self._since_ms[slot * self.count + zone] = moment_ms
        self._raw[slot] = bits

    def _settle(self, slot: int, bits: int, seen_ms: float) -> None:
        for zone in _ones(bits ^ self._settled[slot]):
            since_ms = self._since(slot, zone)
            if seen_ms - since_ms < self._settle_ms:
                continue
            self._settled[slot] ^= 1 << zone
            if not bits >> zone & 1:
                self._exit(slot, zone, since_ms)
                continue
            self._entered_ms[slot * self.count + zone] = since_ms
            self.entries[zone] += 1
            self.appeared[zone] += self._born[slot] >> zone & 1
            self.inside[zone] += 1
            self.most[zone] = max(self.most[zone], self.inside[zone])

    def _exit(self, slot: int, zone: int, left_ms: float) -> None:
        self.exits[zone] += 1
        self.inside[zone] -= 1
        stayed_ms = left_ms - self._entered_ms[slot * self.count + zone]
        self.dwell[zone * self.classes + bisect_right(self._edges_ms, stayed_ms)] += 1


def _zeros(count: int) -> array[int]:
    return array("Q", bytes(8 * count))


def _wipe(table: array[int]) -> None:
    for index in range(len(table)):
        table[index] = 0


def _ones(bits: int) -> Iterator[int]:
    """Numbers of the bits that are set."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low
