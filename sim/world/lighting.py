"""The light of one world: what the shading needs of hour, clouds, weather and lamps."""

from __future__ import annotations

from dataclasses import dataclass

Vector = tuple[float, float, float]
Bgr = tuple[float, float, float]
"""Blue, green, red; linear light. 1 is a white sheet in full sun at noon."""


@dataclass(frozen=True)
class Lamp:
    """A spot light.

    Attributes:
        at_m: where it hangs.
        direction: unit vector.
        colour: light at one metre on the axis.
        cosine: of half the cone; outside, the light fades out softly.
        off_ms: when it goes out; 0 = never.
    """

    at_m: Vector
    direction: Vector
    colour: Bgr
    cosine: float
    off_ms: float = 0.0


@dataclass(frozen=True)
class Lighting:
    """Everything that shines.

    Attributes:
        to_sun: unit vector towards the sun (or moon).
        sun: direct light; zeros when it is down or behind thick cloud.
        sky: light from above, on a surface that faces up.
        bounce: light from the ground, on a surface that faces down.
        zenith, horizon: colours of the sky where it is seen.
        fog: colour of fog.
        fog_per_m: extinction; 0 = clear.
        lamps: those that are on.
        exposure: factor before tone mapping, as the automatic exposure would choose it.
        darkness: 0 by day to 1 in a night without lamps; adds sensor noise.
        sun_softness: 0 sharp shadows to 1 none.
    """

    to_sun: Vector
    sun: Bgr
    sky: Bgr
    bounce: Bgr
    zenith: Bgr
    horizon: Bgr
    fog: Bgr
    fog_per_m: float
    lamps: tuple[Lamp, ...]
    exposure: float
    darkness: float
    sun_softness: float
