"""Light follows the hour and the weather, and the exposure follows the light."""

import itertools
import math

import numpy as np
import pytest

from sim.scenery.light import ground_colour, kelvin_colour, lighting, sun_elevation_deg
from sim.world.config import (
    CameraConfig,
    LampConfig,
    LightConfig,
    WeatherConfig,
    WorldConfig,
)  # fmt: skip
from sim.world.lighting import Lighting

LAMPS = [LampConfig(at_m=(-5, 7, 5), aim_m=(0, 9)), LampConfig(at_m=(6, 13, 5), aim_m=(2, 9))]


def at(hour: float, cloud: float = 0.1, **weather: float) -> Lighting:
    light = LightConfig(hour=hour, cloud=cloud)
    return lighting(WorldConfig(light=light, weather=WeatherConfig(**weather)))


def on_ground(light: Lighting) -> float:
    return float(np.mean(np.array(light.sun) * light.to_sun[2] + light.sky))


def test_the_sun_is_up_from_six_to_eighteen() -> None:
    assert sun_elevation_deg(6) == pytest.approx(0, abs=1e-6)
    assert sun_elevation_deg(18) == pytest.approx(0, abs=1e-6)
    assert sun_elevation_deg(12) == pytest.approx(58)
    assert sun_elevation_deg(0) < -40


def test_the_day_grows_brighter_until_noon() -> None:
    levels = [on_ground(at(hour)) for hour in (3, 5.8, 6.2, 7, 8, 9.5, 12)]
    assert all(a < b for a, b in itertools.pairwise(levels))
    assert levels[-1] == pytest.approx(1.0, abs=0.12), "1 is a white sheet at noon"
    assert levels[0] < 0.01


def test_light_changes_without_jumps() -> None:
    levels = [on_ground(at(hour)) for hour in np.arange(4.0, 20.0, 0.02)]
    assert np.abs(np.diff(levels)).max() < 0.02


def test_a_low_sun_is_golden_and_the_sky_is_blue() -> None:
    low, noon = at(6.8), at(12)
    assert low.sun[2] > 1.8 * low.sun[0]
    assert noon.sun[2] < 1.4 * noon.sun[0]
    assert noon.zenith[0] > 1.5 * noon.zenith[2]
    assert low.horizon[2] > low.horizon[0]


def test_the_sun_stands_where_it_is_said() -> None:
    light = lighting(WorldConfig(light=LightConfig(hour=9, sun_from_deg=90)))
    assert np.linalg.norm(light.to_sun) == pytest.approx(1)
    assert light.to_sun[0] > 0
    assert light.to_sun[1] == pytest.approx(0, abs=1e-9)
    assert math.degrees(math.asin(light.to_sun[2])) == pytest.approx(sun_elevation_deg(9))


@pytest.mark.parametrize("ground", ["concrete", "dirt", "gravel", "asphalt"])
@pytest.mark.parametrize("hour", [7.5, 10.5, 12, 16])
@pytest.mark.parametrize("cloud", [0.0, 0.5, 1.0])
def test_by_day_the_ground_lands_near_mid_grey(ground: str, hour: float, cloud: float) -> None:
    config = WorldConfig(ground=ground, light=LightConfig(hour=hour, cloud=cloud))  # type: ignore[arg-type]
    light = lighting(config)
    seen = on_ground(light) * float(ground_colour(config).mean()) * light.exposure
    assert 0.07 < seen < 0.27
    assert light.darkness < 0.4


def test_a_night_is_dark_and_lamps_make_pools() -> None:
    dark = lighting(WorldConfig(light=LightConfig(hour=23)))
    lit = lighting(WorldConfig(light=LightConfig(hour=23, lamps=LAMPS)))
    assert dark.darkness == 1
    assert on_ground(dark) * 0.2 * dark.exposure < 0.05
    assert lit.exposure < 0.6 * dark.exposure
    assert 0.1 < lit.darkness < 0.8
    assert len(lit.lamps) == 2
    for lamp in lit.lamps:
        assert np.linalg.norm(lamp.direction) == pytest.approx(1)
        assert lamp.direction[2] < 0
        assert lamp.colour[2] > lamp.colour[0], "4000 K is warm"


def test_a_lamp_that_is_off_does_not_shine() -> None:
    off = LampConfig(at_m=(0, 8, 5), aim_m=(0, 9), on=False)
    assert lighting(WorldConfig(light=LightConfig(hour=23, lamps=[off]))).lamps == ()


def test_clouds_take_the_shadows() -> None:
    softness = [at(11, cloud).sun_softness for cloud in (0.0, 0.3, 0.6, 1.0)]
    assert softness == sorted(softness)
    assert max(at(11, 1.0).sun) == 0
    assert at(11, 0.0, rain=0.8).sun_softness > 0.8


def test_fog_rain_and_snow_take_the_distance() -> None:
    assert at(11).fog_per_m * 1000 < 1
    assert at(11, visibility_m=50).fog_per_m == pytest.approx(3.912 / 50)
    assert at(11, rain=0.5).fog_per_m < at(11, rain=1.0).fog_per_m < at(11, snow=1.0).fog_per_m


def test_the_camera_meters_what_is_in_front_of_it() -> None:
    light = LightConfig(hour=23, lamps=LAMPS)
    towards = lighting(WorldConfig(light=light))
    away = lighting(WorldConfig(light=light, camera=CameraConfig(pan_deg=180)))
    assert away.exposure > 2 * towards.exposure


def test_black_bodies_are_warm_and_cold() -> None:
    warm, cold = kelvin_colour(2700), kelvin_colour(9000)
    assert warm[2] > 3 * warm[0]
    assert cold[0] > cold[2]
    assert kelvin_colour(6500) == pytest.approx((1, 1, 1), abs=0.1)
