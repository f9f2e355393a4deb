"""A camera that jolts: everybody moves at once and by the same way, and nobody has.

A mast in the wind, a hand on the housing, a turning pan head: the boxes of all jump out of where
they are looked for. There is no picture here to register, but people are landmarks too: a shift
under which most of them stand where somebody is seen is the camera's. One or two are no majority:
what they do is theirs, and the speed gate judges it.
"""

from __future__ import annotations

from math import ceil

from runtime.track_match import Expected, Seen

LEAST_PEOPLE = 3
MAJORITY = 0.6
"""Share of the people seen in the last picture that has to move alike."""
MOST_ANCHORS = 8
"""The tallest people decide; more of them would only cost time."""
ASTRAY_HEIGHTS = 0.25
"""Somebody found this far from where they should be is not where they should be."""
LONGEST_HEIGHTS = 1.5
"""On each axis: a longer jolt shows another scene."""
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
    astray = []
    for row, who in enumerate(expected):
        if row in chosen:
            one, allowed = seen[chosen[row]], ASTRAY_HEIGHTS * who.height
            if -allowed <= one.x - who.x <= allowed and -allowed <= one.y - who.y <= allowed:
                continue
        astray.append(who)
    if len(astray) < LEAST_PEOPLE or strong < LEAST_PEOPLE:
        return None
    last_ms = min(who.waited_ms for who in expected)
    recent = sum(who.waited_ms <= last_ms for who in expected)
    lost = [who for who in astray if who.waited_ms <= last_ms]
    if len(lost) < max(LEAST_PEOPLE, MAJORITY * recent):
        return None
    lost.sort(key=lambda who: -who.height)
    return _vote(lost[:MOST_ANCHORS], seen[:strong])


def _vote(people: list[Expected], boxes: list[Seen]) -> Shift | None:
    """The shift that fits most people; of equal ones the shortest."""
    needed = max(LEAST_PEOPLE, ceil(MAJORITY * len(people)))
    ways = [_ways(person, boxes) for person in people]
    found, shortest = list[Shift](), 0.0
    for candidates in ways[: len(people) - needed + 1]:
        for x, y in candidates:
            fits = _fits(people, ways, x, y)
            way2 = x * x + y * y
            if len(fits) > len(found) or (len(fits) == len(found) and way2 < shortest):
                found, shortest = fits, way2
    if len(found) < needed:
        return None
    xs, ys = sorted(x for x, _ in found), sorted(y for _, y in found)
    return xs[len(xs) // 2], ys[len(ys) // 2]


def _ways(person: Expected, boxes: list[Seen]) -> list[Shift]:
    """To each box of their height that a jolt can have brought them to."""
    alike, most = ALIKE_HEIGHTS * person.height, LONGEST_HEIGHTS * person.height
    return [
        (box.x - person.x, box.y - person.y)
        for box in boxes
        if abs(box.height - person.height) <= alike
        and abs(box.x - person.x) <= most
        and abs(box.y - person.y) <= most
    ]


def _fits(people: list[Expected], ways: list[list[Shift]], x: float, y: float) -> list[Shift]:
    """The way of each person that is this one, more or less."""
    found = []
    for person, candidates in zip(people, ways, strict=True):
        allowed = ALIKE_HEIGHTS * person.height
        for way in candidates:
            if abs(way[0] - x) <= allowed and abs(way[1] - y) <= allowed:
                found.append(way)
                break
    return found


def shifted(who: Expected, x_px: float, y_px: float) -> Expected:
    """The same person in a picture that has moved."""
    return who._replace(
        x=who.x + x_px, y=who.y + y_px, last_x=who.last_x + x_px, last_y=who.last_y + y_px
    )
