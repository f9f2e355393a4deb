"""Five kinds of site, put up at random, so that nothing stands in anything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from sim.dataset.plan import Footprint, Plan, pixels
from sim.world.config import (
    GroundKind,
    MachineConfig,
    MachineKind,
    Point,
    Size,
    StructureConfig,
    StructureKind,
)

ASPECT = 16 / 9
LEAN = 0.25
"""A ladder's foot stands off by a quarter of its height, as the rule on sites is."""
TRIES = 30
"""Places that are tried for one thing before it is left out."""
BIG: dict[StructureKind, tuple[Size, Size]] = {
    "building": ((10.0, 6.0, 5.0), (24.0, 9.0, 12.0)),
    "wall": ((3.0, 0.25, 1.4), (8.0, 0.35, 2.6)),
    "pillar": ((0.4, 0.4, 3.0), (0.8, 0.8, 4.5)),
    "scaffold": ((5.0, 1.2, 4.0), (14.0, 1.4, 8.0)),
    "ladder": ((0.45, 1.0, 3.0), (0.55, 1.4, 4.5)),
    "container": ((6.06, 2.44, 2.59), (6.06, 2.44, 2.59)),
    "fence": ((3.5, 0.1, 2.0), (10.5, 0.1, 2.0)),
    "barrier": ((1.2, 0.5, 1.0), (2.4, 0.6, 1.1)),
    "cone": ((0.36, 0.36, 0.7), (0.4, 0.4, 0.8)),
    "barrel": ((0.58, 0.58, 0.88), (0.62, 0.62, 0.92)),
    "pallets": ((1.2, 0.8, 0.3), (1.2, 1.0, 1.3)),
    "pipes": ((3.0, 1.0, 0.5), (6.0, 1.6, 1.0)),
    "crate": ((0.8, 0.8, 0.6), (1.4, 1.2, 1.1)),
    "bench": ((1.4, 0.4, 0.45), (2.0, 0.45, 0.45)),
    "sand_heap": ((2.5, 2.5, 0.9), (5.0, 4.5, 2.0)),
    "rebar": ((3.0, 0.8, 0.3), (6.0, 1.2, 0.6)),
    "site_hut": ((4.5, 2.4, 2.6), (6.0, 2.5, 2.8)),
}
"""Width, depth and height from .. to, metres; containers have the size of their trade."""
MACHINE_ROOM: dict[MachineKind, tuple[float, float, float]] = {
    "excavator": (7.0, 7.0, 3.0),
    "forklift": (1.6, 3.6, 2.2),
    "truck": (2.8, 7.5, 3.2),
}
"""Ground that a machine takes when it stands, an excavator with room to turn, and its height."""


@dataclass
class Site:
    """A site that is being put up.

    Attributes:
        plan: what is taken.
        structures, machines: what stands there.
        seats: places to sit on, with the way one looks.
        ladders: places to climb from, with the way one looks and how high it goes.
    """

    plan: Plan
    ground: tuple[GroundKind, ...] = ("concrete",)
    structures: list[StructureConfig] = field(default_factory=list)
    machines: list[MachineConfig] = field(default_factory=list)
    seats: list[tuple[Point, float]] = field(default_factory=list)
    ladders: list[tuple[Point, float, float]] = field(default_factory=list)

    def put(
        self,
        kind: StructureKind,
        at_m: Point,
        heading_deg: float,
        size_m: Size,
        gap_m: float = 0.25,
        colour: str = "",
    ) -> Footprint | None:
        """Let something stand there; None when there is no room."""
        new = Footprint(at_m, heading_deg, size_m[0], size_m[1], size_m[2])
        if not self.plan.is_free(new, gap_m):
            return None
        self.plan.taken.append(new)
        self.structures.append(
            StructureConfig(
                kind=kind, at_m=at_m, heading_deg=heading_deg, size_m=size_m, colour=colour
            )
        )
        return new

    def park(self, rng: Random, kind: MachineKind, at_m: Point, heading_deg: float) -> bool:
        """Let a machine stand there; False when there is no room."""
        width_m, depth_m, height_m = MACHINE_ROOM[kind]
        new = Footprint(at_m, heading_deg, width_m, depth_m, height_m)
        if not self.plan.is_free(new, 0.4):
            return False
        self.plan.taken.append(new)
        swing = rng.choice((0.0, 30.0, 60.0, 90.0)) if kind == "excavator" else 0.0
        name = f"{kind}_{len(self.machines) + 1}"
        swing_ms = rng.randrange(6000, 14000)
        machine = MachineConfig(
            name=name,
            kind=kind,
            at_m=at_m,
            heading_deg=heading_deg,
            swing_deg=swing,
            swing_ms=swing_ms,
        )
        self.machines.append(machine)
        return True


