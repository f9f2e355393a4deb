"""How a random site is looked at: camera, hour, lamps, weather, glass and sensor."""

from __future__ import annotations

import math
from random import Random

from sim.dataset.plan import Plan
from sim.world.config import (
    CameraConfig,
    LampConfig,
    LensConfig,
    LightConfig,
    SensorConfig,
    WeatherConfig,
)

LAMP_TRIES = 12
DAY, DUSK, NIGHT = "day", "dusk", "night"
LIGHT_SHARES = {DAY: 0.68, DUSK: 0.14, NIGHT: 0.18}
SKY_SHARES = {"clear": 0.57, "rain": 0.15, "snow": 0.1, "fog": 0.08, "wind": 0.1}


def camera(rng: Random) -> CameraConfig:
    """A mast from 2.5 to 9 m that looks at the ground 7 to 15 m ahead."""
    height = rng.uniform(2.5, 9.0)
    aim = rng.uniform(7.0, 12.0) + 0.4 * height
    focal = rng.choice((2.8, 3.6, 4.0, 4.0, 4.8, 6.0))
    wide = focal < 4.0
    return CameraConfig(
        height_m=round(height, 2),
        pan_deg=round(rng.uniform(-12, 12), 1),
        tilt_deg=round(math.degrees(math.atan2(height - 0.9, aim)), 1),
        roll_deg=round(rng.gauss(0, 1.2), 2),
        focal_mm=focal,
        k1=round(rng.uniform(-0.22 if wide else -0.12, 0.02), 3),
        k2=round(rng.uniform(0.0, 0.04 if wide else 0.015), 3),
    )


def time_of_day(rng: Random) -> str:
    """DAY, DUSK or NIGHT."""
    return rng.choices(list(LIGHT_SHARES), list(LIGHT_SHARES.values()))[0]


def light(rng: Random, kind: str, plan: Plan) -> LightConfig:
    """Sun and clouds by day, lamps by night; at dusk both."""
    hour = {
        DAY: rng.uniform(7.0, 17.0),
        DUSK: rng.choice((rng.uniform(5.6, 7.0), rng.uniform(17.0, 18.4))),
        NIGHT: rng.choice((rng.uniform(0.0, 5.0), rng.uniform(19.5, 23.9))),
    }[kind]
    lamps = {DAY: 0, DUSK: rng.choice((0, 1, 2)), NIGHT: rng.choice((2, 2, 3, 4))}[kind]
    return LightConfig(
        hour=round(hour, 2),
        sun_from_deg=round(rng.uniform(-180, 180), 1),
        cloud=round(rng.choice((rng.uniform(0, 0.35), rng.random())), 2),
        lamps=[_lamp(rng, plan) for _ in range(lamps)],
    )


def _lamp(rng: Random, plan: Plan) -> LampConfig:
    """A work light at the rim that shines into the middle, with nothing high in its way."""
    for _ in range(LAMP_TRIES):
        foot = rng.choice((-1, 1)) * rng.uniform(3.5, 9.0), rng.uniform(3.0, 18.0)
        aim = rng.uniform(-3.0, 3.0), rng.uniform(7.0, 12.0)
        if all(plan.is_open(foot, aim, height_m) for height_m in (0.5, 2.5)):
            break
    return LampConfig(
        at_m=(round(foot[0], 2), round(foot[1], 2), round(rng.uniform(4.5, 8.0), 2)),
        aim_m=(round(aim[0], 2), round(aim[1], 2)),
        power=round(rng.uniform(1.2, 4.0), 2),
        kelvin=rng.choice((2700, 3000, 4000, 5000, 6500)),
    )


def weather(rng: Random) -> tuple[WeatherConfig, float]:
    """Weather, and how wet the ground is."""
    kind = rng.choices(list(SKY_SHARES), list(SKY_SHARES.values()))[0]
    wind = round(rng.uniform(0.2, 1.0), 2) if kind == "wind" or rng.random() < 0.2 else 0.0
    if kind == "rain":
        rain = round(rng.uniform(0.15, 0.9), 2)
        return WeatherConfig(rain=rain, wind=wind), round(rng.uniform(0.4, 1.0), 2)
    if kind == "snow":
        return WeatherConfig(snow=round(rng.uniform(0.15, 0.9), 2), wind=wind), 0.3
    if kind == "fog":
        seen = round(rng.uniform(60, 250), 1)
        return WeatherConfig(visibility_m=seen, wind=wind), round(rng.uniform(0, 0.6), 2)
    wet = round(rng.uniform(0.2, 0.9), 2) if rng.random() < 0.15 else 0.0
    return WeatherConfig(wind=wind), wet


def lens(rng: Random, rain: float) -> LensConfig:
    """Mostly clean glass; dusty now and then, and drops on it when it rains."""
    dust = rng.uniform(0.2, 0.8) if rng.random() < 0.2 else rng.uniform(0.0, 0.1)
    drops = rng.uniform(0.1, 0.7) if rng.random() < (0.6 if rain else 0.04) else 0.0
    return LensConfig(
        dust=round(dust, 2),
        drops=round(drops, 2),
        blur_px=round(rng.choice((rng.uniform(0.2, 0.6), rng.uniform(0.4, 1.0))), 2),
        vignette=round(rng.uniform(0.0, 0.4), 2),
    )


def sensor(rng: Random, kind: str) -> SensorConfig:
    """Exposure, shutter, noise and compression."""
    shutter = rng.uniform(15, 40) if kind == NIGHT else rng.uniform(2, 15)
    return SensorConfig(
        exposure_ev=round(min(1.2, max(-1.2, rng.gauss(0, 0.4))), 2),
        shutter_ms=round(shutter, 1),
        noise=round(rng.uniform(0.05, 0.45), 2),
        sharpness=round(rng.uniform(0.3, 1.2), 2),
        jpeg_quality=rng.choice((0, 60, 75, 85, 92)),
    )
