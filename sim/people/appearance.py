"""How people look when nobody said so: clothes of building sites, skin and hair of all people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.world.config import PersonConfig

TOPS = ("#27324a", "#6b6e70", "#b09468", "#26272a", "#3f5f86", "#5a6040", "#8e2f2a", "#d8d6d0",
        "#2f5b50", "#c56a28", "#7b8794", "#4a3b33")  # fmt: skip
TROUSERS = ("#222c40", "#4a4c4e", "#8f7a55", "#1f2022", "#37506f", "#4a4f36", "#2b3138", "#6d6248")
SKINS = ("#f3d3bd", "#eac0a2", "#dcab88", "#c99571", "#ad7650", "#8d5a3a", "#6d4329", "#4e2f1e",
         "#3c2519")  # fmt: skip
"""From light to dark, after the Monk skin tone scale, a little warmer."""
HAIRS = (
    "#17130f",
    "#1e1712",
    "#2b1d14",
    "#402a1a",
    "#5a3c22",
    "#8a6238",
    "#b89058",
    "#8b8782",
    "#d0ccc6",
)
HELMETS = ("#f2f1ea", "#f2f1ea", "#f4c414", "#f4c414", "#c8201c", "#1c55a8", "#f07818", "#2c8a4a")
VESTS = ("#d7f205", "#d7f205", "#ff6a0d", "#ff6a0d", "#ff4a14")
"""Fluorescent yellow and orange-red, near the corners of EN ISO 20471's colour boxes."""
BOOTS = ("#3a2a1c", "#221c18", "#6b4a28", "#2c2c2c", "#8a6030")
GLOVES = ("#c8b48a", "#4a4d50", "#d88a2a", "#39506a", "#e0ddd4")
HAIR_STYLES = ("bald", "buzz", "short", "short", "full", "long")


@dataclass(frozen=True)
class Look:
    """One person's looks; colours are `#rrggbb`.

    Attributes:
        height_m, girth: of the body; girth 1 is average.
        broad: of the shoulders.
        tucked: shirt in the trousers with a belt; else a jacket over them.
        gloves: colour or "".
        hair: one of HAIR_STYLES.
        beard: whether.
    """

    height_m: float
    girth: float
    broad: float
    tucked: bool
    top: str
    trousers: str
    skin: str
    hair_colour: str
    helmet: str
    vest: str
    boots: str
    gloves: str
    hair: str
    beard: bool


def look(config: PersonConfig, seed: int) -> Look:
    """What the configuration says, and what the seed adds.

    Every question draws from the generator whether it is open or not, so that naming one colour
    changes nothing else.
    """
    rng = np.random.default_rng(seed)
    small = bool(rng.random() < 0.25)
    height = float(np.clip(rng.normal(1.64 if small else 1.75, 0.065), 1.48, 1.98))
    girth = float(np.clip(rng.normal(1.0, 0.09), 0.82, 1.28))
    broad = float(np.clip(rng.normal(0.94 if small else 1.0, 0.03), 0.88, 1.07))
    tucked = bool(rng.random() < 0.45)
    top, trousers, skin, hair_colour, helmet, vest, boots, gloves = (
        str(rng.choice(palette))
        for palette in (TOPS, TROUSERS, SKINS, HAIRS, HELMETS, VESTS, BOOTS, GLOVES)
    )
    style, bearded, gloved = str(rng.choice(HAIR_STYLES)), rng.random(), rng.random()
    return Look(
        config.height_m or height, config.girth or girth, broad, tucked,
        config.top_colour or top, config.trousers_colour or trousers, config.skin_colour or skin,
        config.hair_colour or hair_colour, config.helmet_colour or helmet,
        config.vest_colour or vest, boots, gloves if gloved < 0.45 else "", style,
        bool(bearded < 0.25 and not small),
    )  # fmt: skip


def shaded(colour: str, factor: float) -> str:
    """A colour made darker (below 1) or lighter."""
    parts = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{min(255, int(part * factor)):02x}" for part in parts)
