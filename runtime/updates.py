"""Updates of a running camera: the stage that serves the worker, and what the worker does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from drivers.faults import LinkFault
from drivers.interfaces import Clock, Serial, Worker
from ota.link.server import LinkServer
from ota.refusal import Refused
from ota.store import Store
from runtime.context import Context
from runtime.desk import Desk
from runtime.health import Health
from runtime.loop import Stage, always
from runtime.trial import Trial

REOPEN_MS: Final = 2000.0
"""Pause before a link that has failed is opened again."""
SITE_PROVES_MS: Final = 30_000.0
"""A site file that was pushed stays once the camera has been healthy with it for this long."""
RESTART_MS: Final = 1000.0
"""From a new site file to the restart: the answer gets out."""


class NoPort:
    """Stands in for a port that is not open. Implements `drivers.interfaces.Serial`."""

    def read(self, max_bytes: int) -> bytes:
        """Nothing comes."""
        return b""

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Nothing goes."""
        return 0

    def close(self) -> None:
        """Nothing to close."""


class Link:
    """One place where the camera listens, opened again where it fails.

    Args:
        address: for the records.
        open_port: opens it; raises LinkFault.
        serve: makes the server of an open port.
        desk: takes what is to be written down.
    """

    def __init__(
        self,
        address: str,
        open_port: Callable[[], Serial],
        serve: Callable[[Serial], LinkServer],
        desk: Desk,
    ) -> None:
        self._address, self._open, self._desk = address, open_port, desk
        self._server = serve(NoPort())  # its buffers are there before the memory is sealed
        self._is_open = False
        self._try_ms = 0.0
        self._told = ""

    def poll(self, now_ms: float) -> bool:
        """Work on what has come; True where there was something."""
        try:
            if not self._is_open:
                return self._reopen(now_ms)
            return self._server.poll(now_ms)
        except LinkFault as fault:
            self._lose(fault, now_ms)
            return False

    def _reopen(self, now_ms: float) -> bool:
        if now_ms < self._try_ms:
            return False
        self._server.replace(self._open())
        self._is_open, self._told = True, ""
        return True

    def _lose(self, fault: LinkFault, now_ms: float) -> None:
        """Written down once; a serial adapter may be away for days."""
        self._is_open = False
        self._try_ms = now_ms + REOPEN_MS
        self._server.close()
        if self._told != fault.reason:
            self._told = fault.reason
            why = {"link": self._address, "reason": fault.reason, "detail": fault.detail}
            self._desk.note("link_lost", why)

    def close(self) -> None:
        """Stop listening."""
        self._server.close()


class DeskStage:
    """Stage updates: do what the worker asks for, and write down what it did.

    Args:
        desk: of the camera.

    Attributes:
        updates: looked after once a tick; None until they are there.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.updates: Updates | None = None

    def __call__(self, context: Context) -> None:
        """Costs a look at two attributes at rest."""
        desk = self._desk
        desk.serve()
        if self.updates is not None:
            self.updates.look(context)
        while desk.notes:
            state, why = desk.notes.popleft()
            context.events.add("update", context.t_ms, context.frame.frame_id, state, why)

    def row(self) -> Stage:
        """Behind everything that an alarm waits for."""
        return Stage("updates", self, always, 1.0)


class Updates:
    """What the worker does, and when the camera starts anew.

    Args:
        worker: calls `step`.
        desk, trial, store, health: of the camera.
        clock: injected.
        stop: ends the loop after the present tick.

    Attributes:
        links: polled by the worker.
        restarts: the camera shall start anew: the loop was ended for that.
    """

    def __init__(
        self,
        worker: Worker,
        desk: Desk,
        trial: Trial,
        store: Store,
        health: Health,
        clock: Clock,
        stop: Callable[[], None],
    ) -> None:
        self._worker, self._desk, self._trial = worker, desk, trial
        self._store, self._health, self._clock = store, health, clock
        self._stop = stop
        self.restarts = False
        self.links: Sequence[Link] = ()
        self._restart_ms: float | None = None
        self._healthy_ms: float | None = None
        self._told_dead = False

    def start(self) -> None:
        """Listen, and begin to work; before the memory is sealed."""
        for link in self.links:
            link.poll(self._clock.now_ms())
        self._worker.start(self.step)

    def look(self, context: Context) -> None:
        """On the loop, once a tick."""
        if self._restart_ms is not None and context.now_ms >= self._restart_ms:
            self._restart_ms, self.restarts = None, True
            self._stop()
        if not self._worker.is_alive and not self._told_dead:
            self._told_dead = True
            self._desk.note("dead", {"reason": "the worker has ended: restart the camera"})

    def step(self, now_ms: float) -> bool:
        """On the worker: links first, then the trial."""
        did = False
        for link in self.links:
            did |= link.poll(now_ms)
        self._prove_site(now_ms)
        return self._trial.step(now_ms) or did

    def restart_soon(self) -> None:
        """A new site file was stored."""
        self._restart_ms = self._clock.now_ms() + RESTART_MS

    def _prove_site(self, now_ms: float) -> None:
        """A pushed site file on trial stays once the camera was healthy with it for a while."""
        if self._store.state.site.trial < 0 or not self._health.healthy:
            self._healthy_ms = None
            return
        if self._healthy_ms is None:
            self._healthy_ms = now_ms
        if now_ms - self._healthy_ms < SITE_PROVES_MS or self._restart_ms is not None:
            return
        self._healthy_ms = None
        if not self._store.site.is_trial:  # damaged on flash: the one before runs
            return
        try:
            self._store.confirm_site()
        except Refused as refused:
            self._desk.note("waits", {"reason": refused.reason, "detail": refused.detail})
        else:
            self._desk.note("site_confirmed", {})

    def close(self) -> None:
        """End the work and hang up."""
        self._desk.is_open = False
        self._worker.close()
        self._trial.close()
        for link in self.links:
            link.close()
