"""Weather in front of the lens, the glass, the sensor: what a camera makes of a clean picture."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from sim.optics.contrast import stretch
from sim.optics.glare import Bloom, glare
from sim.optics.glass import Drops, dust
from sim.optics.rain import Rain
from sim.optics.sensor import Focus, Noise, jpeg, vignette
from sim.optics.snow import Snow
from sim.world.config import WorldConfig

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
Step = Callable[[U8, float], None]

BLOOM_BY_DAY, BLOOM_AT_NIGHT, BLOOM_OF_DUST = 0.10, 0.35, 0.25
NO_BLOOM = 0.12
"""Weaker bloom is not seen and not worth its time."""


class Optics:
    """One camera's optics in one world.

    What it draws depends on (config, size, seed, t_ms) alone; nothing is kept between pictures.

    Args:
        config: the world.
        width_px, height_px: of the pictures.
        seed: places of streaks, flakes, drops, dust and grain.
        darkness: 0 to 1, from Lighting.
    """

    def __init__(
        self, config: WorldConfig, width_px: int, height_px: int, seed: int, darkness: float
    ) -> None:
        size = (width_px, height_px)
        self._steps: list[Step] = [
            *_in_the_air(config, size, seed, darkness),
            *_on_the_glass(config, size, seed),
        ]
        if config.lens.blur_px > 0 or config.sensor.sharpness > 0:
            focus = Focus(config.lens.blur_px, config.sensor.sharpness, height_px)
            self._steps.append(focus.apply)
        self._steps += _shading(config, size, seed)
        if config.weather.rain > 0 or config.weather.snow > 0 or config.weather.visibility_m > 0:
            self._steps.append(lambda pixels, t_ms: stretch(pixels))
        if config.sensor.noise > 0:
            self._steps.append(Noise(config.sensor.noise, darkness, *size, seed).apply)
        if config.sensor.jpeg_quality > 0:
            quality = config.sensor.jpeg_quality
            self._steps.append(lambda pixels, t_ms: jpeg(pixels, quality))

    def apply(self, pixels: U8, t_ms: float) -> None:
        """Changes a clean picture into the camera's.

        Args:
            pixels: uint8[height, width, 3] BGR, changed in place.
            t_ms: since the world began; any order.
        """
        for step in self._steps:
            step(pixels, t_ms)


def _in_the_air(
    config: WorldConfig, size: tuple[int, int], seed: int, darkness: float
) -> list[Step]:
    steps: list[Step] = []
    weather = config.weather
    if weather.rain > 0:
        steps.append(Rain(weather.rain, weather.wind, darkness, *size, seed).apply)
    if weather.snow > 0:
        steps.append(Snow(weather.snow, weather.wind, darkness, *size, seed).apply)
    return steps


def _on_the_glass(config: WorldConfig, size: tuple[int, int], seed: int) -> list[Step]:
    steps: list[Step] = []
    lit = any(lamp.on for lamp in config.light.lamps)
    bloom = BLOOM_AT_NIGHT if lit else BLOOM_BY_DAY
    bloom += BLOOM_OF_DUST * config.lens.dust
    if bloom > NO_BLOOM:
        steps.append(Bloom(min(bloom, 0.6)).apply)
    stray = glare(config, *size)
    if stray is not None:
        steps.append(stray.apply)
    if config.lens.drops > 0:
        steps.append(Drops(config.lens.drops, *size, seed).apply)
    return steps


def _shading(config: WorldConfig, size: tuple[int, int], seed: int) -> list[Step]:
    """Vignette and dust in one multiplication, and the light that dust scatters."""
    if config.lens.vignette <= 0 and config.lens.dust <= 0:
        return []
    passes = vignette(config.lens.vignette, *size)
    steps: list[Step] = []
    if config.lens.dust > 0:
        through, scattered = dust(config.lens.dust, *size, seed)
        passes = passes * through
        added = _three(scattered)
        steps.append(lambda pixels, t_ms: _add(pixels, added))
    share = _three(passes * 255)
    steps.insert(0, lambda pixels, t_ms: _scale(pixels, share))
    return steps


def _three(plane: F32) -> U8:
    return np.repeat(np.clip(np.rint(plane), 0, 255).astype(np.uint8)[..., None], 3, 2)


def _add(pixels: U8, added: U8) -> None:
    cv2.add(pixels, added, pixels)


def _scale(pixels: U8, share: U8) -> None:
    cv2.multiply(pixels, share, pixels, 1 / 255)
