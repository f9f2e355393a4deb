"""`[thermal]` of a board file: thermometers and the NPU's clock, by their names in sysfs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from drivers.operator_config import Name
from drivers.toml_strict import Check, Complaint


class ThermalConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[thermal]`: what `haetae check --live` reads; the loop does not act on it."""

    zones: Annotated[list[Name], Meta(max_length=16)] = []
    """Types of thermal zones: cat /sys/class/thermal/thermal_zone*/type."""
    too_hot_c: Annotated[float, Meta(ge=30, le=150)] = 95.0
    """From here on the SoC slows down, or soon switches off."""
    devfreq: str = ""
    """The NPU in /sys/class/devfreq, such as "fdab0000.npu"."""
    governor: str = ""
    """Its governor must be this one, such as "performance"."""
    least_mhz: Annotated[int, Meta(ge=0, le=5000)] = 0
    """Its clock must be at least this: at 200 MHz one inference takes eight times as long."""


def _thermal(thermal: ThermalConfig | None) -> Iterator[Complaint]:
    if thermal is None:
        return
    if len(set(thermal.zones)) < len(thermal.zones):
        yield "thermal.zones", thermal.zones, "must be unique"
    for name, what in (("governor", "governor"), ("least_mhz", "clock")):
        if getattr(thermal, name) and not thermal.devfreq:
            allowed = f"must be left out, or thermal.devfreq must name whose {what} it is"
            yield f"thermal.{name}", getattr(thermal, name), allowed


CHECKS = (Check(("thermal",), _thermal),)
