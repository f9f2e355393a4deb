"""The figures of a simulated fleet: plain values, for people, for scripts and for the page."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from ota.carriers.rollout import Stage
from sim.fleet.run import Outcome, run
from sim.fleet.settings import HOUR_MS, Settings

REACH: Final = (50, 90, 99)
"""Percent of the cameras."""
ONE_STAGE: Final = (Stage(share=1.0),)
SWEEP: Final = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Shares of the cameras on which a release fails."""
SWEEP_H: Final = 36.0
STORM_WINDOW_H: Final = 0.5
STORM_H: Final = 3.0


@dataclass(frozen=True)
class Prices:
    """What a CDN asks, US dollars; the defaults are an example, put in your own."""

    per_gb: float = 0.085
    per_million_requests: float = 1.0


@dataclass(frozen=True)
class Study:
    """Everything that `haetae sim fleet` tells.

    Attributes:
        good, bad, at_once: a release that works; one that does not; that one without stages.
        sweep: share of cameras on which it fails -> figures of the roll-out.
        storm: requests per second after the power returns, float64[seconds]: (spread, not spread).
    """

    good: Outcome
    bad: Outcome
    at_once: Outcome
    sweep: dict[float, dict[str, Any]]
    storm: tuple[Any, Any]


def study(settings: Settings, fails_on: float) -> Study:
    """Simulate all of it; `fails_on` is the bad release's share."""
    bad = replace(settings, fails_on=fails_on)
    short_h = min(settings.hours, settings.publish_h + SWEEP_H)
    sweep = {
        share: rollout(run(replace(settings, fails_on=share, hours=short_h))) for share in SWEEP
    }
    storm = storm_only(settings), storm_only(replace(settings, boot_spread_ms=0.0))
    return Study(run(settings), run(bad), run(replace(bad, stages=ONE_STAGE)), sweep, storm)


def storm_only(settings: Settings) -> Any:
    """Requests per second around a return of power, nothing else going on."""
    alone = replace(
        settings, hours=STORM_H, storm_at_h=1.5, publish_h=1e9, night_share=0.0, flaky_share=0.0
    )
    first = int((1.5 - STORM_WINDOW_H / 3) * 3600)
    return run(alone).load.requests_per_s()[first : first + int(STORM_WINDOW_H * 3600)]


def rollout(outcome: Outcome) -> dict[str, Any]:
    """How a release went: every change of the channel, who tried it, how long it took."""
    moments = outcome.rollout.moments
    publish_ms = moments[0].at_ms if moments else 0.0
    told = np.sort(outcome.confirmed_at_ms)
    halts = [moment for moment in moments if moment.what == "halt"]
    found: dict[str, Any] = {
        "cameras": outcome.settings.cameras,
        "tried": int(outcome.tried[-1]),
        "confirmed": int(outcome.confirmed[-1]),
        "failed": int(outcome.failed[-1]),
        "changes": [
            {"at_h": moment.at_ms / HOUR_MS, "what": moment.what, "share": moment.share}
            | moment.reports._asdict()
            for moment in moments
        ],
        "halted_after_h": (halts[0].at_ms - publish_ms) / HOUR_MS if halts else None,
        "tried_at_halt": _tried_at(outcome, halts[0].at_ms / HOUR_MS) if halts else None,
    }
    for percent in REACH:
        at_ms = float(told[max(0, int(np.ceil(told.size * percent / 100)) - 1)])
        reached = at_ms < np.inf
        found[f"reached_{percent}_h"] = (at_ms - publish_ms) / HOUR_MS if reached else None
    return found


def load(outcome: Outcome) -> dict[str, Any]:
    """What the CDN saw."""
    requests, mbit = outcome.load.requests_per_s(), outcome.load.bytes_per_s() * 8e-6
    hours = len(requests) // 3600
    by_hour = requests[: hours * 3600].reshape(hours, 3600)
    mbit_by_hour = mbit[: hours * 3600].reshape(hours, 3600)
    return {
        "requests_per_s": {"mean": float(requests.mean()), "peak": int(requests.max())},
        "mbit_per_s": {"mean": float(mbit.mean()), "peak": float(mbit.max())},
        "requests_million": float(requests.sum() / 1e6),
        "gigabytes": float(mbit.sum() / 8e3),
        "wasted_gigabytes": outcome.wasted_bytes / 1e9,
        "by_hour": {
            "requests_per_s_mean": by_hour.mean(axis=1).round(2).tolist(),
            "requests_per_s_peak": by_hour.max(axis=1).tolist(),
            "mbit_per_s_mean": mbit_by_hour.mean(axis=1).round(3).tolist(),
            "mbit_per_s_peak": mbit_by_hour.max(axis=1).round(3).tolist(),
        },
    }


def figures(found: Study, prices: Prices) -> dict[str, Any]:
    """All of it as plain values."""
    runs = {"good": found.good, "bad": found.bad, "bad_at_once": found.at_once}
    spread, at_once = found.storm
    return {
        "settings": asdict(found.good.settings) | {"stages": _stages(found.good.settings)},
        "fails_on": found.bad.settings.fails_on,
        "runs": {name: rollout(each) | {"load": load(each)} for name, each in runs.items()},
        "sweep": [{"fails_on": share} | each for share, each in found.sweep.items()],
        "power_returns": {"peak_spread": int(spread.max()), "peak_not_spread": int(at_once.max())},
        "cost": cost(load(found.good), found.good.settings, prices),
    }


def cost(of: dict[str, Any], settings: Settings, prices: Prices) -> dict[str, float]:
    """US dollars: of the simulated time, and of a month in which cameras only poll."""
    month_requests = settings.cameras * 30 * 24 * HOUR_MS / settings.poll_ms
    polls_gb = month_requests * settings.poll_bytes / 1e9
    release_gb = settings.cameras * settings.bundle_bytes / 1e9
    polling = polls_gb * prices.per_gb + month_requests / 1e6 * prices.per_million_requests
    ranges = settings.cameras * (1 + settings.bundle_bytes / settings.range_bytes) / 1e6
    return {
        "per_gb": prices.per_gb,
        "per_million_requests": prices.per_million_requests,
        "simulated": of["gigabytes"] * prices.per_gb
        + of["requests_million"] * prices.per_million_requests,
        "polling_a_month": polling,
        "one_release": release_gb * prices.per_gb + ranges * prices.per_million_requests,
    }


def _tried_at(outcome: Outcome, at_h: float) -> int:
    return int(outcome.tried[np.searchsorted(outcome.at_h, at_h, side="right") - 1])


def _stages(settings: Settings) -> list[dict[str, float]]:
    return [
        {name: getattr(stage, name) for name in stage.__struct_fields__}
        for stage in settings.stages
    ]
