"""Tables that the loop's stages hand on: fixed-capacity structs of arrays, allocated once."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]


class TrackState(IntEnum):
    """Life of a track slot."""

    FREE = 0
    TENTATIVE = 1
    CONFIRMED = 2


class Tracks:
    """People being followed, one per slot. A slot keeps its row for the whole life of a track.

    Attributes:
        state: uint8[T], a TrackState; only CONFIRMED slots may reach a rule.
        track_id: int64[T], unique for the process life, from 1; 0 in a free slot.
        boxes: float32[T, 4] xyxy, pixels of the source frame, smoothed.
        foot: float32[T, 2], pixels: bottom centre of the box, or where a skeleton's feet are.
        centre: float32[T, 2], centre of the box, pixels.
        velocity: float32[T, 4], pixels per ms of each box side.
        score: float32[T], score of the last matched detection.
        first_ms, last_ms: float64[T], source time first and last seen.
        live: int64[L], the slots in use, ascending; a view that changes only at birth and death.
        died: slots freed by the last update, for the rules' state to die with them.
    """

    __slots__ = (
        "_live_buffer",
        "boxes",
        "capacity",
        "centre",
        "died",
        "first_ms",
        "foot",
        "last_ms",
        "live",
        "score",
        "state",
        "track_id",
        "velocity",
    )

    def __init__(self, capacity: int = 32) -> None:
        self.capacity = capacity
        self.state: U8 = np.zeros(capacity, np.uint8)
        self.track_id: I64 = np.zeros(capacity, np.int64)
        self.boxes: F32 = np.zeros((capacity, 4), np.float32)
        self.foot: F32 = np.zeros((capacity, 2), np.float32)
        self.centre: F32 = np.zeros((capacity, 2), np.float32)
        self.velocity: F32 = np.zeros((capacity, 4), np.float32)
        self.score: F32 = np.zeros(capacity, np.float32)
        self.first_ms: F64 = np.zeros(capacity, np.float64)
        self.last_ms: F64 = np.zeros(capacity, np.float64)
        self._live_buffer: I64 = np.zeros(capacity, np.int64)
        self.live: I64 = self._live_buffer[:0]
        self.died: list[int] = []

    def refresh_live(self) -> None:
        """Recompute `live` after a birth or a death."""
        slots = np.flatnonzero(self.state)
        self._live_buffer[: slots.size] = slots
        self.live = self._live_buffer[: slots.size]


class HazardEdge:
    """One rising or falling edge of a rule for one track, with the reason.

    Attributes:
        rule: index into the site's rules.
        slot: track slot.
        track_id: the track.
        state: "raised", "cleared", "in" or "out".
        why: values against thresholds, for people; plain types only.
    """

    __slots__ = ("rule", "slot", "state", "track_id", "why")

    def __init__(self, rule: int, slot: int, track_id: int, state: str, why: dict[str, object]):
        self.rule = rule
        self.slot = slot
        self.track_id = track_id
        self.state = state
        self.why = why


class Hazards:
    """What the rules found: how many tracks each rule holds active, and this frame's edges.

    Attributes:
        active: number of tracks that each rule holds at this moment.
        edges: edges of this frame; at most `edge_capacity`, more are counted in `dropped`.
    """

    __slots__ = ("active", "dropped", "edge_capacity", "edges")

    def __init__(self, rules: int, edge_capacity: int = 128) -> None:
        self.active = [0] * rules
        self.edges: list[HazardEdge] = []
        self.edge_capacity = edge_capacity
        self.dropped = 0

    def add(self, edge: HazardEdge) -> None:
        """Append an edge, or count it as dropped when the table is full."""
        if len(self.edges) < self.edge_capacity:
            self.edges.append(edge)
        else:
            self.dropped += 1
