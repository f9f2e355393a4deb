"""One update at a time: the carriers look, the first that finds something pushes it to the camera.

The order of the carriers is their rank: a stick that is plugged in while a download runs means a
person in front of the camera, and wins. The connection to the camera is open only while there is
something to say, so that a technician on the same camera finds it free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from drivers.faults import LinkFault
from drivers.interfaces import Clock
from ota.bundle import Bundle
from ota.carriers.camera import (
    ON_TRIAL,
    Camera,
    Carrier,
    Facts,
    Interrupted,
    Outcome,
    SourceLost,
    facts_of,
    outcome_of,
)
from ota.link.lost import LinkLost
from ota.link.progress import Progress
from ota.refusal import Refused

IDLE_MS: Final = 1000.0
WATCH_MS: Final = 5000.0
"""Between two looks at a trial."""
LOST_MS: Final = 10_000.0
"""Before a camera that did not answer is tried again."""
SILENT_MS: Final = 60_000.0
"""A transfer of somebody else's, a technician's perhaps, that stands still for so long is over."""
TELL_STEPS: Final = 10
"""Lines about one push."""


class Carry:
    """Carries bundles to one camera.

    Args:
        connect: opens the link; raises LinkFault or LinkLost.
        carriers: the more important first.
        clock: injected time.
        say: takes lines for people.
    """

    def __init__(
        self,
        connect: Callable[[], Camera],
        carriers: Sequence[Carrier],
        clock: Clock,
        say: Callable[[str], None],
    ) -> None:
        self._connect, self._carriers, self._clock, self._say = connect, carriers, clock, say
        self._watched: tuple[Carrier, bytes] | None = None
        self._told_steps = 0
        self._is_lost = False
        self._ours = b""
        self._foreign: tuple[bytes, int] | None = None
        self._foreign_ms = 0.0

    @property
    def is_watching(self) -> bool:
        """A bundle that it brought has no outcome yet."""
        return self._watched is not None

    def step(self) -> float:
        """Do one round. Returns how long to wait before the next, ms."""
        now_ms = self._clock.now_ms()
        due = [carrier for carrier in self._carriers if carrier.is_due(now_ms)]
        if not due and self._watched is None:
            return IDLE_MS
        try:
            camera = self._connect()
        except (LinkFault, LinkLost) as lost:
            return self._lost(str(lost))
        try:
            return self._round(camera, due)
        except (LinkFault, LinkLost) as lost:
            return self._lost(str(lost))
        except Refused as refused:  # of hello and status: nothing is known about a bundle
            return self._lost(str(refused))
        finally:
            camera.close()

    def _round(self, camera: Camera, due: Sequence[Carrier]) -> float:
        facts = facts_of(camera.hello(), camera.ask("status"))
        self._is_lost = False
        self._watch(facts)
        if facts.phase in ON_TRIAL or self._is_taken(facts, due):
            return WATCH_MS
        for carrier in due:
            try:
                bundle = carrier.look(facts, self._clock.now_ms())
            except SourceLost as lost:
                self._say(str(lost))
                continue
            if bundle is not None:
                try:
                    return self._push(camera, carrier, bundle)
                finally:
                    bundle.close()
        return WATCH_MS if self._watched else IDLE_MS

    def _push(self, camera: Camera, carrier: Carrier, bundle: Bundle) -> float:
        digest = self._ours = bundle.head.digest
        self._told_steps = 0
        try:
            camera.push(bundle, progress=lambda progress: self._progress(carrier, progress))
        except Refused as refused:
            self._say(f"{carrier.name}: the camera refuses it: {refused}")
            carrier.told(digest, Outcome(False, refused.reason, refused.detail))
            return LOST_MS if refused.reason == "busy" else IDLE_MS
        except (Interrupted, SourceLost, OSError) as lost:
            self._say(f"{carrier.name}: {lost}; what is there stays")
            carrier.again(self._clock.now_ms())
            return IDLE_MS
        except (LinkFault, LinkLost):
            carrier.again(self._clock.now_ms())
            raise
        self._say(f"{carrier.name}: all of it is in the camera; its trial begins by itself")
        self._watched = carrier, digest
        return WATCH_MS

    def _is_taken(self, facts: Facts, due: Sequence[Carrier]) -> bool:
        """Somebody else sends the camera something right now: a newer release would end that."""
        coming = facts.coming
        if (
            facts.phase != "receiving"
            or coming == self._ours
            or any(each.has(coming) for each in due)
        ):
            self._foreign = None
            return False
        now_ms = self._clock.now_ms()
        if self._foreign != (facts.coming, facts.done):
            self._foreign, self._foreign_ms = (facts.coming, facts.done), now_ms
        return now_ms - self._foreign_ms < SILENT_MS

    def _progress(self, carrier: Carrier, progress: Progress) -> None:
        step = TELL_STEPS * progress.done // max(progress.total, 1)
        if step > self._told_steps:
            self._told_steps = step
            self._say(f"{carrier.name}: {100 * progress.done // progress.total} %")
        now_ms = self._clock.now_ms()
        for other in self._carriers:
            if other is carrier:
                break
            if other.is_due(now_ms):
                raise Interrupted(f"gives way to the {other.name}")
        if not carrier.is_wanted(now_ms):
            raise Interrupted("it is not wanted any more")

    def _watch(self, facts: Facts) -> None:
        if self._watched is None:
            return
        carrier, digest = self._watched
        outcome = outcome_of(facts, digest)
        if outcome is None and facts.phase in ON_TRIAL:
            carrier.watch(facts, self._clock.now_ms())
            return
        self._watched = None
        if outcome is None:
            self._say(f"{carrier.name}: the camera knows nothing of it any more")
            return
        how = "confirmed" if outcome.is_confirmed else f"{outcome.reason}: {outcome.detail}"
        self._say(f"{carrier.name}: {how}")
        carrier.told(digest, outcome)

    def _lost(self, why: str) -> float:
        if not self._is_lost:
            self._say(f"camera: {why}")
        self._is_lost = True
        return LOST_MS