def size_of(rng: Random, kind: StructureKind) -> Size:
    """A size that things of this kind have."""
    low, high = BIG[kind]
    width, depth, height = (round(rng.uniform(a, b), 2) for a, b in zip(low, high, strict=True))
    return width, depth, height


def spot(
    rng: Random,
    plan: Plan,
    near_m: float,
    far_m: float,
    margin: float = 0.05,
    shares: tuple[float, float] = (0.0, 1.0),
) -> Point | None:
    """A place on the ground that the camera sees, at a distance from .. to.

    Args:
        rng: of the seed.
        plan: its camera is asked.
        near_m, far_m: from the point under the camera.
        margin: share of the picture's width and height that is kept free at its edges.
        shares: from .. to, of the picture's width.
    """
    camera = plan.camera
    for _ in range(TRIES):
        far = rng.uniform(near_m, far_m)
        side = rng.uniform(-0.75, 0.75) * far
        point = round(camera.at_m[0] + side, 2), round(camera.at_m[1] + far, 2)
        where = pixels(camera, point, 0.0, ASPECT)
        if where is None:
            continue
        left, right = max(shares[0], margin), min(shares[1], 1 - margin)
        if left <= where[0] <= right and margin <= where[1] <= 1 - margin:
            return point
    return None


def scatter(
    rng: Random,
    site: Site,
    kinds: tuple[StructureKind, ...],
    count: int,
    near_m: float = 6.0,
    far_m: float = 24.0,
) -> None:
    """Put some things of these kinds where there is room."""
    for _ in range(count):
        kind = rng.choice(kinds)
        size = size_of(rng, kind)
        for _ in range(TRIES):
            at = spot(rng, site.plan, near_m, far_m, margin=0.0)
            heading = rng.choice((0.0, 90.0)) + rng.gauss(0, 6) + rng.choice((0.0, 0.0, 45.0))
            if at is None:
                continue
            print_ = site.put(kind, at, round(heading % 360, 1), size, 0.3)
            if print_ is not None:
                _may_sit(rng, site, kind, print_, size)
                break


def _may_sit(rng: Random, site: Site, kind: StructureKind, print_: Footprint, size: Size) -> None:
    """A bench is a seat: its front edge, looking away from it."""
    if kind == "bench":
        along = rng.uniform(-0.3, 0.3) * size[0]
        site.seats.append((_rounded(print_.outer(along, 0.0)), print_.heading_deg + 180.0))


def _rounded(point: Point) -> Point:
    return round(point[0], 2), round(point[1], 2)


def yard(rng: Random, site: Site) -> None:
    """An open yard with containers and huts at its rim."""
    site.ground = ("concrete", "gravel", "asphalt", "dirt")
    far = rng.uniform(16, 24)
    for x in (-12.5, -5.5, 1.5, 8.5):
        kind: StructureKind = rng.choice(("container", "container", "site_hut", "fence"))
        if rng.random() < 0.75:
            site.put(
                kind, (x + rng.uniform(0, 3), far + rng.uniform(-1, 1)), 0.0, size_of(rng, kind)
            )
    if rng.random() < 0.5:
        side = rng.choice((-1, 1))
        site.put(
            "container", (side * rng.uniform(6, 9), far * 0.6), 90.0, size_of(rng, "container")
        )
    scatter(rng, site, ("pallets", "crate", "barrel", "cone", "bench", "pipes"), rng.randint(4, 9))
    _machines(rng, site, ("forklift", "truck", "excavator"), rng.choice((0, 0, 1, 1, 2)))


def scaffold_front(rng: Random, site: Site) -> None:
    """A building with a scaffold before it, ladders and what is built from."""
    site.ground = ("dirt", "concrete", "gravel")
    far, turn = rng.uniform(13, 20), rng.uniform(-14, 14)
    width, depth, height = size_of(rng, "building")
    house = site.put(
        "building", (rng.uniform(-4, 4), far + depth / 2), turn, (width, depth, height)
    )
    if house is None:
        return
    long = round(min(width - 1.0, rng.uniform(6, 14)), 2)
    along = rng.uniform(-1, 1) * (width - long) / 2
    deep = 1.3
    at = _rounded(house.outer(along, -depth / 2 - deep / 2 - 0.25))
    high = round(min(height, rng.uniform(4, 8)), 2)
    front = site.put("scaffold", at, round(turn, 1), (long, deep, high), 0.1)
    if front is not None:
        for _ in range(rng.randint(1, 2)):
            lean_ladder(rng, site, front)
    scatter(
        rng, site, ("pallets", "rebar", "crate", "pipes", "cone", "sand_heap"), rng.randint(3, 7)
    )
    _machines(rng, site, ("forklift", "truck"), rng.choice((0, 0, 1)))


