"""Weather, glass and sensor: the same moment gives the same picture, and nothing is for nothing."""

import cv2
import msgspec
import numpy as np
import pytest

from sim.optics.contrast import MOST_GAIN, stretch
from sim.optics.optics import Optics
from sim.optics.rain import Rain
from sim.world.config import (
    CameraConfig,
    LampConfig,
    LensConfig,
    LightConfig,
    SensorConfig,
    WeatherConfig,
    WorldConfig,
)  # fmt: skip

WIDE, HIGH = 320, 180
CLEAN = WorldConfig(
    lens=LensConfig(blur_px=0, vignette=0),
    sensor=SensorConfig(noise=0, sharpness=0, jpeg_quality=0),
)
GLARING = {
    "light": LightConfig(hour=7, sun_from_deg=5, cloud=0.0),
    "camera": CameraConfig(tilt_deg=8),
}
EFFECTS = {
    "rain": {"weather": WeatherConfig(rain=0.7, wind=0.5)},
    "snow": {"weather": WeatherConfig(snow=0.7, wind=0.5)},
    "drops": {"lens": LensConfig(blur_px=0, vignette=0, drops=0.7)},
    "dust": {"lens": LensConfig(blur_px=0, vignette=0, dust=0.7)},
    "blur": {"lens": LensConfig(blur_px=1.5, vignette=0)},
    "vignette": {"lens": LensConfig(blur_px=0, vignette=0.5)},
    "noise": {"sensor": SensorConfig(noise=0.5, jpeg_quality=0)},
    "jpeg": {"sensor": SensorConfig(noise=0, jpeg_quality=40)},
    "glare": GLARING,
}
MOVING = ("rain", "snow", "noise")


def scene() -> np.ndarray:
    """A picture with a gradient and some edges, uint8[HIGH, WIDE, 3]."""
    row, column = np.mgrid[0:HIGH, 0:WIDE]
    picture = np.stack([row * 0.7 + 20, column * 0.4 + 30, 0.3 * (row + column) + 15], -1)
    picture = picture.astype(np.uint8)
    cv2.rectangle(picture, (60, 50), (140, 150), (40, 90, 200), -1)
    return picture


def seen(
    config: WorldConfig, t_ms: float = 500.0, seed: int = 1, darkness: float = 0.0
) -> np.ndarray:
    picture = scene()
    Optics(config, WIDE, HIGH, seed, darkness).apply(picture, t_ms)
    return picture


def test_clean_optics_change_nothing() -> None:
    assert (seen(CLEAN) == scene()).all()
    lit = np.zeros((HIGH, WIDE, 3), np.uint8)
    lit[80:100, 150:170] = 255
    before = lit.copy()
    Optics(CLEAN, WIDE, HIGH, 1, 0.0).apply(lit, 0.0)
    assert (lit == before).all(), "by day a clean lens does not bloom"


@pytest.mark.parametrize("effect", EFFECTS)
def test_every_effect_is_seen_and_leaves_the_scene_recognisable(effect: str) -> None:
    config = msgspec.structs.replace(CLEAN, **EFFECTS[effect])
    change = np.abs(seen(config).astype(int) - scene())
    assert change.max() > 5
    assert change.mean() < 75


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_moment_is_the_same_whatever_came_before(effect: str) -> None:
    config = msgspec.structs.replace(CLEAN, **EFFECTS[effect])
    optics = Optics(config, WIDE, HIGH, 1, 0.2)
    for t_ms in (0.0, 900.0, 100.0):
        optics.apply(scene(), t_ms)
    picture = scene()
    optics.apply(picture, 500.0)
    assert (picture == seen(config, darkness=0.2)).all()


@pytest.mark.parametrize("effect", EFFECTS)
def test_only_what_moves_differs_between_moments(effect: str) -> None:
    config = msgspec.structs.replace(CLEAN, **EFFECTS[effect])
    same = (seen(config, 500.0) == seen(config, 600.0)).all()
    assert same == (effect not in MOVING)


@pytest.mark.parametrize("effect", ["rain", "snow", "drops", "dust", "noise"])
def test_seeds_differ(effect: str) -> None:
    config = msgspec.structs.replace(CLEAN, **EFFECTS[effect])
    assert (seen(config, seed=1) != seen(config, seed=2)).any()


def test_noise_grows_with_darkness_and_keeps_the_mean() -> None:
    config = msgspec.structs.replace(CLEAN, sensor=SensorConfig(noise=0.3, jpeg_quality=0))
    grey = np.full((HIGH, WIDE, 3), 110, np.uint8)
    spread = []
    for darkness in (0.0, 0.5, 1.0):
        picture = grey.copy()
        Optics(config, WIDE, HIGH, 1, darkness).apply(picture, 0.0)
        spread.append(float(picture.std()))
        assert picture.mean() == pytest.approx(110, abs=1.0)
    assert 1.0 < spread[0] < spread[1] < spread[2] < 14


