"""The ground: a wide plane, fine near the camera, with stains, wheel tracks, puddles and snow."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from sim.scenery.light import SNOW_COLOUR, ground_colour, snow_cover
from sim.world.config import GroundKind, WorldConfig
from sim.world.materials import Material
from sim.world.mesh import F32, Mesh, joined

F64 = npt.NDArray[np.float64]
Rng = np.random.Generator

FINE_STEP_M = 0.85
FINE_HALF_M = 24.0
REACH_M = 190.0
AHEAD_M = 16.0
"""The fine part lies around the point this far ahead of the camera."""
LIFT_M = 0.004
"""What lies on the ground is this much above it; each further layer as much again."""
MATERIAL: dict[GroundKind, Material] = {
    "concrete": Material.CONCRETE,
    "dirt": Material.DIRT,
    "gravel": Material.GRAVEL,
    "asphalt": Material.ASPHALT,
}
MOTTLE: dict[GroundKind, float] = {"concrete": 0.16, "dirt": 0.26, "gravel": 0.16, "asphalt": 0.13}
"""How uneven the colour is over metres."""
TRACK_TONE: dict[GroundKind, float] = {
    "concrete": 0.72, "dirt": 0.66, "gravel": 0.74, "asphalt": 0.80,
}  # fmt: skip
STAIN_TONE = 0.62
DAMP_TONE, WATER_TONE = 0.58, 0.3
"""Of the damp ground around a puddle, and of the ground seen through its water."""
TYRE_M = 0.5
GAUGE_M = 1.9


class Tint:
    """Colour of the ground at any place: the same function paints the plane and what lies on it."""

    def __init__(self, config: WorldConfig, rng: Rng) -> None:
        self.base = ground_colour(config)
        self.mottle = MOTTLE[config.ground]
        self.snow = snow_cover(config)
        count = 26
        way = rng.uniform(0, 2 * math.pi, count)
        length_m = np.exp(rng.uniform(math.log(2.5), math.log(26.0), count))
        self.waves = np.column_stack([np.cos(way), np.sin(way)]) * (2 * math.pi / length_m)[:, None]
        self.phase = rng.uniform(0, 2 * math.pi, count)
        self.size = np.sqrt(length_m) / np.sqrt(length_m).sum()
        self.warm = rng.permutation(count)

    def field(self, places: F64, order: npt.NDArray[np.integer] | None = None) -> F64:
        """A smooth random field, about -1 to 1, at places [N, 2]."""
        size = self.size if order is None else self.size[order]
        waves = np.sin(places @ self.waves.T + self.phase)
        return np.asarray(waves @ size * 3.2)

    def at(self, places: F64) -> F64:
        """Albedo [N, 3] at places [N, 2]."""
        shade = self.field(places)
        warmth = self.field(places[:, ::-1] + 31.0, self.warm)
        bare = self.base * (1 + self.mottle * shade)[:, None]
        bare = bare * (1 + 0.05 * warmth[:, None] * np.array([-1.0, 0.0, 1.0]))
        if self.snow > 0:
            thin = np.clip(shade * 0.5 + self.field(places * 2.3) * 0.6 - 0.35, 0, 1) * 0.75
            bare = bare + (self.base * 0.55 - bare) * (thin * self.snow)[:, None]
            bare = np.minimum(bare, SNOW_COLOUR)
        return np.asarray(np.clip(bare, 0.01, 0.9))


def ground(config: WorldConfig, seed: int) -> Mesh:
    """The ground of this world with everything flat on it but paint."""
    rng = np.random.default_rng((seed, 0x6E0D))
    tint = Tint(config, rng)
    parts = [_plane(config, tint)]
    if tint.snow < 0.5:
        parts += _stains(config, tint, rng)
    parts += _tracks(config, tint, rng)
    wet = max(config.wet, config.weather.rain)
    if wet > 0.05:
        parts += _puddles(config, tint, rng, wet)
    return joined(parts)


def middle(config: WorldConfig) -> F64:
    """The ground point that the camera looks at, about."""
    turn = math.radians(config.camera.pan_deg)
    at = np.array(config.camera.at_m, np.float64)
    return np.asarray(at + AHEAD_M * np.array([math.sin(turn), math.cos(turn)]))


def _axis() -> F64:
    fine = np.arange(-FINE_HALF_M, FINE_HALF_M + 0.01, FINE_STEP_M)
    coarse = np.geomspace(FINE_HALF_M + 2.5, REACH_M, 9)
    return np.concatenate([-coarse[::-1], fine, coarse])


def _plane(config: WorldConfig, tint: Tint) -> Mesh:
    axis = _axis()
    x, y = np.meshgrid(axis, axis)
    places = np.column_stack([x.ravel(), y.ravel()]) + middle(config)
    n = len(axis)
    first = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    triangles = np.concatenate([
        np.column_stack([first, first + 1, first + n + 1]),
        np.column_stack([first, first + n + 1, first + n]),
    ])  # fmt: skip
    return _flat(places, 0.0, tint.at(places), triangles, MATERIAL[config.ground])


def _flat(places: F64, z_m: float, albedo: F64, triangles: F64, material: Material) -> Mesh:
    up: F32 = np.tile(np.float32((0, 0, 1)), (len(places), 1))
    vertices = np.column_stack([places, np.full(len(places), z_m)])
    return Mesh(
        np.ascontiguousarray(vertices, np.float32), up, np.ascontiguousarray(albedo, np.float32),
        np.ascontiguousarray(places, np.float32), np.ascontiguousarray(triangles, np.int32),
        np.full(len(triangles), material, np.uint8),
    )  # fmt: skip


def _blob(at: F64, radius_m: float, rng: Rng, corners: int = 14) -> F64:
    """An uneven outline [corners, 2], anticlockwise."""
    turn = np.linspace(0, 2 * math.pi, corners, endpoint=False)
    wobble = 1 + sum(
        rng.uniform(0.05, 0.22) * np.sin(k * turn + rng.uniform(0, 2 * math.pi)) for k in (2, 3, 4)
    )
    squash, lean = rng.uniform(0.45, 1.0), rng.uniform(0, math.pi)
    flat = np.column_stack([np.cos(turn) * wobble, np.sin(turn) * wobble * squash]) * radius_m
    c, s = math.cos(lean), math.sin(lean)
    return np.asarray(flat @ np.array([(c, s), (-s, c)]) + at)


def _soft_blob(
    outline: F64, z_m: float, inside: F64, tint: Tint, material: Material, core: float
) -> Mesh:
    """A fan whose core has a colour of its own and whose edge has that of the ground."""
    centre = outline.mean(0)
    inner = centre + (outline - centre) * core
    places = np.concatenate([centre[None], inner, outline])
    n = len(outline)
    i = np.arange(n)
    j = (i + 1) % n
    fan = np.column_stack([np.zeros(n, int), 1 + i, 1 + j])
    rim = np.concatenate([
        np.column_stack([1 + i, 1 + n + i, 1 + n + j]), np.column_stack([1 + i, 1 + n + j, 1 + j]),
    ])  # fmt: skip
    albedo = tint.at(places)
    albedo[: n + 1] = inside if inside.ndim == 1 else inside[: n + 1]
    return _flat(places, z_m, albedo, np.concatenate([fan, rim]), material)


def _spots(config: WorldConfig, rng: Rng, count: int) -> F64:
    """Places in front of the camera, more of them near it."""
    far = 4.0 + 26.0 * rng.random(count) ** 1.3
    turn = math.radians(config.camera.pan_deg) + rng.uniform(-0.75, 0.75, count)
    way = np.column_stack([np.sin(turn), np.cos(turn)])
    return np.asarray(np.array(config.camera.at_m) + way * far[:, None])


def _stains(config: WorldConfig, tint: Tint, rng: Rng) -> list[Mesh]:
    """Dark and light patches: oil, spilt mortar, damp."""
    found = []
    for at in _spots(config, rng, 12):
        tone = STAIN_TONE * rng.uniform(0.8, 1.25) if rng.random() < 0.7 else rng.uniform(1.15, 1.4)
        outline = _blob(at, float(rng.uniform(0.25, 1.3)), rng)
        inside = np.clip(tint.at(at[None])[0] * tone, 0.01, 0.8)
        found.append(_soft_blob(outline, LIFT_M * 0.5, inside, tint, MATERIAL[config.ground], 0.55))
    return found


def _puddles(config: WorldConfig, tint: Tint, rng: Rng, wet: float) -> list[Mesh]:
    """Standing water: dark and shiny, in damp ground that dries outwards."""
    found = []
    for at in _spots(config, rng, round(2 + 7 * wet)):
        radius = float(rng.uniform(0.4, 0.7 + 1.5 * wet))
        rim = _blob(at, radius, rng, 18)
        damp = np.clip(tint.at(at[None])[0] * DAMP_TONE, 0.01, 0.8)
        found.append(_soft_blob(rim, LIFT_M, damp, tint, MATERIAL[config.ground], 0.72))
        for _ in range(int(rng.integers(1, 4))):
            off = rng.normal(0, 0.22 * radius, 2)
            water = _blob(at + off, radius * float(rng.uniform(0.14, 0.34)), rng, 14)
            found.append(_fan(water, 1.6 * LIFT_M, tint.base * WATER_TONE))
    return found


def _fan(outline: F64, z_m: float, colour: F64) -> Mesh:
    """Still water in one colour."""
    n = len(outline)
    i = np.arange(n)
    fan = np.column_stack([np.zeros(n, int), 1 + i, 1 + (i + 1) % n])
    places = np.concatenate([outline.mean(0)[None], outline])
    return _flat(places, z_m, np.tile(colour, (n + 1, 1)), fan, Material.GLASS)


def _tracks(config: WorldConfig, tint: Tint, rng: Rng) -> list[Mesh]:
    """Pairs of wheel tracks that cross the yard in long bends."""
    tone = 0.45 if tint.snow > 0.3 else TRACK_TONE[config.ground]
    found = []
    for k in range(int(rng.integers(2, 4))):
        centre = middle(config) + rng.uniform(-9, 9, 2)
        heading = rng.uniform(0, 2 * math.pi)
        bend = rng.normal(0, 0.02)
        along = np.arange(-26, 26.1, 1.3)
        turn = heading + bend * along
        steps = np.column_stack([np.sin(turn), np.cos(turn)]) * 1.3
        path = centre + np.cumsum(steps, axis=0) - steps.sum(0) / 2
        aside = np.column_stack([np.cos(turn), -np.sin(turn)])
        for side in (-0.5, 0.5):
            line = path + aside * (side * GAUGE_M)
            z_m = LIFT_M * (0.6 + 0.1 * k)
            found.append(_ribbon(line, aside, z_m, tone, tint, MATERIAL[config.ground], rng))
    return found


def _ribbon(
    line: F64, aside: F64, z_m: float, tone: float, tint: Tint, material: Material, rng: Rng
) -> Mesh:
    """A strip that is darkest along its middle and fades into the ground on both sides."""
    rows = np.stack([line + aside * (s * TYRE_M) for s in (0.5, 0.22, -0.22, -0.5)], axis=1)
    places = rows.reshape(-1, 2)
    albedo = tint.at(places).reshape(len(line), 4, 3)
    worn = np.clip(rng.uniform(0.35, 1.0, len(line)), 0, 1)
    worn[[0, -1]] = 0
    albedo[:, 1:3] *= (1 + (tone - 1) * worn)[:, None, None]
    first = (np.arange(len(line) - 1)[:, None] * 4 + np.arange(3)).ravel()
    triangles = np.concatenate([
        np.column_stack([first, first + 4, first + 5]),
        np.column_stack([first, first + 5, first + 1]),
    ])  # fmt: skip
    return _flat(places, z_m, albedo.reshape(-1, 3), triangles, material)
