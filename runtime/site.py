"""The site file: where the zones are, which rules hold, and how the alarm behaves."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from runtime.alarm_config import AlarmConfig
from runtime.counts_config import CountsConfig
from runtime.site_privacy import PrivacyConfig
from runtime.site_rules import NonNegativeInt, RuleConfig
from runtime.site_schedule import ScheduleConfig

FORMAT = 1

Fraction = Annotated[float, Meta(ge=0, le=1)]
Point = tuple[float, float]


class ZoneConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[zones]]`: a polygon in the picture."""

    name: str
    polygon: list[Point]
    """Corners in order, not closed; in `units` of the file."""
    anchor: Literal["foot", "centre"] = "foot"
    """Which point of a person counts: bottom centre of the box, or its centre."""


class LineConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[lines]]`: a virtual gate from `start` to `end`."""

    name: str
    start: Point
    end: Point
    in_side: Literal["left", "right"] = "right"
    """The side that "in" leads to, seen when walking from start to end in the picture."""
    anchor: Literal["foot", "centre"] = "foot"


class GroundConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[ground]`: where points of the picture lie on the ground, 4 to 16 pairs."""

    picture: list[Point]
    """Points on the ground, in `units` of the file."""
    metres: list[Point]
    """The same points measured on the ground, in the same order, from any origin."""
    max_residual_m: Annotated[float, Meta(gt=0)] = 0.25
    """Pairs that fit one plane no better than this are refused (root mean square)."""


class TrackingConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[tracking]`: when a detection is a person, and how long one is remembered."""

    confirm_ms: NonNegativeInt = 250
    """A new track reaches no rule before it has been seen for this long."""
    coast_ms: NonNegativeInt = 1000
    """An unseen track is kept for this long."""
    memory_ms: NonNegativeInt = 8000
    """Who comes out of hiding within this time keeps their number; 0 = nobody does."""
    weak_ms: NonNegativeInt = 4000
    """Boxes below the score threshold keep a person for this long; a strong one starts it anew."""
    max_speed_heights_s: Annotated[float, Meta(gt=0)] = 5.0
    """Speed gate: body heights per second; a faster jump is never the same person."""
    min_score: Fraction = 0.0
    """Raises the model's own score threshold; 0 keeps it."""


class Site(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole site file."""

    format: Literal[1]
    name: str
    units: Literal["fraction", "pixel"]
    """Coordinates as fractions of the picture (0..1) or as pixels of the source picture."""
    rules: list[RuleConfig]
    zones: list[ZoneConfig] = []
    lines: list[LineConfig] = []
    timezone: str = ""
    """Of the schedules, such as "Asia/Seoul"; only they need one."""
    schedules: list[ScheduleConfig] = []
    ground: GroundConfig | None = None
    tracking: TrackingConfig = TrackingConfig()
    alarm: AlarmConfig = AlarmConfig()
    privacy: PrivacyConfig = PrivacyConfig()
    counts: CountsConfig | None = None
    """Left out: nobody is counted."""