def test_worse_rain_takes_more_of_the_contrast() -> None:
    change = []
    for amount in (0.2, 0.5, 1.0):
        picture = scene()
        rain = Rain(amount, 0.0, 0.0, WIDE, HIGH, 1)
        rain.apply(picture, 0.0)
        change.append(np.abs(picture.astype(int) - scene()).mean())
    black = np.zeros((HIGH, WIDE, 3), np.uint8)
    rain.apply(black, 0.0)
    assert black.min() > 5, "rain lifts the blacks"
    assert change == sorted(change)
    assert change[0] < 0.5 * change[-1]


def test_a_veiled_picture_gets_its_contrast_back_within_a_limit() -> None:
    flat = np.random.default_rng(1).integers(100, 160, (HIGH, WIDE, 3)).astype(np.uint8)
    before = flat.std()
    stretch(flat)
    assert 1.5 < flat.std() / before <= MOST_GAIN + 0.02
    assert abs(float(flat.mean()) - 130) < 3
    whole = np.random.default_rng(1).integers(0, 256, (HIGH, WIDE, 3)).astype(np.uint8)
    kept = whole.copy()
    stretch(whole)
    assert (whole == kept).all(), "a picture that uses its range stays as it is"


def test_snow_falls_and_drifts_with_the_wind() -> None:
    config = msgspec.structs.replace(CLEAN, weather=WeatherConfig(snow=0.15, wind=0.0))
    optics = Optics(config, WIDE, HIGH, 3, 0.0)
    dark = np.zeros((2, HIGH, WIDE, 3), np.uint8)
    optics.apply(dark[0], 1000.0)
    optics.apply(dark[1], 1060.0)
    far, later = (np.float32(picture[..., 0]) for picture in dark)
    (dx, dy), response = cv2.phaseCorrelate(far, later)
    assert dy > 0.5
    assert abs(dx) < dy
    assert response > 0.02


def test_drops_stay_in_place_and_turn_the_picture_over() -> None:
    config = msgspec.structs.replace(CLEAN, lens=LensConfig(blur_px=0, vignette=0, drops=0.5))
    optics = Optics(config, WIDE, HIGH, 4, 0.0)
    flat, half = np.full((HIGH, WIDE, 3), 60, np.uint8), np.full((HIGH, WIDE, 3), 60, np.uint8)
    half[: HIGH // 2] = 220
    optics.apply(flat, 0.0)
    optics.apply(half, 0.0)
    below = half[HIGH // 2 + 8 :].max(-1).astype(int) - flat[HIGH // 2 + 8 :].max(-1)
    assert below.max() > 60, "the bright upper half is seen low in a drop"


def test_glare_only_with_a_low_sun_ahead() -> None:
    ahead = msgspec.structs.replace(CLEAN, **GLARING)
    behind = LightConfig(hour=7, sun_from_deg=180, cloud=0.0)
    high = LightConfig(hour=12, sun_from_deg=5, cloud=0.0)
    night = LightConfig(hour=23, sun_from_deg=5, cloud=0.0)
    assert seen(ahead).mean() > scene().mean() + 5
    for light in (behind, high, night):
        assert (seen(msgspec.structs.replace(ahead, light=light)) == scene()).all()


def test_glare_is_weaker_when_something_stands_before_the_sun() -> None:
    config = msgspec.structs.replace(CLEAN, **GLARING)
    optics = Optics(config, WIDE, HIGH, 1, 0.0)
    free, covered = np.full((2, HIGH, WIDE, 3), 60, np.uint8)
    free[: HIGH // 3] = 250
    covered[: HIGH // 3] = 80
    optics.apply(free, 0.0)
    optics.apply(covered, 0.0)
    assert free[-1].mean() > covered[-1].mean() + 5


def test_bright_lamps_bloom_at_night() -> None:
    lamp = LampConfig(at_m=(0, 8, 5), aim_m=(0, 9))
    config = msgspec.structs.replace(CLEAN, light=LightConfig(hour=23, lamps=[lamp]))
    picture = np.zeros((HIGH, WIDE, 3), np.uint8)
    picture[80:100, 150:170] = 255
    Optics(config, WIDE, HIGH, 1, 0.4).apply(picture, 0.0)
    assert picture[90, 180].min() > 5
    assert picture[90, 300].max() == 0


def test_the_vignette_darkens_the_corners_only() -> None:
    config = msgspec.structs.replace(CLEAN, lens=LensConfig(blur_px=0, vignette=1.0))
    picture = np.full((HIGH, WIDE, 3), 200, np.uint8)
    Optics(config, WIDE, HIGH, 1, 0.0).apply(picture, 0.0)
    assert picture[HIGH // 2, WIDE // 2].min() >= 198
    assert picture[0, 0].max() < 110


def test_every_size_and_everything_at_once_works() -> None:
    config = WorldConfig(
        weather=WeatherConfig(rain=1, snow=1, wind=1),
        lens=LensConfig(dust=1, drops=1, blur_px=2, vignette=1),
        sensor=SensorConfig(noise=1, jpeg_quality=10), **GLARING,
    )  # fmt: skip
    for wide, high in ((64, 48), (321, 201), (640, 360)):
        picture = np.full((high, wide, 3), 90, np.uint8)
        Optics(config, wide, high, 1, 1.0).apply(picture, 12345.6)
        assert picture.shape == (high, wide, 3)
        assert picture.std() > 3
