"""What the virtual board's camera sees: the simulator's pictures, as a video device gives them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import msgspec
import numpy as np

from drivers.interfaces import U8
from sim.scenario import inline_site
from sim.scenario.find import find
from sim.scenario.load import Loaded, load_scenario
from sim.scenario.world import SceneWorld, make_world

SCENARIO = "zone_entry"
"""Somebody stands, walks into the zone and stays there."""
WIDTH_PX, HEIGHT_PX, PERIOD_MS = 640, 360, 200.0
EMPTY_MS = range(0, 1000, 100)
WALK_MS = range(1500, 6000, 100)
"""Moments of the scenario, one a picture. The camera shows five pictures a second, so whoever walks
does so at half speed: an emulated processor judges four pictures a second, not ten."""

SITE = """format = 1
name = "virtual board"
units = "pixel"

[[zones]]
name = "{name}"
polygon = {corners}

[[rules]]
kind = "zone"
zone = "{name}"
severity = "danger"
"""


@dataclass(frozen=True)
class Scenes:
    """What was drawn.

    Attributes:
        enters_s: so long after the first picture of `walks` the person is in the zone.
        site: a site file with this zone.
    """

    enters_s: float
    site: str


def draw_scenes(folder: Path) -> Scenes:
    """Draw `empty` and `walks` into a folder, as YUYV, one picture after the other."""
    folder.mkdir(parents=True, exist_ok=True)
    loaded = load_scenario(find([SCENARIO])[0])
    scenario = loaded.scenario
    world = make_world(scenario.world, WIDTH_PX, HEIGHT_PX, scenario.seed)
    alone = msgspec.structs.replace(scenario.world, people=[])
    nobody = make_world(alone, WIDTH_PX, HEIGHT_PX, scenario.seed)
    _draw(nobody, folder / "empty", EMPTY_MS)
    is_inside = _draw(world, folder / "walks", WALK_MS)
    return Scenes(is_inside.index(True) * PERIOD_MS / 1000, _site(loaded, world))


def _draw(world: SceneWorld, path: Path, times_ms: Iterable[float]) -> list[bool]:
    """Returns for each picture whether somebody is in a zone."""
    pixels: U8 = np.empty((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    is_inside = []
    with path.open("wb") as file:
        for t_ms in times_ms:
            world.render(t_ms, pixels)
            file.write(cv2.cvtColor(pixels, cv2.COLOR_BGR2YUV_YUYV).tobytes())
            is_inside.append(any(person.zones for person in world.brief().people))
    return is_inside


def _site(loaded: Loaded, world: SceneWorld) -> str:
    size_px = (WIDTH_PX, HEIGHT_PX)
    site = inline_site.build(
        loaded.scenario, SCENARIO, world.ground_polygon, world.project_ground, size_px
    )
    corners = [[float(x), float(y)] for x, y in site.zones[0].polygon]
    return SITE.format(name=site.zones[0].name, corners=corners)
