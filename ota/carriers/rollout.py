"""The staged roll-out: which cameras a stage lets in, and when the vendor goes on or halts.

A camera decides by itself, from its own name and the release, whether a stage has come to it; no
server knows a list. Each release shuffles the cameras anew, so that not always the same ones go
first. The vendor's tools and the simulation of a fleet use these same functions.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated, Final, NamedTuple

from msgspec import Meta, Struct

MAX_STAGES: Final = 16
_UNIT: Final = 2.0**-53
"""53 bits fill a float, so that the result never rounds up to 1."""


class Stage(Struct, frozen=True, kw_only=True):
    """One step of a roll-out.

    Attributes:
        share: of all cameras that may take it, 0 to 1.
        hold_h: least time before the next stage, hours.
        least_reports: cameras that must have told an outcome before the next stage.
        least_confirmed: share of them that must have confirmed; fewer halt the roll-out.
    """

    share: Annotated[float, Meta(ge=0, le=1)]
    hold_h: Annotated[float, Meta(ge=0, le=8760)] = 24.0
    least_reports: Annotated[int, Meta(ge=0, le=10_000_000)] = 100
    least_confirmed: Annotated[float, Meta(ge=0, le=1)] = 0.97


DEFAULT_STAGES: Final = (Stage(share=0.01), Stage(share=0.1), Stage(share=1.0))


class Reports(NamedTuple):
    """What cameras told of a release, all stages together.

    Attributes:
        confirmed: run it for good.
        failed: refused it or rolled back.
        overdue: began and told no outcome in time: counted as failed, they may be dark.
    """

    confirmed: int
    failed: int
    overdue: int = 0


class Verdict(StrEnum):
    """What to do with a roll-out now."""

    HOLD = "hold"
    WIDEN = "widen"
    HALT = "halt"


def stage_of(device_id: str, release: int) -> float:
    """Where a camera stands in the order of a release: in [0, 1), even over all cameras.

    A stage of share s holds the cameras below s; so a wider stage holds all of a narrower one.
    """
    digest = hashlib.sha256(f"haetae stage 1\0{release}\0{device_id}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) * _UNIT


def judge(stage: Stage, reports: Reports, held_h: float) -> Verdict:
    """Go on, wait, or halt.

    Halts as soon as the confirmed share can no longer reach its least value within
    `least_reports`, without waiting for all of them: a bad release is stopped early.

    Args:
        stage: the present one.
        reports: of this release, so far.
        held_h: since the stage was published, hours.
    """
    bad = reports.failed + reports.overdue
    told = reports.confirmed + bad
    allowed = (1.0 - stage.least_confirmed) * max(told, stage.least_reports)
    if bad > allowed + 1e-9:
        return Verdict.HALT
    if held_h < stage.hold_h or told < stage.least_reports:
        return Verdict.HOLD
    return Verdict.WIDEN
