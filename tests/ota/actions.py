"""Everything that may be done to a camera, in any order, for walks that nobody has planned."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ota.refusal import Refused
from ota.updater import Updater
from tests.ota.camera import bundle, ring

LAST_RELEASE = 6
LAST_COUNTER = 3
BUNDLES = {
    one.digest: one
    for release in range(1, LAST_RELEASE + 1)
    for counter in range(LAST_COUNTER + 1)
    for one in [bundle(release, counter)]
}
GOAL = bundle(LAST_RELEASE + 3, LAST_COUNTER + 1)


class Action(NamedTuple):
    """One call; `number` chooses among what it may be about.

    Attributes:
        do: raises Refused where it may not be done now.
        is_atomic: one durable change.
    """

    do: Callable[[Updater, int], object]
    is_atomic: bool = True


def offer(camera: Updater, number: int) -> None:
    """Mostly one that fits; sometimes any."""
    state = camera.store.state
    runs = {state.slots[state.active].digest} if state.active >= 0 else set()
    fitting = [
        one for one in BUNDLES.values()
        if one.manifest.counter >= state.floor and one.digest not in runs
    ]  # fmt: skip
    some = [*BUNDLES.values()] if number % 7 == 0 else fitting
    camera.offer(some[number % len(some)].head, allow_older=number % 5 > 0)


def go_on(camera: Updater, number: int) -> None:
    """Offer again what is half there."""
    for info in camera.store.state.slots:
        if info.status == "receiving":
            camera.offer(BUNDLES[info.digest].head, allow_older=True)


def chunk(camera: Updater, number: int) -> None:
    if camera.transfer is not None:
        digest, wanted = camera.transfer.digest, camera.transfer.next
        camera.chunk(digest[:16], wanted, BUNDLES[digest].chunk(wanted))


def newer_ring(camera: Updater, number: int) -> int:
    return camera.rings([ring(camera.ring.version + 1)]) if camera.ring.version < 9 else 0


ACTIONS: dict[str, Action] = {
    "offer": Action(offer, False),
    "go on": Action(go_on, False),
    "chunk": Action(chunk),
    "abandon": Action(lambda camera, n: camera.abandon()),
    "begin trial": Action(lambda camera, n: camera.store.begin_trial()),
    "confirm": Action(lambda camera, n: camera.store.confirm()),
    "roll back": Action(lambda camera, n: camera.store.roll_back("health", str(n))),
    "go back": Action(lambda camera, n: camera.go_back()),
    "load": Action(lambda camera, n: camera.load_active()),
    "ring": Action(newer_ring),
    "site": Action(lambda camera, n: camera.store.save_site(f"site {n} " * (1 + n % 90))),
    "site starts": Action(lambda camera, n: camera.store.site_started()),
    "site stays": Action(lambda camera, n: camera.store.confirm_site()),
    "site goes": Action(lambda camera, n: camera.store.drop_site("reset", str(n))),
}

RECEIVE = ("offer", "chunk", "chunk", "chunk")
BEFORE: dict[str, tuple[str, ...]] = {
    "chunk": RECEIVE[:3],
    "abandon": RECEIVE[:2],
    "begin trial": RECEIVE,
    "confirm": (*RECEIVE, "begin trial"),
    "roll back": (*RECEIVE, "begin trial", "begin trial"),
    "go back": (*RECEIVE, "begin trial", "confirm"),
    "site starts": ("site",),
    "site stays": ("site", "site starts"),
    "site goes": ("site", "site starts", "site starts"),
}
"""What gives an action something to do."""


def attempt(action: Action, camera: Updater, number: int) -> str:
    """Do it; gives the reason where it was refused."""
    try:
        action.do(camera, number)
    except Refused as refused:
        return refused.reason
    return ""
