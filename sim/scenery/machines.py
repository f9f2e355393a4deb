"""What moves and does not see people: driven along a path, with parts that turn."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.scenery import excavator, forklift, truck
from sim.scenery.moving import Block, Motion, Turn, about
from sim.scenery.parts import grimy
from sim.world.config import MachineConfig, MachineKind
from sim.world.mesh import Mesh, joined
from sim.world.truth import Metres2

F64 = npt.NDArray[np.float64]

TURN_MS = 1800.0
"""How long a machine takes to turn towards its next place."""


@dataclass(frozen=True)
class Model:
    """One kind of machine.

    Attributes:
        build: (colour, rng) to its blocks, at rest, looking along +y.
        turns: what its blocks do: name to a turn in the frame of the block that carries it.
        footprint_m: width and length of what stands on the ground.
        centre_m: how far the middle of that is ahead of the machine's own place.
        height_m: how high it is at rest.
        colours: what it is painted when nobody asks.
    """

    build: Callable[[str, np.random.Generator], list[Block]]
    turns: Callable[[Motion], dict[str, Turn]]
    footprint_m: tuple[float, float]
    centre_m: float
    height_m: float
    colours: tuple[str, ...]


MODELS: dict[MachineKind, Model] = {
    "excavator": Model(
        excavator.build, excavator.turns, (2.6, 3.9), 0.0, 4.0, ("#d49a12", "#cf6a1a", "#c9a227")
    ),
    "forklift": Model(
        forklift.build, forklift.turns, (1.2, 3.5), 0.45, 2.3, ("#d08a14", "#b5432a", "#c7a11f")
    ),
    "truck": Model(
        truck.build, truck.turns, (2.5, 7.2), 0.0, 3.1, ("#c8c5bc", "#b2492c", "#2f5d8a", "#c99a1e")
    ),
}
"""Every kind of machine."""


class Machine:
    """One machine of the configuration.

    Attributes:
        name, kind: from the configuration.
        mesh: its triangles where it is now; the arrays stay the same objects.
        at_m: (x, y) of its middle on the ground.
        heading_deg: where it looks.
        footprint_m: the four corners of what stands on the ground, anticlockwise.
    """

    def __init__(self, config: MachineConfig, seed: int) -> None:
        rng = np.random.default_rng((seed, 0xACE))
        self.name, self.kind = config.name, config.kind
        self._config = config
        self._model = MODELS[config.kind]
        self._path = Path(config)
        self._blocks = self._model.build(config.colour or str(rng.choice(self._model.colours)), rng)
        self.mesh: Mesh = grimy(joined([block.mesh for block in self._blocks]), rng, 0.4)
        self._rest = self.mesh.vertices.copy()
        self._normals = self.mesh.normals.copy()
        ends = np.cumsum([len(block.mesh.vertices) for block in self._blocks]).tolist()
        self._spans = list(zip([0, *ends[:-1]], ends, strict=True))
        self.at_m: Metres2 = config.at_m
        self.heading_deg = config.heading_deg
        self.footprint_m: tuple[Metres2, ...] = ()
        self.pose(0.0)

    def pose(self, t_ms: float) -> None:
        """Puts it where it is at this time; the same time gives the same pose."""
        x, y, heading, driven = self._path.at(t_ms)
        swing = 2 * math.pi * t_ms / self._config.swing_ms
        motion = Motion(driven, swing, self._config.swing_deg)
        self.at_m, self.heading_deg = (x, y), heading
        whole = about("z", -heading).then(np.array([x, y, 0.0]))
        placed: dict[str, Turn] = {}
        turns = self._model.turns(motion)
        for block, (start, end) in zip(self._blocks, self._spans, strict=True):
            carrier = placed.get(block.carrier, whole)
            place = carrier.of(turns[block.name]) if block.name in turns else carrier
            placed[block.name] = place
            turn = place.rotation.T.astype(np.float32)
            np.matmul(self._rest[start:end], turn, out=self.mesh.vertices[start:end])
            self.mesh.vertices[start:end] += place.offset.astype(np.float32)
            np.matmul(self._normals[start:end], turn, out=self.mesh.normals[start:end])
        self.footprint_m = self._corners(whole)

    def _corners(self, whole: Turn) -> tuple[Metres2, ...]:
        wide, long = self._model.footprint_m
        middle = self._model.centre_m
        corners = np.array([(sx * wide / 2, middle + sy * long / 2, 0.0)
                            for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))])  # fmt: skip
        there = corners @ whole.rotation.T + whole.offset
        return tuple((float(p[0]), float(p[1])) for p in there)


class Path:
    """Where a machine is at any time: straight between its places, turning softly at each."""

    def __init__(self, config: MachineConfig) -> None:
        path = sorted(config.path, key=lambda point: point.at_ms)
        self._times = np.array([0.0, *(max(point.at_ms, 1) for point in path)])
        self._places = np.array([config.at_m, *(point.to_m for point in path)], np.float64)
        steps = np.diff(self._places, axis=0)
        lengths = np.linalg.norm(steps, axis=1) if len(steps) else np.zeros(0)
        self._driven = np.r_[0.0, np.cumsum(lengths)]
        self._headings = [(0.0, 0.0, config.heading_deg)]
        for k, (step, length) in enumerate(zip(steps, lengths, strict=True)):
            if length > 0.01:
                self._turn_to(float(self._times[k]), math.degrees(math.atan2(step[0], step[1])))

    def _turn_to(self, start_ms: float, heading_deg: float) -> None:
        """Begins half of the turn before a corner, but not before the scenario."""
        before = self._headings[-1][2]
        change = (heading_deg - before + 180.0) % 360.0 - 180.0
        begin = max(start_ms - TURN_MS / 2, 0.0)
        self._headings.append((begin, begin + TURN_MS, before + change))

    def at(self, t_ms: float) -> tuple[float, float, float, float]:
        """x and y in metres, heading in degrees, and how far it has driven in metres."""
        x = float(np.interp(t_ms, self._times, self._places[:, 0]))
        y = float(np.interp(t_ms, self._times, self._places[:, 1]))
        driven = float(np.interp(t_ms, self._times, self._driven))
        heading = self._headings[0][2]
        for (begin, end, to), (_, _, before) in zip(
            self._headings[1:], self._headings[:-1], strict=True
        ):
            share = min(max((t_ms - begin) / (end - begin), 0.0), 1.0)
            heading += (to - before) * share * share * (3 - 2 * share)
        return x, y, heading, driven
