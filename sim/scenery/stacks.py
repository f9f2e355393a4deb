"""Material that lies about: pallets, pipes, crates, benches, sand, reinforcement."""

from __future__ import annotations

import math

import numpy as np

from sim.scenery.parts import DARK_STEEL, PLANK, Kind, Rng, block, darker, grimy, jittered, plank
from sim.scenery.parts import pole as rod
from sim.world.config import Size
from sim.world.materials import Material
from sim.world.mesh import Mesh, joined, linear
from sim.world.shapes import lathe, placed, ring

PALLET_M = 0.14
BRICKS = ("#9a5a40", "#8f4d38", "#a08a74")
BAGS = ("#b9b1a0", "#c7bfae", "#9fa8a6")


def pallet(wide: float, deep: float, rng: Rng) -> Mesh:
    """A wooden pallet: three runners, deck boards across."""
    wood = jittered(PLANK, rng, 0.1)
    parts = [block((wide, 0.1, 0.1), (0, y, 0), darker(wood, 0.8), Material.WOOD)
             for y in (-deep / 2 + 0.05, 0, deep / 2 - 0.05)]  # fmt: skip
    step = wide / 7
    for k in range(7):
        x = -wide / 2 + step * (k + 0.5)
        parts.append(block((step * 0.8, deep, 0.035), (x, 0, 0.1), jittered(wood, rng, 0.07),
                           Material.WOOD))  # fmt: skip
    return joined(parts)


