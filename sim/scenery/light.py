"""The light of a world from its hour, clouds, weather and lamps, with an automatic exposure.

Simple physics with the constants of a clear mid-latitude site; levels are relative to a white sheet
in full sun at noon. Colours are (blue, green, red), linear.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from sim.world.config import GroundKind, LampConfig, WorldConfig
from sim.world.lighting import Bgr, Lamp, Lighting, Vector

F64 = npt.NDArray[np.float64]

NOON_ELEVATION_DEG = 58.0
"""A day between spring and midsummer at 37 degrees north (Seoul)."""
MOON_ELEVATION_DEG = 42.0
DEPTH = np.array([0.32, 0.20, 0.145])
"""Optical depth of the air overhead at 465, 550 and 610 nm: Rayleigh plus a little haze."""
SUN_AT_NOON = 0.86
"""Share of the direct sun in the light of a clear noon; the rest comes from the sky."""
CLEAR_SKY = np.array([0.30, 0.20, 0.145])
OVERCAST = np.array([0.40, 0.385, 0.37])
DUSK_SKY = np.array([0.055, 0.042, 0.040])
MOONLIGHT = np.array([0.0036, 0.0030, 0.0024])
SKYGLOW = np.array([0.0022, 0.0024, 0.0029])
LAMP_AT_1M = 9.0
"""Light of a lamp of power 1 a metre in front of it: at 8 m about a seventh of the noon sun."""
LAMP_HALF_CONE_DEG = 52.0
GREY_TARGET = 0.24
"""Linear level at which the automatic exposure puts the mean of the picture."""
SKY_WEIGHT = 0.11
"""How much of what it meters is sky."""
SKY_LEVEL, DUSK_LEVEL = 0.85, 0.42
"""The camera presses a brighter horizon down to this, so that dusk keeps its colour."""
METERED_M = 14.0
"""How much air the camera meters through: fog counts."""
SCENE_ALBEDO = 0.22
"""What stands on the ground reflects about this much."""
GROUND_WEIGHT = 0.6
"""Share of the metered picture below the horizon that is ground."""
MOST_EXPOSURE = 26.0
"""The longest shutter and highest gain of the camera: beyond it nights stay dark."""
NOISE_FROM = 4.0
"""Up to this exposure a longer shutter is enough: no gain, no more noise."""
LEAST_EXPOSURE = 0.45
KOSCHMIEDER = 3.912
"""Extinction times visibility at 2 % contrast (Koschmieder, 1924)."""
CLEAR_AIR_M = 9000.0
RAIN_SEES_M, SNOW_SEES_M = 520.0, 200.0
"""How far one sees in the worst rain and snow that a site still works in."""
GROUND_COLOUR: dict[GroundKind, Bgr] = {
    "concrete": (0.235, 0.262, 0.280),
    "dirt": (0.090, 0.150, 0.208),
    "gravel": (0.178, 0.205, 0.222),
    "asphalt": (0.080, 0.079, 0.076),
}
"""Albedo of dry ground."""
SNOW_COLOUR = np.array([0.80, 0.78, 0.76])


def sun_elevation_deg(hour: float) -> float:
    """Above the horizon; negative at night. The sun is up from 6 to 18."""
    swing = math.sin(math.pi * (hour - 6.0) / 12.0)
    return math.degrees(math.asin(math.sin(math.radians(NOON_ELEVATION_DEG)) * swing))


def direction(heading_deg: float, elevation_deg: float) -> Vector:
    """Unit vector to where the heading and elevation point."""
    turn, lift = math.radians(heading_deg), math.radians(elevation_deg)
    return (
        math.sin(turn) * math.cos(lift),
        math.cos(turn) * math.cos(lift),
        math.sin(lift),
    )


def lighting(config: WorldConfig) -> Lighting:
    """Everything that shines in this world."""
    elevation = sun_elevation_deg(config.light.hour)
    day = _smooth(-7.0, 4.0, elevation)
    cloud = overcast(config)
    sun = _sunlight(elevation) * (1.0 - _smooth(0.30, 0.92, cloud)) * _smooth(-0.8, 3.0, elevation)
    sky = _skylight(elevation, cloud, day)
    zenith, horizon = _sky_colours(elevation, cloud, day, sky)
    to_sun = direction(config.light.sun_from_deg, max(elevation, 1.0))
    if elevation < -1.0:
        sun = MOONLIGHT * (1.0 - 0.9 * cloud)
        to_sun = direction(config.light.sun_from_deg, MOON_ELEVATION_DEG)
    lamps = tuple(_lamp(lamp) for lamp in config.light.lamps if lamp.on)
    ground = ground_colour(config)
    on_ground = sun * to_sun[2] + sky
    fog, per_m = horizon * 0.92, _extinction(config)
    veil = 1.0 - math.exp(-per_m * METERED_M)
    extra = SKY_WEIGHT * (1.0 - veil) * horizon.mean() + veil * fog.mean()
    exposure = _exposure(config, on_ground, lamps, ground, (1.0 - veil, float(extra)))
    most = DUSK_LEVEL + (SKY_LEVEL - DUSK_LEVEL) * _smooth(-4.0, 5.0, elevation)
    dimmed = min(1.0, most / (exposure * float(horizon.max())))
    zenith = zenith * max(dimmed, 0.5)
    horizon, fog = horizon * dimmed, fog * dimmed
    return Lighting(
        to_sun=to_sun, sun=_bgr(sun), sky=_bgr(sky), bounce=_bgr(on_ground * ground * 0.8),
        zenith=_bgr(zenith), horizon=_bgr(horizon),
        fog=_bgr(fog), fog_per_m=per_m, lamps=lamps, exposure=exposure,
        darkness=_darkness(exposure), sun_softness=0.06 + 0.9 * _smooth(0.15, 0.85, cloud),
    )  # fmt: skip


def overcast(config: WorldConfig) -> float:
    """How much of the sky is covered, 0 to 1: rain, snow and fog bring their own clouds."""
    weather = config.weather
    cover = config.light.cloud
    for amount in (weather.rain, weather.snow):
        if amount > 0:
            cover = max(cover, 0.62 + 0.36 * min(1.0, 2.0 * amount))
    if 0 < weather.visibility_m < 2000:
        cover = max(cover, 0.97 - 0.35 * weather.visibility_m / 2000)
    return min(cover, 1.0)


def ground_colour(config: WorldConfig) -> F64:
    """Mean albedo of the ground as it is today: wet ground is darker, snow hides it."""
    dry = np.array(GROUND_COLOUR[config.ground])
    wet = max(config.wet, 0.8 * min(1.0, 2.0 * config.weather.rain))
    cover = snow_cover(config)
    return dry * (1.0 - 0.48 * wet) * (1.0 - cover) + SNOW_COLOUR * cover


def snow_cover(config: WorldConfig) -> float:
    """Share of the ground under snow, 0 to 1."""
    return 0.92 * (1.0 - math.exp(-4.0 * config.weather.snow))


def _sunlight(elevation_deg: float) -> F64:
    """Direct light through the air (air mass after Kasten and Young, Applied Optics, 1989)."""
    lifted = max(elevation_deg, 0.0)
    mass = 1.0 / (math.sin(math.radians(lifted)) + 0.50572 * (lifted + 6.07995) ** -1.6364)
    noon = np.exp(-DEPTH * 1.18)
    light = np.exp(-DEPTH * mass) / noon.mean()
    return np.asarray(light * SUN_AT_NOON)


def _skylight(elevation_deg: float, cloud: float, day: float) -> F64:
    """Light from above on a surface that faces up."""
    height = max(math.sin(math.radians(elevation_deg)), 0.0)
    clear = CLEAR_SKY * (0.25 + 0.75 * math.sqrt(height)) + DUSK_SKY * (1.0 - height)
    grey = OVERCAST * (0.10 + 1.05 * height)
    mixed = clear * (1.0 - cloud) + grey * cloud
    dim = 1.0 - 0.35 * _smooth(0.85, 1.0, cloud)
    return np.asarray(mixed * dim * day**2 + SKYGLOW * (1.0 + 0.8 * cloud))


def _sky_colours(elevation_deg: float, cloud: float, day: float, sky: F64) -> tuple[F64, F64]:
    """The sky overhead and at the horizon, as it is seen."""
    level = float(sky.mean())
    blue = np.array([1.55, 0.98, 0.62]) * level
    grey = np.array([1.02, 1.0, 0.98]) * level
    low = (1.0 - _smooth(2.0, 22.0, elevation_deg)) * day * (1.0 - cloud)
    pale = np.array([1.18, 1.06, 0.96]) * level * 2.4
    golden = np.array([0.62, 1.02, 1.52]) * level * 2.6
    clear_edge = pale * (1.0 - low) + golden * low
    horizon = clear_edge * (1.0 - cloud) + grey * 1.25 * cloud
    return blue * (1.0 - cloud) + grey * cloud, horizon


def _extinction(config: WorldConfig) -> float:
    weather = config.weather
    per_m = KOSCHMIEDER / CLEAR_AIR_M
    if weather.visibility_m > 0:
        per_m = max(per_m, KOSCHMIEDER / weather.visibility_m)
    per_m += KOSCHMIEDER * (weather.rain**1.5 / RAIN_SEES_M + weather.snow**1.3 / SNOW_SEES_M)
    return per_m


def kelvin_colour(kelvin: float) -> F64:
    """Colour of a black body, mean 1 (a fit by T. Helland to the CIE table, made linear)."""
    t = kelvin / 100.0
    red = 255.0 if t <= 66 else 329.7 * (t - 60) ** -0.1332
    green = 99.47 * math.log(t) - 161.12 if t <= 66 else 288.12 * (t - 60) ** -0.0755
    blue = 255.0 if t >= 66 else 138.52 * math.log(max(t - 10, 1.0)) - 305.04
    light = (np.clip([blue, green, red], 1.0, 255.0) / 255.0) ** 2.2
    return np.asarray(light / light.mean())


def _lamp(lamp: LampConfig) -> Lamp:
    at = np.array(lamp.at_m, np.float64)
    way = np.array([*lamp.aim_m, 0.0]) - at
    way /= max(float(np.linalg.norm(way)), 1e-6)
    # A camera balances its white towards the lamps, so they look less coloured than they are.
    tint = kelvin_colour(lamp.kelvin) ** 0.6
    light = tint / tint.mean() * LAMP_AT_1M * lamp.power
    cosine = math.cos(math.radians(LAMP_HALF_CONE_DEG))
    return Lamp(lamp.at_m, _bgr(way), _bgr(light), cosine, float(lamp.off_ms))


def _exposure(
    config: WorldConfig, on_ground: F64, lamps: tuple[Lamp, ...], ground: F64,
    air: tuple[float, float],
) -> float:  # fmt: skip
    """As a camera meters the ground from five to twenty metres in front of it.

    Args:
        air: share of the ground's light that arrives, and what fog and sky add.
    """
    heading = math.radians(config.camera.pan_deg)
    levels = []
    for far_m in (5.0, 8.0, 12.0, 16.0, 20.0):
        for side_m in (-0.4 * far_m, 0.0, 0.4 * far_m):
            x = config.camera.at_m[0] + far_m * math.sin(heading) + side_m * math.cos(heading)
            y = config.camera.at_m[1] + far_m * math.cos(heading) - side_m * math.sin(heading)
            lit = sum((_lamp_light(lamp, x, y) for lamp in lamps), np.zeros(3))
            levels.append(float((on_ground + lit).mean()))
    # Between the mean and the bright parts, so that lit pools at night do not burn out.
    level = 0.5 * float(np.mean(levels)) + 0.5 * float(np.sort(levels)[-4:].mean())
    albedo = GROUND_WEIGHT * float(ground.mean()) + (1 - GROUND_WEIGHT) * SCENE_ALBEDO
    metered = (1.0 - SKY_WEIGHT) * air[0] * level * albedo + air[1]
    return float(np.clip(GREY_TARGET / metered, LEAST_EXPOSURE, MOST_EXPOSURE))


def _lamp_light(lamp: Lamp, x: float, y: float) -> F64:
    """On the ground at a place."""
    way = np.array([x, y, 0.0]) - np.array(lamp.at_m)
    far = max(float(np.linalg.norm(way)), 0.5)
    inside = _smooth(lamp.cosine - 0.15, lamp.cosine + 0.1, float(way @ lamp.direction) / far)
    return np.array(lamp.colour) * inside * max(-float(way[2]) / far, 0.0) / far**2


def _darkness(exposure: float) -> float:
    """How much gain the sensor needs, on a logarithmic scale."""
    return float(
        np.clip(math.log(exposure / NOISE_FROM) / math.log(MOST_EXPOSURE / NOISE_FROM), 0, 1)
    )


def _smooth(low: float, high: float, value: float) -> float:
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    return share * share * (3.0 - 2.0 * share)


def _bgr(values: F64) -> Bgr:
    return float(values[0]), float(values[1]), float(values[2])
