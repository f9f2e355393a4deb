"""What a self test looked at: a row per thing, passed, failed or not told by this camera."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

from ota.status_words import FAULTS
from ota.technician_words import Table, number, printable, size, table, text

Verdict = Literal["pass", "fail", "not told"]
LEAST_RATE: Final = 0.8
"""Share of the frames per second that the camera is set to."""
MOST_MEMORY: Final = 0.95
"""Share of the memory budget."""
EARLIEST_WALL_MS: Final = 1_735_689_600_000
"""2025-01-01: a clock before it has lost the date."""


class Row(NamedTuple):
    """One thing that was looked at.

    Attributes:
        name: what.
        verdict: how it is.
        text: figures, or what is wrong.
        next_step: what to do where it failed.
    """

    name: str
    verdict: Verdict
    text: str
    next_step: str = ""


def rows(status: Table, outputs: Table) -> list[Row]:
    """Every row.

    Args:
        status: of the camera.
        outputs: how the test of the outputs ended: {state, reason, outputs, wall_ms}.
    """
    found = [_outputs(status, outputs), _rate(status)]
    found += [_fault(status, name, fault) for name, fault in _FAULTS.items()]
    return [*found, _memory(status), _clock(outputs), *_other_faults(status)]


def is_passed(found: list[Row]) -> bool:
    """Nothing failed."""
    return all(row.verdict != "fail" for row in found)


_FAULTS: Final = {
    "picture": "camera_fault",
    "network": "npu_fault",
    "storage": "storage_fault",
    "watchdog": "watchdog_fault",
    "buttons": "operator_fault",
    "speed": "loop_fault",
    "heat": "heat_fault",
}
_ELSEWHERE: Final = {*_FAULTS.values(), "output_fault", "memory_fault"}


def _reason(status: Table, fault: str) -> str | None:
    """Why there is this fault, "" where there is none, None where the camera does not tell."""
    health = status.get("health")
    if not isinstance(health, Mapping):
        return None
    faults = table(health, "faults")
    return printable(faults[fault] or fault) if fault in faults else ""


def _fault(status: Table, name: str, fault: str) -> Row:
    reason = _reason(status, fault)
    if not reason:
        return Row(name, "not told", "") if reason is None else Row(name, "pass", "no fault")
    meaning, step = FAULTS[fault]
    return Row(name, "fail", f"{meaning} ({reason})", step)


def _other_faults(status: Table) -> Iterator[Row]:
    for name, reason in table(table(status, "health"), "faults").items():
        if name not in _ELSEWHERE:
            yield Row(printable(name), "fail", printable(reason), "tell the vendor")


def _outputs(status: Table, outputs: Table) -> Row:
    names = outputs.get("outputs")
    which = ", ".join(map(printable, names)) if isinstance(names, (list, tuple)) else ""
    reason = text(outputs, "reason") or _reason(status, "output_fault") or ""
    match text(outputs, "state"):
        case "passed" if not reason:
            return Row(
                "outputs", "pass", f"switched and read back: {which}" if which else "switched"
            )
        case "interrupted":
            told = f"interrupted: {reason or 'an alarm came'}"
            return Row("outputs", "fail", told, "acknowledge the alarm, then test again")
        case "":
            return Row("outputs", "fail", "the test has not ended", "run the same command again")
        case state:
            return Row("outputs", "fail", reason or state, FAULTS["output_fault"][1])


def _rate(status: Table) -> Row:
    camera = table(status, "camera")
    fps, wanted = number(camera, "fps"), number(camera, "wanted_fps")
    if fps is None or not wanted:
        return Row("frames", "not told", "")
    told = f"{fps:.1f} of {wanted:.1f} a second"
    if fps >= LEAST_RATE * wanted:
        return Row("frames", "pass", told)
    return Row("frames", "fail", told, "look at the sensor's cable, the light and the temperature")


def _memory(status: Table) -> Row:
    memory, reason = table(status, "memory"), _reason(status, "memory_fault")
    rss, budget = number(memory, "rss_kb"), number(memory, "budget_kb")
    if reason:
        return Row("memory", "fail", f"{FAULTS['memory_fault'][0]} ({reason})", "tell the vendor")
    if rss is None or not budget:
        return Row("memory", "not told" if reason is None else "pass", "")
    told = f"{size(rss * 1024)} of {size(budget * 1024)}"
    if rss <= MOST_MEMORY * budget:
        return Row("memory", "pass", told)
    return Row("memory", "fail", told, "tell the vendor: the board's budget is too small")


def _clock(outputs: Table) -> Row:
    wall_ms = number(outputs, "wall_ms")
    if wall_ms is None:
        return Row("clock", "not told", "")
    if wall_ms < EARLIEST_WALL_MS:
        step = "set it, or exchange its battery: rules with hours hold all day until then"
        return Row("clock", "fail", "it has lost the date", step)
    return Row("clock", "pass", "it has a date")
