"""hawkBit: takes the bundle that is assigned to this camera, and tells the server how it ends.

An action is closed with success only when the camera has confirmed the new students, and with
failure and the camera's own reason when it refused them or rolled back. The server is not trusted
with more than the order of things: what may run is decided by the bundle's signatures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from drivers.interfaces import Clock
from ota.bundle import Bundle
from ota.carriers import pace
from ota.carriers.camera import Facts, Outcome, SourceLost, is_final, outcome_of
from ota.carriers.ddi import Ddi, Deployment, Execution, Finished
from ota.carriers.http_bundle import HttpBundle
from ota.carriers.web import Web
from ota.refusal import Refused

CHECK_MS: Final = 30_000.0
"""Between two looks for a cancellation while a push or trial is under way."""
AGAIN_MS: Final = 5000.0


class _Open(NamedTuple):
    """The action that is under way, and the bundle that it brought; b"" before it is opened."""

    action: str
    digest: bytes


class _Unsent(NamedTuple):
    """An outcome that the server has not taken yet."""

    action: str
    outcome: Outcome


class HawkbitCarrier:
    """Serves one hawkBit.

    Args:
        web: with the device's token.
        ddi: the device there.
        device: the camera's name.
        clock: injected time.
        random: gives [0, 1).
        say: takes lines for people.
        spread_ms: the first poll lies anywhere in here.
    """

    name = "hawkbit"

    def __init__(
        self,
        web: Web,
        ddi: Ddi,
        device: str,
        clock: Clock,
        random: Callable[[], float],
        say: Callable[[str], None],
        spread_ms: float = pace.BOOT_SPREAD_MS,
    ) -> None:
        self._web, self._ddi, self._clock = web, ddi, clock
        self._random, self._say = random, say
        self._phase, self._spread_ms = pace.phase_of(device), spread_ms
        self._next_ms: float | None = None
        self._check_ms = 0.0
        self._failures = self._stops = 0
        self._open: _Open | None = None
        self._unsent: _Unsent | None = None
        self._told = ""

    def is_due(self, now_ms: float) -> bool:
        """It is time to poll; the first time lies anywhere in the spread after a start."""
        if self._next_ms is None:
            self._next_ms = now_ms + pace.first_wait_ms(
                self._phase, self._random(), self._spread_ms
            )
        return now_ms >= self._next_ms

    def look(self, facts: Facts, now_ms: float) -> Bundle | None:
        """Poll, do what the server wants, and open the bundle that it has assigned."""
        try:
            bundle = self._look(facts, now_ms)
        except SourceLost as lost:
            self._failures += 1
            self._next_ms = now_ms + pace.backoff_ms(self._failures, self._random())
            raise SourceLost(f"hawkbit: {lost}") from lost
        self._failures = 0
        return bundle

    def has(self, digest: bytes) -> bool:
        """Not known without asking the server: as with a stranger's, a minute is waited."""
        return False

    def is_wanted(self, now_ms: float) -> bool:
        """False once the server cancels what is being pushed."""
        if now_ms < self._check_ms or self._open is None:
            return True
        self._check_ms = now_ms + CHECK_MS
        try:
            cancel = self._ddi.poll().cancel
            return not cancel or not self._cancelled(cancel, may_stop=True)
        except SourceLost:
            return True

    def watch(self, facts: Facts, now_ms: float) -> None:
        """Tell each phase of the trial once; a cancellation comes too late now."""
        if now_ms < self._check_ms or self._open is None:
            return
        self._check_ms = now_ms + CHECK_MS
        try:
            self._proceeding(f"in the camera: {facts.phase}")
            cancel = self._ddi.poll().cancel
            if cancel:
                self._cancelled(cancel, may_stop=False)
        except SourceLost as lost:
            self._say(f"hawkbit: {lost}")

    def told(self, digest: bytes, outcome: Outcome) -> None:
        """Close the action; where the camera was only busy it stays open."""
        if self._open is None or self._open.digest != digest:
            return
        if not is_final(outcome):
            self.again(self._clock.now_ms())
            return
        self._unsent = _Unsent(self._open.action, outcome)
        self._open, self._stops = None, 0
        try:
            self._close()
        except SourceLost as lost:
            self._say(f"hawkbit: {lost}")
            self.again(self._clock.now_ms())

    def again(self, now_ms: float) -> None:
        """Soon; slower each time."""
        self._next_ms = now_ms + AGAIN_MS * 2.0 ** min(self._stops, pace.MAX_DOUBLINGS)
        self._stops += 1

    def _look(self, facts: Facts, now_ms: float) -> Bundle | None:
        self._close()
        base = self._ddi.poll()
        interval_ms = min(max(base.sleep_ms or pace.POLL_MS, pace.LEAST_POLL_MS), pace.MOST_POLL_MS)
        self._next_ms = now_ms + pace.wait_ms(self._phase, self._random(), interval_ms)
        if base.config_data:
            self._ddi.tell_attributes(base.config_data, attributes(facts))
        if base.cancel:
            self._cancelled(base.cancel, may_stop=True)
            return None
        if not base.deployment:
            self._open = None
            return None
        deployment = self._ddi.deployment(base.deployment)
        return self._take(deployment, facts)

    def _take(self, deployment: Deployment, facts: Facts) -> Bundle | None:
        if self._open is None or self._open.action != deployment.action:
            self._open, self._told = _Open(deployment.action, b""), ""
        if not deployment.may_begin:
            self._tell("scheduled", "none", "waits for its maintenance window")
            return None
        bundle = self._bundle(deployment, facts)
        if bundle is None:
            return None
        digest = bundle.head.digest
        self._open = _Open(deployment.action, digest)
        outcome = outcome_of(facts, digest)
        if outcome is not None:
            bundle.close()
            self.told(digest, outcome)
            return None
        self._say(f"hawkbit: action {deployment.action}: {bundle.manifest.version}")
        try:
            self._proceeding(f"fetches release {bundle.manifest.release}")
        except SourceLost:
            bundle.close()
            raise
        return bundle

    def _bundle(self, deployment: Deployment, facts: Facts) -> Bundle | None:
        """The first artifact that is a bundle; without one the action has failed."""
        why = Refused("argument", "the deployment holds no file that can be fetched")
        for artifact in deployment.artifacts:
            try:
                if artifact.url:
                    return HttpBundle(
                        self._web, artifact.url, facts.target, self._rest, artifact.size
                    )
            except Refused as refused:
                why = refused
        self._say(f"hawkbit: action {deployment.action}: {why}")
        self._open = _Open(deployment.action, b"")
        self.told(b"", Outcome(False, why.reason, why.detail))
        return None

    def _cancelled(self, url: str, may_stop: bool) -> bool:
        """Answer a cancellation; whether it was accepted."""
        number, stop = self._ddi.cancel(url)
        is_ours = self._open is not None and self._open.action == stop
        if is_ours and not may_stop:
            detail = "its trial is under way; the camera decides how it ends"
            self._ddi.feedback("cancelAction", number, "rejected", "none", [detail])
            return False
        self._ddi.feedback("cancelAction", number, "closed", "success", ["stopped"])
        self._say(f"hawkbit: action {stop} is cancelled")
        if is_ours:
            self._open = None
        return True

    def _proceeding(self, detail: str) -> None:
        self._tell("proceeding", "none", detail)

    def _tell(self, execution: Execution, finished: Finished, detail: str) -> None:
        """About the open action, and not the same again and again."""
        if self._open is not None and detail != self._told:
            self._ddi.feedback("deploymentBase", self._open.action, execution, finished, [detail])
            self._told = detail

    def _close(self) -> None:
        """Tell an outcome that was not told yet. Raises SourceLost."""
        if self._unsent is None:
            return
        action, outcome = self._unsent
        if outcome.is_confirmed:
            how: tuple[Finished, list[str]] = "success", ["confirmed by the camera"]
        else:
            how = "failure", [outcome.reason, outcome.detail or "see the camera's status"]
        self._ddi.feedback("deploymentBase", action, "closed", *how)
        self._unsent = None

    def _rest(self, for_ms: float) -> None:
        self._clock.sleep_until_ms(self._clock.now_ms() + for_ms)


def attributes(facts: Facts) -> dict[str, str]:
    """What a fleet's owner sorts cameras by; words only."""
    told = {
        "product": facts.product,
        "board": facts.board,
        "soc": facts.soc,
        "target": facts.target,
        "runtime": facts.runtime,
        "students.version": facts.version,
        "students.release": str(facts.release),
        "students.digest": facts.digest.hex(),
    }
    for name in ("floor", "ring"):
        if isinstance(facts.status.get(name), int):
            told[name] = str(facts.status[name])
    health = facts.status.get("health")
    if isinstance(health, dict) and isinstance(health.get("faults"), dict):
        told["faults"] = ", ".join(sorted(map(str, health["faults"])))[:128]
    return {name: value[:128] for name, value in told.items()}