def pallets(size_m: Size, colour: str, rng: Rng) -> Mesh:
    """Pallets beside one another, each with bricks or bags or empty in a stack."""
    wide, deep, tall = size_m
    count = max(int(wide // 1.25), 1)
    each = wide / count
    parts = []
    for k in range(count):
        load = tall if k == 0 else tall * rng.uniform(0.55, 1.0)
        stack = _loaded(each - 0.06, deep, load, colour, rng)
        parts.append(placed(stack, (-wide / 2 + each * (k + 0.5), 0.0), 0.0))
    return grimy(joined(parts), rng, 0.25)


def _loaded(wide: float, deep: float, tall: float, colour: str, rng: Rng) -> Mesh:
    pick = rng.random()
    if pick < 0.2:
        layers = max(int(tall / PALLET_M), 1)
        return joined([
            placed(pallet(wide, deep, rng), (0, 0, k * tall / layers)) for k in range(layers)
        ])  # fmt: skip
    base = pallet(wide, deep, rng)
    high = max(tall - PALLET_M, 0.15)
    load = _bricks(wide, deep, high, colour, rng) if pick < 0.62 else _bags(wide, deep, high, rng)
    return joined([base, load.moved(np.eye(3), (0, 0, PALLET_M))])


def _bricks(wide: float, deep: float, high: float, colour: str, rng: Rng) -> Mesh:
    """A strapped block of bricks, its top layer not complete."""
    full = max(high - 0.15, 0.1)
    w, d = wide * 0.95, deep * 0.95
    parts = [block((w, d, full), (0, 0, 0), colour, Material.BRICK)]
    part = w * rng.uniform(0.3, 0.8)
    shade = jittered(colour, rng, 0.05)
    parts.append(block((part, d, high - full), ((part - w) / 2, 0, full), shade, Material.BRICK))
    for x in (-w / 4, w / 4):
        parts.append(block((0.03, d + 0.012, full), (x, 0, 0.004), "#22252a", Material.PLAIN))
    return joined(parts)


def _bags(wide: float, deep: float, high: float, rng: Rng) -> Mesh:
    """Cement bags in layers, each turned a little."""
    colour = str(rng.choice(BAGS))
    layers = max(round(high / 0.14), 1)
    thick = high / layers
    parts = []
    for layer in range(layers):
        for sx in (-1, 1):
            for sy in (-1, 1):
                size = (wide * 0.46, deep * 0.46, thick * 1.02)
                at = (sx * wide * 0.235, sy * deep * 0.235, layer * thick)
                bag = block(size, (0, 0, 0), jittered(colour, rng, 0.06), Material.CLOTH,
                            bevel_m=0.05)  # fmt: skip
                parts.append(placed(bag, at, float(rng.normal(0, 2))))
    return joined(parts)


def pipes(size_m: Size, colour: str, rng: Rng) -> Mesh:
    """Pipes along x in a heap between two pairs of stakes."""
    wide, deep, tall = size_m
    radius = min(deep, tall) / 6.5
    parts = [block((0.1, deep, 0.08), (x, 0, 0), PLANK, Material.WOOD)
             for x in (-wide * 0.32, wide * 0.32)]  # fmt: skip
    rows = max(int((tall - 0.08 - 2 * radius) / (1.75 * radius)) + 1, 1)
    most = int((deep - 0.12) / (2 * radius))
    for row in range(rows):
        z = 0.08 + radius + row * 1.73 * radius
        for k in range(most - row):
            y = (k - (most - row - 1) / 2) * 2 * radius
            length = wide * rng.uniform(0.94, 1.0)
            parts.append(_pipe(length, radius, jittered(colour, rng, 0.07), (0, y, z)))
    for x in (-wide * 0.32, wide * 0.32):
        for y in (-deep / 2 + 0.03, deep / 2 - 0.03):
            parts.append(block((0.06, 0.06, tall), (x, y, 0), PLANK, Material.WOOD))
    return grimy(joined(parts), rng, 0.25)


def _pipe(length: float, radius: float, colour: str, at: tuple[float, float, float]) -> Mesh:
    tube = ring(radius * 0.84, radius, length, colour, Material.PAINT, 12)
    inside = np.linalg.norm(tube.vertices[:, :2], axis=1) < radius * 0.9
    tube.albedo[inside] *= np.float32(0.25)
    lying = np.array([(0, 0, 1), (0, 1, 0), (-1, 0, 0)])
    return tube.moved(lying, (at[0] - length / 2, at[1], at[2]))


def crate(size_m: Size, colour: str, rng: Rng) -> Mesh:
    """A wooden box with a frame of battens and a diagonal."""
    wide, deep, tall = size_m
    t = 0.06
    parts = [block((wide - 2 * t + 0.07, deep - 2 * t + 0.07, tall - 0.07), (0, 0, 0.02), colour,
                   Material.WOOD)]  # fmt: skip
    frame = darker(colour, 0.86)
    x, y = wide / 2 - t / 2, deep / 2 - t / 2
    corners = [(-x, -y), (x, -y), (x, y), (-x, y)]
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        parts.append(block((t, t, tall), (ax, ay, 0), jittered(frame, rng, 0.05), Material.WOOD))
        for z in (t / 2, tall - t / 2):
            parts.append(plank((ax, ay, z), (bx, by, z), t, rng, t, frame))
        parts.append(plank((ax, ay, t), (bx, by, tall - t), 0.03, rng, t, frame))
    mesh = joined(parts)
    mesh.vertices[:, 2] = np.clip(mesh.vertices[:, 2], 0, tall)
    return grimy(mesh, rng, 0.3)


def bench(size_m: Size, colour: str, rng: Rng) -> Mesh:
    """A work bench or seat: planks on trestles."""
    wide, deep, tall = size_m
    parts = []
    for k in range(3):
        y = (k - 1) * deep / 3
        parts.append(plank((-wide / 2, y, tall - 0.025), (wide / 2, y, tall - 0.025),
                           deep / 3 * 0.95, rng, 0.05, colour))  # fmt: skip
    for x in (-wide * 0.36, wide * 0.36):
        for y in (-deep * 0.42, deep * 0.42):
            parts.append(block((0.07, 0.07, tall - 0.05), (x, y, 0), darker(colour, 0.8),
                               Material.WOOD))  # fmt: skip
        parts.append(block((0.05, deep * 0.8, 0.08), (x, 0, tall * 0.3), darker(colour, 0.8),
                           Material.WOOD))  # fmt: skip
    return grimy(joined(parts), rng, 0.25)


def sand_heap(size_m: Size, colour: str, rng: Rng) -> Mesh:
    """A heap with an uneven outline at its angle of repose."""
    wide, deep, tall = size_m
    line = [(1.0, 0.0), (0.88, 0.07), (0.72, 0.22), (0.55, 0.44), (0.38, 0.68), (0.22, 0.88),
            (0.10, 0.97), (0.0, 1.0)]  # fmt: skip
    mesh = lathe(line, colour, Material.SAND, 22)
    angle = np.arctan2(mesh.vertices[:, 1], mesh.vertices[:, 0])
    radius = np.linalg.norm(mesh.vertices[:, :2], axis=1)
    bumps = sum(
        np.sin(k * angle + rng.uniform(0, 2 * math.pi)) * rng.uniform(0.3, 1) / k for k in (2, 3, 5)
    )
    mesh.vertices *= np.float32((wide / 2, deep / 2, tall))
    swell = 1 - 0.10 * (1 - bumps / max(float(np.abs(bumps).max()), 1e-6)) * np.minimum(
        radius * 4, 1
    )
    mesh.vertices[:, :2] *= np.float32(swell)[:, None]
    damp = np.clip(1 - radius, 0, 1)
    mesh.albedo *= np.float32(0.8 + 0.25 * damp)[:, None]
    mesh.uv[:] = mesh.vertices[:, :2]
    return mesh


def rebar(size_m: Size, colour: str, rng: Rng) -> Mesh:
    """A bundle of reinforcement bars along x on blocks, tied with wire."""
    wide, deep, tall = size_m
    parts = [block((0.1, deep, 0.09), (x, 0, 0), PLANK, Material.WOOD)
             for x in (-wide * 0.38, 0.0, wide * 0.38)]  # fmt: skip
    across = max(int(deep / 0.045), 4)
    layers = max(int((tall - 0.09) / 0.04), 1)
    for layer in range(layers):
        z = 0.105 + layer * (tall - 0.12) / layers
        for k in range(across - layer):
            y = (k - (across - layer - 1) / 2) * (deep - 0.04) / across
            a, b = -wide / 2 * rng.uniform(0.93, 1), wide / 2 * rng.uniform(0.93, 1)
            rust = jittered(colour, rng, 0.14)
            parts.append(rod((a, y, z), (b, y, z), 0.014, rust, Material.METAL, 4))
    for x in (-wide * 0.25, wide * 0.25):
        parts.append(
            block((0.02, deep * 0.96, tall - 0.1), (x, 0, 0.09), DARK_STEEL, Material.METAL)
        )
    mesh = joined(parts)
    mesh.albedo[:] = np.minimum(mesh.albedo, np.float32(linear("#c0a080")))
    return grimy(mesh, rng, 0.15)


KINDS = {
    "pallets": Kind(pallets, (2.6, 1.0, 1.2), BRICKS),
    "pipes": Kind(pipes, (5.0, 1.3, 0.9), ("#7d8286", "#3e5f86", "#b0673a", "#6b6f72")),
    "crate": Kind(crate, (1.2, 1.0, 1.0), (PLANK, "#9c7f55", "#b49a70")),
    "bench": Kind(bench, (1.8, 0.5, 0.45), (PLANK, "#8f7752")),
    "sand_heap": Kind(sand_heap, (3.6, 3.2, 1.3), ("#b59a6c", "#a78f68", "#9a8a72")),
    "rebar": Kind(rebar, (6.0, 0.5, 0.35), ("#7a4a32", "#6e4a38", "#80583f")),
}
