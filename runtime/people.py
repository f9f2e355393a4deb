"""Which detections are people: a detector may know helmets and vests beside them."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.faults import ModelRefused
from models.tables import Detections

PERSON = "person"


class People:
    """Parts what a detector found into people and the rest.

    Args:
        classes: of the detector, by index.
        folder: of its package, for the refusal.
        capacity: most people per frame; twice as many detections are kept of all classes.

    Attributes:
        found: what the detector has to fill.

    Raises:
        ModelRefused: the detector knows no people.
    """

    def __init__(self, classes: Sequence[str], folder: str, capacity: int) -> None:
        if PERSON not in classes:
            have = ", ".join(classes)
            raise ModelRefused(folder, f'classes = [{have}]; one must be "{PERSON}"')
        self._person = list(classes).index(PERSON)
        self.found = Detections(2 * capacity)

    def part(self, people: Detections, rest: Detections) -> None:
        """Copy what was found to two tables, each best score first.

        Args:
            people: filled with the people.
            rest: filled with everything else.
        """
        found = self.found
        people.count = rest.count = 0
        people.dropped, rest.dropped = found.dropped, 0
        for row, index in enumerate(found.classes[: found.count].tolist()):
            table = people if index == self._person else rest
            to = table.count
            if to == table.capacity:
                table.dropped += 1
                continue
            table.boxes[to] = found.boxes[row]
            table.scores[to] = found.scores[row]
            table.classes[to] = index
            table.count = to + 1
