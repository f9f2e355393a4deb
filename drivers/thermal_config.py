"""`[thermal]` of a board file: thermometers and the NPU's clock, by their names in sysfs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

from msgspec import Meta, Struct

from drivers.operator_config import Name
from drivers.toml_strict import Check, Complaint

Celsius = Annotated[float, Meta(ge=30, le=150)]


class ThermalConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[thermal]`: how hot the board is, and what the camera leaves out when it is too hot."""

    driver: Name = "sysfs"
    zones: Annotated[list[Name], Meta(max_length=16)] = []
    """Types of thermal zones: cat /sys/class/thermal/thermal_zone*/type."""
    shed_c: Celsius = 85.0
    """From here on far people's skeletons are left out, and whatever a busy loop leaves out."""
    slow_c: Celsius = 90.0
    """From here on every second picture is left out, too."""
    too_hot_c: Celsius = 95.0
    """From here on the SoC slows down, or soon switches off: `heat_fault`, and the relay drops."""
    settle_c: Annotated[float, Meta(ge=0, le=30)] = 5.0
    """Each of them ends so far below its limit."""
    look_ms: Annotated[int, Meta(ge=100, le=60_000)] = 1000
    """The loop reads the thermometers so often."""
    devfreq: str = ""
    """The NPU in /sys/class/devfreq, such as "fdab0000.npu"."""
    governor: str = ""
    """Its governor must be this one, such as "performance"."""
    least_mhz: Annotated[int, Meta(ge=0, le=5000)] = 0
    """Its clock must be at least this: at 200 MHz one inference takes eight times as long."""


def _thermal(thermal: ThermalConfig | None) -> Iterator[Complaint]:
    if thermal is None:
        return
    names = ("shed_c", "slow_c", "too_hot_c")
    for name, hotter in pairwise(names):
        if getattr(thermal, name) > getattr(thermal, hotter):
            allowed = f"must be <= thermal.{hotter} = {getattr(thermal, hotter):g}"
            yield f"thermal.{name}", getattr(thermal, name), allowed
    if len(set(thermal.zones)) < len(thermal.zones):
        yield "thermal.zones", thermal.zones, "must be unique"
    for name, what in (("governor", "governor"), ("least_mhz", "clock")):
        if getattr(thermal, name) and not thermal.devfreq:
            allowed = f"must be left out, or thermal.devfreq must name whose {what} it is"
            yield f"thermal.{name}", getattr(thermal, name), allowed


CHECKS = (Check(("thermal",), _thermal),)
