"""The cameras of a fleet: names, sites, links, and on which of them a release fails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ota.carriers.pace import phase_of
from ota.carriers.rollout import stage_of
from sim.fleet.settings import Settings

LEAST_BPS = 64_000.0


@dataclass(frozen=True)
class Population:
    """One row per camera, N of them.

    Attributes:
        stage, phase: float64[N], by the functions that the cameras use.
        rate: float64[N], bytes per ms.
        is_flaky, fails, is_silent: bool[N].
        off_at_night, in_storm: bool[N], the same for all cameras of a site.
    """

    stage: NDArray[np.float64]
    phase: NDArray[np.float64]
    rate: NDArray[np.float64]
    is_flaky: NDArray[np.bool_]
    fails: NDArray[np.bool_]
    is_silent: NDArray[np.bool_]
    off_at_night: NDArray[np.bool_]
    in_storm: NDArray[np.bool_]


def populate(settings: Settings, random: np.random.Generator) -> Population:
    """Draw a fleet; the same seed draws the same one."""
    count = settings.cameras
    names = [f"cam-{settings.seed}-{number:07d}" for number in range(count)]
    sites = max(1, round(count / settings.site_cameras))
    site = random.integers(0, sites, count)
    fate = random.random((2, sites))
    bps = settings.rate_median_bps * np.exp(random.normal(0.0, settings.rate_sigma, count))
    fails = random.random(count) < settings.fails_on
    return Population(
        stage=np.array([stage_of(name, settings.release) for name in names]),
        phase=np.array([phase_of(name) for name in names]),
        rate=np.maximum(bps, LEAST_BPS) / 8000.0,
        is_flaky=random.random(count) < settings.flaky_share,
        fails=fails,
        is_silent=fails & (random.random(count) < settings.silent_share),
        off_at_night=(fate[0] < settings.night_share)[site],
        in_storm=(fate[1] < settings.storm_share)[site],
    )
