"""Thermometers and the NPU's clock, as the loop and `haetae check --live` read them."""

from __future__ import annotations

from collections.abc import Iterator

from drivers.faults import ThermalFault
from drivers.thermal import Thermal
from runtime.unit_test.result import Bench, Row, judged, untested

HOT = ("too_hot", "cannot_read")
"""Of the reasons of a reading: those that the thermometers give."""


def heat(bench: Bench) -> Iterator[Row]:
    """One reading."""
    config = bench.board.thermal
    if config is None:
        yield untested("heat", "temperature", "the board file has no [thermal]")
        return
    try:
        thermal = Thermal(config, bench.sys / "class")
    except ThermalFault as fault:
        step = "look at the names in [thermal] of the board file"
        yield judged("heat", "temperature", False, fault.detail or fault.reason, next=step)
        return
    with thermal:
        fault_: ThermalFault | None = None
        try:
            thermal.read()
        except ThermalFault as fault:
            fault_ = fault
    reading, reason = thermal.reading, fault_.reason if fault_ else ""
    if config.zones:
        text = f"{reading.hottest_c:.1f} C"
        ok, text = reason not in HOT, f"{fault_}" if reason == "cannot_read" else text
        limit, step = f"< {config.too_hot_c:g} C", "look at heat sink and air; let it cool down"
        yield judged("heat", "temperature", ok, text, limit, value=reading.hottest_c, unit="C",
                     next=step)  # fmt: skip
    if config.devfreq:
        text = f"{reading.governor}, {reading.clock_hz / 1e6:g} MHz"
        wanted = config.governor or reading.governor
        ok = bool(reading.governor) and reading.governor == wanted
        ok = ok and reading.clock_hz >= config.least_mhz * 1_000_000
        limit = f"{wanted}, >= {config.least_mhz} MHz" if config.least_mhz else wanted
        step = f"echo {wanted} > /sys/class/devfreq/{config.devfreq}/governor"
        yield judged("heat.governor", "NPU governor", ok, text, limit, next=step)
