"""A camera that jolts: everybody moves at once and by the same way, and nobody has.

A mast in the wind, a hand on the housing, a turning pan head: the boxes of all jump out of where
they are looked for. There is no picture here to register, but people are landmarks too: a shift
under which most of them stand where somebody is seen is the camera's. One or two are no majority:
what they do is theirs, and the speed gate judges it.
"""

from __future__ import annotations

from runtime.track_match import Expected, Seen

LEAST_PEOPLE = 3
MAJORITY = 0.6
"""Share of the people seen in the last picture that has to move alike."""
MOST_ANCHORS = 8
"""The tallest people and boxes decide; more of them would only cost time."""
ASTRAY_HEIGHTS = 0.25
"""Somebody found this far from where they should be is not where they should be."""
LONGEST_HEIGHTS = 1.5
"""Of the tallest person: a longer jolt shows another scene."""
ALIKE_HEIGHTS = 0.15
"""How well a shift must fit each of them, in place and in height."""

Shift = tuple[float, float]


def jolt(
    expected: list[Expected], seen: list[Seen], strong: int, chosen: dict[int, int]
) -> Shift | None:
    """The shift of the picture since the last one, pixels; None where the people tell of none.

    Args:
        expected: live tracks.
        seen: detections, best score first.
        strong: so many of them are strong.
        chosen: row of a track -> row of the detection that it would get without a shift.
    """
    astray = [
        who
        for row, who in enumerate(expected)
        if row not in chosen or _is_astray(who, seen[chosen[row]])
    ]
    if len(astray) < LEAST_PEOPLE or strong < LEAST_PEOPLE:
        return None
    last_ms = min(who.waited_ms for who in expected)
    recent = sum(who.waited_ms <= last_ms for who in expected)
    lost = [who for who in astray if who.waited_ms <= last_ms]
    needed = max(LEAST_PEOPLE, MAJORITY * recent)
    if len(lost) < needed:
        return None
    lost.sort(key=lambda who: -who.height)
    return _vote(lost[:MOST_ANCHORS], seen[: min(strong, 2 * MOST_ANCHORS)], needed)


def _is_astray(who: Expected, one: Seen) -> bool:
    allowed = ASTRAY_HEIGHTS * who.height
    return abs(one.x - who.x) > allowed or abs(one.y - who.y) > allowed


def _vote(people: list[Expected], boxes: list[Seen], needed: float) -> Shift | None:
    """The shift that fits most people; of equal ones the shortest."""
    found, shortest = list[Shift](), 0.0
    most2 = (LONGEST_HEIGHTS * people[0].height) ** 2
    for person in people[: len(people) - LEAST_PEOPLE + 1]:
        for box in boxes:
            x, y = box.x - person.x, box.y - person.y
            way2 = x * x + y * y
            if way2 > most2 or not _is_alike(person, box, x, y):
                continue
            fits = _fits(people, boxes, x, y)
            if len(fits) > len(found) or (len(fits) == len(found) and way2 < shortest):
                found, shortest = fits, way2
    if len(found) < min(needed, MOST_ANCHORS):
        return None
    xs, ys = sorted(x for x, _ in found), sorted(y for _, y in found)
    return xs[len(xs) // 2], ys[len(ys) // 2]


def _fits(people: list[Expected], boxes: list[Seen], x: float, y: float) -> list[Shift]:
    """The shift that each person would have made to a box that fits this one."""
    found = []
    for person in people:
        for box in boxes:
            if _is_alike(person, box, x, y):
                found.append((box.x - person.x, box.y - person.y))
                break
    return found


def _is_alike(person: Expected, box: Seen, x: float, y: float) -> bool:
    allowed = ALIKE_HEIGHTS * person.height
    return (
        abs(box.x - person.x - x) <= allowed
        and abs(box.y - person.y - y) <= allowed
        and abs(box.height - person.height) <= allowed
    )


def shifted(who: Expected, x_px: float, y_px: float) -> Expected:
    """The same person in a picture that has moved."""
    return who._replace(
        x=who.x + x_px, y=who.y + y_px, last_x=who.last_x + x_px, last_y=who.last_y + y_px
    )
