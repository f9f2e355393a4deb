"""Events: what happened and why, one self-contained record each."""

from __future__ import annotations

KINDS = ("hazard", "alarm", "output", "fault", "boot", "shutdown", "counts", "operator", "update")
"""Kinds in the order of their numbers in a journal record, from 1."""
CAPACITY = 256
"""Events that one frame may give; more are counted as dropped."""


class Events:
    """The events of one frame, waiting for the journal stage."""

    def __init__(self) -> None:
        self.waiting: list[dict[str, object]] = []
        self.dropped = 0

    def add(
        self,
        kind: str,
        t_ms: float,
        frame: int,
        state: str,
        why: dict[str, object],
        *,
        rule: str = "",
        zone: str = "",
        track: int = 0,
    ) -> None:
        """Queue one event.

        Args:
            kind: one of KINDS.
            t_ms: source time.
            frame: frame id that it belongs to; -1 before the first.
            state: new state of the thing.
            why: values against thresholds, plain types only.
            rule, zone, track: what it is about; "" and 0 where it does not apply.
        """
        if len(self.waiting) >= CAPACITY:
            self.dropped += 1
            return
        self.waiting.append(
            {
                "t_ms": round(t_ms, 3),
                "frame": frame,
                "kind": kind,
                "rule": rule,
                "zone": zone,
                "track": track,
                "state": state,
                "why": why,
            }
        )
