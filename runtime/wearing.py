"""What each person wears, as the detector tells it over time.

Heads turn, and a detector misses: a helmet that was seen counts for a while, a bare head counts
against it at once, and not seeing one counts slowly, and only of somebody who is near enough,
upright, and not behind somebody else. One item belongs to one person, to whom it fits best.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import exp
from typing import NamedTuple

from models.tables import Detections
from runtime.body_parts import Body, find_body, misfits
from runtime.looks import Looks
from runtime.posture import NEVER_MS, Postures
from runtime.site_rules import Equipment
from runtime.tables import Tracks

HELMET, VEST, BARE_HEAD = "helmet", "vest", "bare_head"
MISSING, WORN = 0.35, 0.6
"""Evidence below which something is missing, and above which it is there again."""
UNKNOWN = 0.5
"""Of somebody who has just come: not missing, but so before long if never seen."""
WORN_MS, BARE_MS = 400.0, 500.0
"""In about this time a thing that is seen at every look is believed, and a bare head."""
LONGEST_STEP_MS = 500.0
"""After a gap one look is worth no more than this."""
COVERED = 0.3
"""Share of a head or torso behind somebody else, from which on it says nothing."""
EDGE_PX = 2.0
"""A box that begins so near to the picture's edge goes on outside of it."""


class Seen(NamedTuple):
    """What a detector found beside people.

    Attributes:
        table: filled each frame.
        classes: names of its classes, by index.
        looks: when everybody was looked at closely; None: the whole picture alone tells.
    """

    table: Detections
    classes: Sequence[str]
    looks: Looks | None = None


class ItemState:
    """One kind of item on everybody, by slot.

    Attributes:
        level: evidence in 0..1 that it is worn.
        seen_ms: when it was last seen on the person.
        score: of that.
        bare: the last score of a bare head, as long as nothing else was seen since.
    """

    __slots__ = ("bare", "level", "score", "seen_ms")

    def __init__(self, capacity: int) -> None:
        self.level = array("d", [UNKNOWN] * capacity)
        self.seen_ms = array("d", [NEVER_MS] * capacity)
        self.score = array("d", bytes(8 * capacity))
        self.bare = array("d", bytes(8 * capacity))

    def forget(self, slot: int) -> None:
        """The track of this slot died."""
        self.level[slot], self.seen_ms[slot] = UNKNOWN, NEVER_MS
        self.score[slot] = self.bare[slot] = 0.0


class Wearing:
    """Evidence of helmets and vests, by slot.

    Args:
        seen: of the detector.
        postures: of the tracks, or None.
        height_px: of the picture.
        capacity: number of track slots.
        least_height: share of the picture's height below which not seeing says nothing.
        memory_ms: in about this time what is not seen any more fades.

    Attributes:
        items: "helmet" and "vest".
    """

    def __init__(
        self,
        seen: Seen,
        postures: Postures | None,
        height_px: int,
        capacity: int,
        least_height: float,
        memory_ms: float,
    ) -> None:
        self._table, self._postures, self._looks = seen.table, postures, seen.looks
        self._class = {name: index for index, name in enumerate(seen.classes)}
        self._names = tuple(seen.classes)
        self._least_px, self._bottom = least_height * height_px, height_px - EDGE_PX
        self._memory_ms = memory_ms
        self._last_ms = array("d", [NEVER_MS] * capacity)
        self.items: dict[Equipment, ItemState] = {
            "helmet": ItemState(capacity),
            "vest": ItemState(capacity),
        }

    def update(self, slots: Sequence[int], tracks: Tracks, t_ms: float) -> None:
        """Take one frame in.

        Args:
            slots: of the confirmed tracks.
            tracks: only who is seen in this frame tells something.
            t_ms: source time.
        """
        for slot in tracks.died:
            self._last_ms[slot] = NEVER_MS
            for state in self.items.values():
                state.forget(slot)
        last_ms = tracks.last_ms
        bodies = [
            find_body(slot, tracks, self._postures, t_ms, self._bottom)
            for slot in slots
            if last_ms.item(slot) == t_ms
        ]
        if not bodies:
            return
        found = self._assign(bodies) if self._table.count else {}
        for body in bodies:
            self._weigh(body, bodies, found, t_ms)

    def _assign(self, bodies: list[Body]) -> dict[tuple[str, int], float]:
        """Score by class and slot of what belongs to somebody; the best fit first."""
        table = self._table
        boxes = table.boxes[: table.count].tolist()
        classes = table.classes[: table.count].tolist()
        heads = [(body.slot, *body.head) for body in bodies]
        torsos = [(body.slot, *body.torso) for body in bodies]
        fits = []
        for row, (box, index) in enumerate(zip(boxes, classes, strict=True)):
            name = self._names[index]
            for misfit, slot in misfits(box, torsos if name == VEST else heads):
                fits.append((misfit, row, name, slot))
        fits.sort()
        found: dict[tuple[str, int], float] = {}
        taken: set[int] = set()
        for _, row, name, slot in fits:
            if row not in taken and (name, slot) not in found:
                taken.add(row)
                found[name, slot] = table.scores.item(row)
        return found

    def _weigh(
        self, body: Body, bodies: list[Body], found: dict[tuple[str, int], float], t_ms: float
    ) -> None:
        slot = body.slot
        last_ms, self._last_ms[slot] = self._last_ms[slot], t_ms
        step_ms = min(t_ms - last_ms, LONGEST_STEP_MS) if last_ms > NEVER_MS else 0.0
        helmet, vest = self.items["helmet"], self.items["vest"]
        score, bare = found.get((HELMET, slot), 0.0), found.get((BARE_HEAD, slot), 0.0)
        if score >= bare > 0.0 or score > 0.0 == bare:
            _see(helmet, slot, score, step_ms, t_ms)
        elif bare > 0.0:
            helmet.bare[slot] = bare
            helmet.level[slot] *= exp(-step_ms / BARE_MS)
        elif self._shows(body, bodies, t_ms, is_head=True):
            helmet.level[slot] *= self._fading(slot, step_ms)
        score = found.get((VEST, slot), 0.0)
        if score > 0.0:
            _see(vest, slot, score, step_ms, t_ms)
        elif self._shows(body, bodies, t_ms, is_head=False):
            vest.level[slot] *= self._fading(slot, step_ms)

    def _fading(self, slot: int, step_ms: float) -> float:
        """What not seeing it leaves of the evidence: since the last look, where there are looks."""
        looks = self._looks
        if looks is not None:
            step_ms = min(looks.looked_ms[slot] - looks.before_ms[slot], LONGEST_STEP_MS)
        return exp(-step_ms / self._memory_ms)

    def _shows(self, body: Body, bodies: list[Body], t_ms: float, *, is_head: bool) -> bool:
        """It would be seen if it were there."""
        if self._looks is not None and self._looks.looked_ms[body.slot] != t_ms:
            return False
        box, place = body.box, body.head if is_head else body.torso
        if not body.certain or box[3] - box[1] < self._least_px:
            return False
        if box[1] < EDGE_PX or place.y + place.size * 0.5 > self._bottom:
            return False
        return not any(
            other.box[3] > box[3] and place.covered(other.box) > COVERED
            for other in bodies
            if other is not body
        )


def _see(state: ItemState, slot: int, score: float, step_ms: float, t_ms: float) -> None:
    state.level[slot] = 1.0 - (1.0 - state.level[slot]) * exp(-step_ms / WORN_MS)
    state.seen_ms[slot], state.score[slot], state.bare[slot] = t_ms, score, 0.0
