"""How many of the simulated people a detector finds that was trained on photographs.

`python -m sim.dataset.recall --model FOLDER --frames 300` draws random worlds and asks the
detector of a package. Simulated people look like people when it finds them: whoever is fully
visible, tall enough, and not so dark or faint that the picture hardly shows them.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sim.dataset.draw import world_seed
from sim.dataset.randomise import MOMENTS, random_moments, random_world
from sim.world.config import WorldConfig
from sim.world.truth import Box, PersonTruth, Truth
from sim.world.world import World

U8 = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.float32]
Find = Callable[[U8], Boxes]
"""A picture -> float32[N, 4], boxes of people."""
SIZE = (640, 360)
SCORE = 0.3
MIN_IOU = 0.5
MIN_HEIGHT_PX = 60.0
MIN_VISIBLE, MIN_IN_VIEW = 0.95, 0.99
MIN_CONTRAST = 10.0
"""Levels of 255 by which a person must differ from what is around: less, and people who look at
the picture do not see them either (thick fog, far from every lamp)."""
RING = 0.35
"""What is around: this share of the box's sides further out."""
GRID = 8
"""A box is compared with its surroundings in cells of an eighth of its sides."""


@dataclass(frozen=True)
class Sighting:
    """One simulated person who should be found.

    Attributes:
        seed, t_ms: the picture.
        box: of the whole body, pixels.
        action: what they do.
        light, weather: in a word each.
        iou: of the best box that the detector gave, 0 when none.
    """

    seed: int
    t_ms: int
    box: Box
    action: str
    light: str
    weather: str
    iou: float

    @property
    def found(self) -> bool:
        """The detector has them."""
        return self.iou >= MIN_IOU


def should_be_found(person: PersonTruth, pixels: U8) -> bool:
    """Whether somebody is tall, whole and plain enough to be asked for."""
    if person.box is None or person.visible < MIN_VISIBLE or person.in_view < MIN_IN_VIEW:
        return False
    if person.box[3] - person.box[1] <= MIN_HEIGHT_PX:
        return False
    return contrast(pixels, person.box) >= MIN_CONTRAST


def contrast(pixels: U8, box: Box) -> float:
    """How much a box differs from what surrounds it, levels of 255.

    The 90th percentile of the difference between cells of the box and the median of the ring
    around it, over colours: a dark coat before a dark wall counts by the vest or the skin.

    Args:
        pixels: uint8[H, W, 3] BGR.
        box: pixels.
    """
    height, width = pixels.shape[:2]
    x1, y1, x2, y2 = (round(side) for side in box)
    out_x, out_y = max(4, round(RING * (x2 - x1))), max(4, round(RING * (y2 - y1)))
    left, top = max(0, x1 - out_x), max(0, y1 - out_y)
    around = pixels[top : min(height, y2 + out_y), left : min(width, x2 + out_x)].astype(np.float32)
    is_ring = np.full(around.shape[:2], True)
    is_ring[y1 - top : y2 - top, x1 - left : x2 - left] = False
    inside = pixels[max(0, y1) : y2, max(0, x1) : x2].astype(np.float32)
    if not is_ring.any() or min(inside.shape[:2]) < GRID:
        return 0.0
    ground = np.median(around[is_ring], axis=0)
    rows = np.array_split(inside, GRID, axis=0)
    cells = [cell.mean(axis=(0, 1)) for row in rows for cell in np.array_split(row, GRID, axis=1)]
    return float(np.percentile(np.abs(np.array(cells) - ground).max(axis=1), 90))


def light_word(config: WorldConfig) -> str:
    """Day, dusk or night, by the hour."""
    hour = config.light.hour
    if 7.0 <= hour <= 17.0:
        return "day"
    return "dusk" if 5.5 <= hour <= 18.5 else "night"


def weather_word(config: WorldConfig) -> str:
    """The worst of the weather."""
    weather = config.weather
    kinds = ("rain", weather.rain), ("snow", weather.snow), ("fog", weather.visibility_m)
    return next((word for word, amount in kinds if amount), "dry")


def iou(first: Sequence[float], second: Sequence[float]) -> float:
    """Intersection over union of two boxes, xyxy."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    areas = ((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return float(both / (sum(areas) - both))


def sightings(
    seed: int, frames: int, find: Find, look: Callable[[U8, Truth, list[Sighting]], None] | None
) -> Iterator[Sighting]:
    """Draw random worlds and ask the detector for everybody who should be found.

    Args:
        seed: of the set of worlds.
        frames: how many pictures.
        find: the detector.
        look: called with each picture, its truth and its sightings; None: nobody looks.
    """
    pixels = np.full((SIZE[1], SIZE[0], 3), 0, np.uint8)
    for first in range(0, frames, MOMENTS):
        number = world_seed(seed, first // MOMENTS)
        config = random_world(number)
        world = World(config, *SIZE, number)
        for t_ms in random_moments(number)[: frames - first]:
            world.render(t_ms, pixels)
            truth = world.truth()
            asked = [person for person in truth.people if should_be_found(person, pixels)]
            boxes = find(pixels).tolist() if asked or look else []
            seen = [_sighting(number, t_ms, config, person, boxes) for person in asked]
            if look is not None:
                look(pixels, truth, seen)
            yield from seen


def _sighting(
    seed: int, t_ms: int, config: WorldConfig, person: PersonTruth, boxes: list[list[float]]
) -> Sighting:
    assert person.box is not None
    best = max((iou(person.box, box) for box in boxes), default=0.0)
    words = light_word(config), weather_word(config)
    return Sighting(seed, t_ms, person.box, person.action, *words, best)


def table(found: Sequence[Sighting]) -> str:
    """Recall overall and by action, light and weather, for people."""
    lines = [_row("all", found)]
    for name in ("action", "light", "weather"):
        groups: dict[str, list[Sighting]] = defaultdict(list)
        for sighting in found:
            groups[getattr(sighting, name)].append(sighting)
        lines.append(f"by {name}")
        lines += [_row("  " + word, groups[word]) for word in sorted(groups)]
    return "\n".join(lines)


def _row(name: str, group: Sequence[Sighting]) -> str:
    share = recall(group)
    return f"{name:16} {share:6.3f}  {sum(s.found for s in group):5} of {len(group):5}"


def recall(found: Sequence[Sighting]) -> float:
    """Share of people found; 0 of nobody."""
    return sum(sighting.found for sighting in found) / max(1, len(found))


def detector(folder: Path) -> Find:
    """The detector of a package, at SCORE, for pictures of SIZE."""
    from drivers.board import NpuConfig
    from drivers.npu.tflite import TfliteNpu
    from models.detector import Detector
    from models.package import load_package
    from models.signature import open_session
    from models.tables import Detections

    npu = TfliteNpu(NpuConfig(driver="tflite"))
    package = load_package(folder, npu.target)
    found = Detections(64)
    finder = Detector(package, open_session(package, npu), *SIZE, found.capacity, SCORE)

    def find(pixels: U8) -> Boxes:
        finder(pixels, found)
        is_person = found.classes[: found.count] == 0
        return found.boxes[: found.count][is_person]

    return find


def main(argv: list[str] | None = None) -> int:
    """Print the recall of a package on random worlds."""
    parser = argparse.ArgumentParser("python -m sim.dataset.recall", description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of a detector package")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(argv)
    found = list(sightings(asked.seed, asked.frames, detector(asked.model), None))
    sys.stdout.write(table(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
