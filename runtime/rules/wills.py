"""What a lost track leaves to the one that is born in its place.

A person is a track to the rules; a track that the tracker gave up, and another that began where it
ended, are one person. Rules that count long times leave the time to the heir.
"""

from __future__ import annotations

from math import hypot

from runtime.tables import F32, Tracks

NEAR_HEIGHTS = 1.0
"""An heir is born no farther from where the lost one was, unless a rule says otherwise."""


class Will:
    """What one lost track left.

    Attributes:
        open: nobody has it yet, and its time is not over.
        since_ms: begin of the time that is left.
        active: the hazard is raised.
        raisable: the time may reach its limit while nobody is seen.
        slot, track_id: whose it was.
        seen_ms: source time when the track was last seen.
        until_ms: when it is void.
        foot, length_px: where the lost one stood, and the longer side of the box; pixels.
    """

    __slots__ = (
        "active",
        "foot",
        "length_px",
        "open",
        "raisable",
        "seen_ms",
        "since_ms",
        "slot",
        "track_id",
        "until_ms",
    )

    def __init__(self) -> None:
        self.open = self.active = self.raisable = False
        self.since_ms = self.seen_ms = self.until_ms = self.length_px = 0.0
        self.slot = self.track_id = 0
        self.foot = (0.0, 0.0)


class Wills:
    """A fixed number of them.

    Args:
        capacity: number of track slots; so many can be lost at once.
    """

    def __init__(self, capacity: int) -> None:
        self._all = [Will() for _ in range(capacity)]
        self.open = 0

    def leave(
        self, slot: int, tracks: Tracks, since_ms: float, until_ms: float, active: bool
    ) -> Will | None:
        """The track of a slot died. None: there is no room, it is lost for good."""
        will = next((will for will in self._all if not will.open), None)
        if will is None:
            return None
        self.open += 1
        x, y = tracks.foot[slot].tolist()
        will.open, will.active, will.raisable = True, active, False
        will.since_ms, will.until_ms = since_ms, until_ms
        will.slot, will.track_id = slot, tracks.track_id.item(slot)
        will.seen_ms, will.foot = tracks.last_ms.item(slot), (x, y)
        will.length_px = longer_side(tracks.boxes[slot])
        return will

    def claim(self, slot: int, tracks: Tracks, heights: float = NEAR_HEIGHTS) -> Will | None:
        """What is left for a new track: of the nearest lost one that was gone before it began.

        Args:
            slot: of the new track.
            tracks: with its box.
            heights: how far apart they may be, in the larger of both boxes' lengths.
        """
        if not self.open:
            return None
        x, y = tracks.foot[slot].tolist()
        first_ms, length_px = tracks.first_ms.item(slot), longer_side(tracks.boxes[slot])
        best, least = None, heights
        for will in self._all:
            if will.open and will.seen_ms < first_ms:
                away_px = hypot(x - will.foot[0], y - will.foot[1])
                away = away_px / max(length_px, will.length_px, 1.0)
                if away <= least:
                    best, least = will, away
        if best is not None:
            self.close(best)
        return best

    def close(self, will: Will) -> None:
        """Nobody can claim it any more."""
        will.open = False
        self.open -= 1

    def standing(self) -> list[Will]:
        """Those that are open."""
        return [will for will in self._all if will.open] if self.open else []


def longer_side(box: F32) -> float:
    """Of float32[4] xyxy, pixels: the length of somebody who stands, and who lies."""
    left, top, right, bottom = box.tolist()
    return float(max(right - left, bottom - top))
