"""Every class of what a power cut may leave on flash, so that tests can try them all.

`take` is called at the moment of the cut (from `Flash.before`), `outcomes` says what may be left:
of the units that were written and not synced, any subset may have arrived, and each may be torn:
its beginning new, the rest old, erased or garbage. Subsets are tried by classes: all, none, each
one alone, all but one, every other one, and random ones.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from sim.board.flash import Flash

Patch = tuple[tuple[int, bytes], ...]
"""Units that differ from what was durable: (number, bytes), in order."""

TAILS: Final = ("old", "erased", "garbage")


class Cut(NamedTuple):
    """The moment of a power cut.

    Attributes:
        operation: number of the write or sync that was cut.
        durable: what was surely on flash.
        unit_bytes: what cannot be harmed apart.
        new: unit -> what was on its way, of all that was not synced.
        syncs: how many had been finished: cuts with the same number have the same `durable`.
    """

    operation: int
    durable: bytes
    unit_bytes: int
    new: dict[int, bytes]
    syncs: int

    def old(self, unit: int) -> bytes:
        """What was durable in a unit."""
        return self.durable[unit * self.unit_bytes : (unit + 1) * self.unit_bytes]

    def image(self, patch: Patch) -> bytearray:
        """The whole flash after the cut."""
        image = bytearray(self.durable)
        for unit, data in patch:
            image[unit * self.unit_bytes : (unit + 1) * self.unit_bytes] = data
        return image


def take(flash: Flash, cut_units: set[int], syncs: int = 0) -> Cut:
    """The present moment, as a cut: for use in `Flash.before`."""
    size = flash.unit_bytes
    units = sorted(flash.dirty | cut_units)
    new = {unit: bytes(flash.visible[unit * size : (unit + 1) * size]) for unit in units}
    return Cut(flash.operations, bytes(flash.durable), size, new, syncs)


def outcomes(
    cut: Cut, seeds: int = 4, tails: Sequence[str] = TAILS, points: Sequence[float] | None = None
) -> Iterator[Patch]:
    """What may be left; the same outcome may come more than once.

    Args:
        cut: the moment.
        seeds: how many random subsets.
        tails: what may stand behind the beginning of a torn unit.
        points: how much of a torn unit is new, as shares of it; None: just the header of a record,
            and more.
    """
    for kept in _subsets(list(cut.new), seeds):
        yield _patch(cut, {unit: cut.new[unit] for unit in kept})
    chance = random.Random(cut.operation)
    shares = points if points is not None else (0.0, 0.03, 0.2, 0.5, 0.98, chance.random())
    for unit in cut.new:
        others = {other: data for other, data in cut.new.items() if other != unit}
        for share in shares:
            for tail in tails:
                torn = _torn(cut, unit, int(share * cut.unit_bytes), tail, chance)
                yield _patch(cut, {unit: torn})
                if others:
                    yield _patch(cut, {**others, unit: torn})


def prefixes(cut: Cut) -> Iterator[Patch]:
    """A weak model, for comparison: units arrive whole and in order, over what was there."""
    units = list(cut.new)
    for count in range(len(units) + 1):
        yield _patch(cut, {unit: cut.new[unit] for unit in units[:count]})


def _subsets(units: list[int], seeds: int) -> Iterator[list[int]]:
    yield []
    yield units
    for unit in units:
        yield [unit]
        yield [other for other in units if other != unit]
    yield units[::2]
    yield units[1::2]
    for seed in range(seeds):
        chance = random.Random(seed)
        yield [unit for unit in units if chance.random() < 0.5]


def _patch(cut: Cut, units: dict[int, bytes]) -> Patch:
    return tuple((unit, units[unit]) for unit in sorted(units) if units[unit] != cut.old(unit))


def _torn(cut: Cut, unit: int, at: int, tail: str, chance: random.Random) -> bytes:
    rest = {
        "old": cut.old(unit),
        "erased": b"\xff" * cut.unit_bytes,
        "garbage": chance.randbytes(cut.unit_bytes) if tail == "garbage" else b"",
    }[tail]
    return cut.new[unit][:at] + rest[at:]
