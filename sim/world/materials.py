"""How surfaces answer to light, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Texture(IntEnum):
    """Rows of the texture atlas: tileable grey detail around a mean of 128."""

    PLAIN = 0
    CONCRETE = 1
    DIRT = 2
    GRAVEL = 3
    ASPHALT = 4
    METAL = 5
    CORRUGATED = 6
    WOOD = 7
    BRICK = 8
    CLOTH = 9
    SKIN = 10
    HAIR = 11
    SAND = 12
    MESH = 13


class Material(IntEnum):
    """Rows of MATERIALS."""

    PLAIN = 0
    CONCRETE = 1
    DIRT = 2
    GRAVEL = 3
    ASPHALT = 4
    METAL = 5
    CORRUGATED = 6
    WOOD = 7
    BRICK = 8
    CLOTH = 9
    SKIN = 10
    HAIR = 11
    SAND = 12
    NET = 13
    HELMET = 14
    VEST = 15
    REFLECTOR = 16
    PAINT = 17
    GLASS = 18
    RUBBER = 19
    LAMP = 20
    LEATHER = 21


@dataclass(frozen=True)
class Surface:
    """One row.

    Attributes:
        texture: row of the atlas.
        tile_m: edge of one tile of the texture.
        detail: how strongly the texture shows, 0 to 1.
        specular: strength of the highlight, 0 to 1.
        gloss: Blinn-Phong exponent.
        retro: light of a lamp near the camera that comes straight back (reflective tape).
        emission: light of its own.
    """

    texture: Texture = Texture.PLAIN
    tile_m: float = 1.0
    detail: float = 0.5
    specular: float = 0.0
    gloss: float = 8.0
    retro: float = 0.0
    emission: float = 0.0


MATERIALS: dict[Material, Surface] = {
    Material.PLAIN: Surface(),
    Material.CONCRETE: Surface(Texture.CONCRETE, 3.0, 0.7, 0.03),
    Material.DIRT: Surface(Texture.DIRT, 4.0, 0.9),
    Material.GRAVEL: Surface(Texture.GRAVEL, 2.0, 1.0),
    Material.ASPHALT: Surface(Texture.ASPHALT, 2.0, 0.8, 0.04),
    Material.METAL: Surface(Texture.METAL, 0.7, 0.5, 0.35, 24.0),
    Material.CORRUGATED: Surface(Texture.CORRUGATED, 1.0, 0.8, 0.15, 16.0),
    Material.WOOD: Surface(Texture.WOOD, 1.0, 0.8, 0.03),
    Material.BRICK: Surface(Texture.BRICK, 1.2, 0.9),
    Material.CLOTH: Surface(Texture.CLOTH, 0.35, 0.55),
    Material.SKIN: Surface(Texture.SKIN, 0.3, 0.35, 0.06, 10.0),
    Material.HAIR: Surface(Texture.HAIR, 0.15, 0.7, 0.08, 12.0),
    Material.SAND: Surface(Texture.SAND, 1.5, 0.8),
    Material.NET: Surface(Texture.MESH, 0.5, 0.9),
    Material.HELMET: Surface(Texture.PLAIN, 1.0, 0.0, 0.35, 40.0),
    Material.VEST: Surface(Texture.CLOTH, 0.35, 0.35, 0.02, 8.0, 0.0, 0.06),
    Material.REFLECTOR: Surface(Texture.PLAIN, 1.0, 0.1, 0.4, 12.0, 1.0, 0.02),
    Material.PAINT: Surface(Texture.CONCRETE, 3.0, 0.5, 0.05),
    Material.GLASS: Surface(Texture.PLAIN, 1.0, 0.0, 0.8, 60.0),
    Material.RUBBER: Surface(Texture.ASPHALT, 0.5, 0.4, 0.05, 8.0),
    Material.LAMP: Surface(Texture.PLAIN, 1.0, 0.0, 0.0, 8.0, 0.0, 3.0),
    Material.LEATHER: Surface(Texture.CLOTH, 0.2, 0.3, 0.08, 10.0),
}
"""Every Material has a row."""
