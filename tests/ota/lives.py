"""Lives of a camera as lists of steps, for the power cut tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ota.updater import Updater
from tests.ota.camera import Bundle, bundle, delta, install, ring

OLD_RING = {"bundle_keys": ("bundle 1", "bundle 2")}
NEW_RING = {"bundle_keys": ("bundle 2",), "revoked": ("bundle 1",)}


class Step(NamedTuple):
    """One call.

    Attributes:
        name: for people.
        do: the call.
        is_atomic: it is one durable change.
    """

    name: str
    do: Callable[[Updater], object]
    is_atomic: bool = True


class Life(NamedTuple):
    """What is done to a camera.

    Attributes:
        before: without cuts. steps: with a cut at every operation.
        goal: can be installed after any cut.
    """

    before: Callable[[Updater], object]
    steps: Callable[[], Iterator[Step]]
    goal: Bundle


def sends(new: Bundle, first: int = 0, chunks: int = 3) -> Iterator[Step]:
    """Offer a bundle and send its chunks."""
    yield Step("offer", lambda camera: camera.offer(new.head))
    for index in range(first, chunks):
        data = new.chunk(index)
        yield Step(
            f"chunk {index}", lambda camera, n=index, d=data: camera.chunk(new.digest[:16], n, d)
        )


def tries(count: int = 1) -> Iterator[Step]:
    for number in range(count):
        yield Step(f"try {number + 1}", lambda camera: camera.store.begin_trial())


CONFIRM = Step("confirm", lambda camera: camera.store.confirm())
ROLL_BACK = Step("roll back", lambda camera: camera.store.roll_back("health", "no frame"))
GO_BACK = Step("go back", lambda camera: camera.go_back())
ABANDON = Step("abandon", lambda camera: camera.abandon())


def nothing(camera: Updater) -> None:
    """A new camera."""


def one_set(camera: Updater) -> None:
    install(camera, bundle(1, counter=1))


def two_sets(camera: Updater) -> None:
    install(camera, bundle(1, counter=1))
    install(camera, bundle(2, counter=1))


def half_received(camera: Updater) -> None:
    two_sets(camera)
    session = camera.offer(bundle(3, counter=2).head)["session"]
    camera.chunk(session, 0, bundle(3, counter=2).chunk(0))
    camera.transfer = None  # the camera was reset


def first_receive() -> Iterator[Step]:
    yield from sends(bundle(1, counter=1))


def next_receive() -> Iterator[Step]:
    yield from sends(bundle(3, counter=2))


def resume() -> Iterator[Step]:
    yield from sends(bundle(3, counter=2), first=1)


def other_instead() -> Iterator[Step]:
    yield from sends(bundle(4, counter=2))


def abandoned() -> Iterator[Step]:
    yield ABANDON
    yield from sends(bundle(3, counter=2))


def trial() -> Iterator[Step]:
    yield from tries(3)
    yield CONFIRM


def rollback() -> Iterator[Step]:
    yield from tries(2)
    yield ROLL_BACK
    yield ABANDON


def go_back() -> Iterator[Step]:
    yield GO_BACK
    yield GO_BACK
    yield Step("offer", lambda camera: camera.offer(bundle(3, counter=2).head))


def older() -> Iterator[Step]:
    """By an offer of the set before: all of it is there, and the offer ends staged."""
    yield Step("offer", lambda camera: camera.offer(bundle(1, counter=1).head, True), False)
    yield from tries()
    yield CONFIRM


def key_rings() -> Iterator[Step]:
    yield Step("ring 2", lambda camera: camera.rings([ring(2, **OLD_RING)]))
    third = bundle(4, counter=1, rings=(ring(3, **NEW_RING),), signed_by=("bundle 2",))
    yield Step("offer with ring 3", lambda camera: camera.offer(third.head), False)
    yield Step("ring 4", lambda camera: camera.rings([ring(4, **NEW_RING)]))


def sites() -> Iterator[Step]:
    yield Step("site A", lambda camera: camera.store.save_site("a = 1" * 300))
    yield Step("A starts", lambda camera: camera.store.site_started())
    yield Step("A stays", lambda camera: camera.store.confirm_site())
    yield Step("site B", lambda camera: camera.store.save_site("b = 1" * 250))
    yield Step("B starts", lambda camera: camera.store.site_started())
    yield Step("B starts again", lambda camera: camera.store.site_started())
    yield Step("site C", lambda camera: camera.store.save_site("c = 1" * 200))
    yield Step("C starts", lambda camera: camera.store.site_started())
    yield Step("C goes", lambda camera: camera.store.drop_site("reset"))
    yield Step("site D", lambda camera: camera.store.save_site("d = 1" * 150))


def next_delta() -> Iterator[Step]:
    yield from sends(delta(5, 2, bundle(1, counter=1)))
    yield from tries()
    yield CONFIRM


def staged(camera: Updater) -> None:
    one_set(camera)
    new = bundle(3, counter=2)
    session = camera.offer(new.head)["session"]
    for index in range(3):
        camera.chunk(session, index, new.chunk(index))


def damaged(camera: Updater) -> None:
    """What runs has rotten on flash."""
    two_sets(camera)
    at = camera.store._layout.slots[camera.store.state.active] + 2048
    for image in (camera.store._storage.visible, camera.store._storage.durable):
        image[at] ^= 1


def repair() -> Iterator[Step]:
    yield Step("start", lambda camera: camera.load_active())
    yield from sends(bundle(2, counter=1))


NEWEST = bundle(9, counter=3)
LIVES = {
    "first receive": Life(nothing, first_receive, bundle(1, counter=1)),
    "receive": Life(two_sets, next_receive, bundle(3, counter=2)),
    "receive a delta": Life(one_set, next_delta, NEWEST),
    "resume": Life(half_received, resume, bundle(3, counter=2)),
    "other instead": Life(half_received, other_instead, bundle(4, counter=2)),
    "abandon": Life(half_received, abandoned, bundle(3, counter=2)),
    "trial and confirm": Life(staged, trial, bundle(3, counter=2)),
    "rollback": Life(staged, rollback, NEWEST),
    "go back": Life(two_sets, go_back, NEWEST),
    "older": Life(two_sets, older, NEWEST),
    "key rings": Life(one_set, key_rings, bundle(9, counter=3, signed_by=("bundle 1", "bundle 2"))),
    "damaged": Life(damaged, repair, bundle(2, counter=1)),
    "site": Life(one_set, sites, NEWEST),
}
KNOWN = [
    bundle(1, counter=1),
    bundle(2, counter=1),
    bundle(3, counter=2),
    bundle(4, counter=2),
    bundle(4, counter=1, rings=(ring(3, **NEW_RING),), signed_by=("bundle 2",)),
    delta(5, 2, bundle(1, counter=1)),
    NEWEST,
]