def storage(rng: Random, site: Site) -> None:
    """Rows of material with lanes between them."""
    site.ground = ("concrete", "asphalt", "gravel")
    kinds: tuple[StructureKind, ...] = ("pallets", "pipes", "rebar", "crate", "container", "barrel")
    for row in range(rng.randint(2, 3)):
        far = 8.0 + 5.0 * row + rng.uniform(-0.5, 0.5)
        x = -0.55 * far
        kind = rng.choice(kinds)
        while x < 0.55 * far:
            if rng.random() < 0.3:
                kind = rng.choice(kinds)
            size = size_of(rng, kind)
            if rng.random() < 0.75:
                at = round(x + size[0] / 2, 2), round(far + rng.uniform(-0.2, 0.2), 2)
                row_end = site.put(kind, at, round(rng.gauss(0, 3), 1), size, 0.1)
                if row_end is not None and kind == "container" and rng.random() < 0.5:
                    lean_ladder(rng, site, row_end)
            x += size[0] + rng.choice((0.3, 0.4, 2.0))
    site.put("wall", (rng.uniform(-5, 5), 24.0), 0.0, (rng.uniform(8, 18), 0.3, 2.4))
    scatter(rng, site, ("cone", "barrel", "bench"), rng.randint(1, 4))
    _machines(rng, site, ("forklift", "forklift", "truck"), rng.choice((0, 1, 1, 2)))


def excavation(rng: Random, site: Site) -> None:
    """Earthworks: heaps, an excavator, barriers around."""
    site.ground = ("dirt", "dirt", "gravel")
    _machines(rng, site, ("excavator",), 1)
    if rng.random() < 0.4:
        _machines(rng, site, ("truck",), 1)
    scatter(rng, site, ("sand_heap",), rng.randint(1, 3), 9.0, 24.0)
    far = rng.uniform(7, 11)
    x = rng.uniform(-6, -2)
    for _ in range(rng.randint(2, 5)):
        site.put(
            "barrier", (round(x, 2), round(far + rng.uniform(-0.2, 0.2), 2)), 0.0, (2.0, 0.55, 1.0)
        )
        x += 2.3
    scatter(rng, site, ("cone", "pipes", "rebar", "barrel", "bench", "crate"), rng.randint(3, 6))


def street_side(rng: Random, site: Site) -> None:
    """A lane along a building, kept off by barriers and cones."""
    site.ground = ("asphalt", "concrete")
    side = rng.choice((-1, 1))
    depth = rng.uniform(7, 10)
    site.put(
        "building", (side * rng.uniform(11, 14), 18.0), 90.0, (20.0, depth, rng.uniform(5, 11))
    )
    if rng.random() < 0.6:
        site.put("fence", (-side * rng.uniform(7, 9), 16.0), 90.0, (14.0, 0.1, 2.0))
    kind: StructureKind = rng.choice(("barrier", "cone"))
    x, step = side * rng.uniform(1.0, 3.0), 2.4 if kind == "barrier" else 2.0
    for n in range(rng.randint(3, 7)):
        size = (2.0, 0.55, 1.0) if kind == "barrier" else size_of(rng, "cone")
        site.put(kind, (round(x, 2), round(7.0 + step * n, 2)), 90.0, size)
    _machines(rng, site, ("truck", "excavator", "forklift"), rng.choice((0, 1, 1)))
    scatter(
        rng, site, ("pipes", "pallets", "sand_heap", "cone", "bench", "pillar"), rng.randint(2, 5)
    )


def lean_ladder(rng: Random, site: Site, front: Footprint) -> None:
    """A ladder against the side of something high that looks to the camera."""
    high = round(min(front.height_m, 5.0), 2)
    size = (0.5, round(LEAN * high, 2), high)
    along = rng.uniform(-0.42, 0.42) * front.width_m
    at = _rounded(front.outer(along, -front.depth_m / 2 - size[1] / 2 - 0.05))
    print_ = Footprint(at, front.heading_deg, size[0], size[1], size[2])
    if site.put("ladder", at, round(front.heading_deg, 1), size, 0.02) is not None:
        foot = _rounded(print_.outer(0.0, -size[1] / 2))
        site.ladders.append((foot, front.heading_deg, size[2]))


def _machines(rng: Random, site: Site, kinds: tuple[MachineKind, ...], count: int) -> None:
    """Park some machines where there is room."""
    for _ in range(count):
        kind = rng.choice(kinds)
        for _ in range(TRIES):
            at = spot(rng, site.plan, 10.0, 22.0, margin=0.02)
            if at and site.park(rng, kind, at, round(rng.uniform(0, 360), 1)):
                break


LAYOUTS: tuple[Callable[[Random, Site], None], ...] = (
    yard, scaffold_front, storage, excavation, street_side,
)  # fmt: skip
"""All of them; each fills a Site."""
