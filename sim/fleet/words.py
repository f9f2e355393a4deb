"""The figures of a fleet as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

NAMES = {
    "good": "a release that works",
    "bad": "a bad release, in stages",
    "bad_at_once": "the bad release, to all at once",
}


def lines(figures: dict[str, Any]) -> Iterator[str]:
    """Everything, in words."""
    settings = figures["settings"]
    yield (
        f"{settings['cameras']:,} cameras, {settings['hours']:g} h, a poll every "
        f"{settings['poll_ms'] / 60_000:g} min, {settings['bundle_bytes'] / 1e6:g} MB a camera"
    )
    for name, run in figures["runs"].items():
        fails_on = settings["fails_on"] if name == "good" else figures["fails_on"]
        yield f"\n{NAMES[name]} (fails on {fails_on:.1%} of the cameras)"
        yield from ("  " + line for line in _rollout(run))
        yield from ("  " + line for line in _load(run["load"]))
    yield "\nhow many tried a bad release before it was halted"
    for each in figures["sweep"]:
        yield "  " + _swept(each)
    power = figures["power_returns"]
    yield (
        f"\npower returns for {settings['storm_share']:.0%} of the sites at once: "
        f"peak {power['peak_spread']:,} requests/s; without the spread after a start "
        f"{power['peak_not_spread']:,}"
    )
    yield from _cost(figures["cost"])


def _rollout(run: dict[str, Any]) -> Iterator[str]:
    for change in run["changes"]:
        yield (
            f"{change['at_h']:6.1f} h  {change['what']:7} {change['share']:6.1%}   told so far: "
            f"{change['confirmed']:,} confirmed, {change['failed']:,} failed, "
            f"{change['overdue']:,} overdue"
        )
    yield f"tried it {run['tried']:,}, confirmed {run['confirmed']:,}, failed {run['failed']:,}"
    if run["halted_after_h"] is not None:
        yield (
            f"halted {run['halted_after_h']:.1f} h after it was published; "
            f"{run['tried_at_halt']:,} cameras had begun by then"
        )
    reached = [(p, run[f"reached_{p}_h"]) for p in (50, 90, 99)]
    known = [f"{percent} % after {at_h:.1f} h" for percent, at_h in reached if at_h is not None]
    if known:
        yield "reached " + ", ".join(known)


def _load(load: dict[str, Any]) -> Iterator[str]:
    requests, mbit = load["requests_per_s"], load["mbit_per_s"]
    yield (
        f"CDN: {requests['mean']:.1f} requests/s (peak {requests['peak']:,}), "
        f"{mbit['mean']:.1f} Mbit/s (peak {mbit['peak']:,.0f}); {load['gigabytes']:.0f} GB, "
        f"{load['requests_million']:.1f} million requests, "
        f"{load['wasted_gigabytes']:.2f} GB sent twice"
    )


def _swept(each: dict[str, Any]) -> str:
    if each["halted_after_h"] is None:
        return f"fails on {each['fails_on']:4.0%}: not halted, {each['tried']:,} tried it"
    return (
        f"fails on {each['fails_on']:4.0%}: {each['tried']:,} tried it, "
        f"halted after {each['halted_after_h'] * 60:.0f} min"
    )


def _cost(cost: dict[str, float]) -> Iterator[str]:
    yield (
        f"\nat {cost['per_gb']:g} $/GB and "
        f"{cost['per_million_requests']:g} $ per million requests: "
        f"polling {cost['polling_a_month']:,.0f} $ a month, one release to all "
        f"{cost['one_release']:,.0f} $, the simulated time {cost['simulated']:,.0f} $"
    )
