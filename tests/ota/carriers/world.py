"""A camera that takes bundles for the tests of the carriers: a real updater, no link in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from drivers.clock import VirtualClock
from ota.bundle import Bundle
from ota.link.progress import Progress
from ota.manifest import take
from ota.status import stored
from tests.ota import camera as board
from tests.ota.bundles import fake_files, signed

SLOT_BYTES = 512 * 1024
FACTS = replace(board.FACTS, slot_bytes=SLOT_BYTES)


def bundle_bytes(release: int, **how: Any) -> bytes:
    """A signed bundle of some 200 kB."""
    how = {"release": release, "version": f"1.{release}"} | how
    return signed(fake_files(("tflite", "rk3588"), number=release), **how)


class World:
    """Implements `ota.carriers.camera.Camera`, and what happens in the camera after a push."""

    def __init__(self, facts=FACTS, flash=None) -> None:
        self.clock = VirtualClock()
        self.flash = flash or board.new_flash(slot_bytes=facts.slot_bytes)
        self.updater = board.start(self.flash, facts, self.clock)
        self.facts = facts
        self.said: list[str] = []
        self.chunks: list[int] = []
        self.pushed: list[int] = []
        self.connected = 0
        self.least_wait_ms = 0.0
        self.during: Callable[[int], None] = lambda count: None

    def say(self, line: str) -> None:
        self.said.append(line)

    def connect(self) -> World:
        self.connected += 1
        return self

    def close(self) -> None:
        self.connected -= 1

    def hello(self) -> dict[str, Any]:
        about = ("device", "product", "board", "soc", "target", "runtime")
        return {name: getattr(self.facts, name) for name in about}

    def ask(self, command: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        assert command == "status"
        return stored(self.updater)

    def push(
        self,
        bundle: Bundle,
        allow_older: bool = False,
        progress: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        answer = self.updater.offer(bundle.head_data, allow_older)
        chunks = take(bundle.manifest, self.facts.target, 1).chunks
        wanted = answer["next"]
        while wanted >= 0:
            data = bundle.chunk(chunks[wanted])
            wanted = self.updater.chunk(answer["session"], wanted, data)
            self.chunks.append(wanted)
            self.clock.sleep_until_ms(self.clock.now_ms() + 500)
            self.during(len(self.chunks))
            done = len(chunks) if wanted < 0 else wanted
            progress(Progress(done, len(chunks), 0.0, None))
        self.pushed.append(bundle.manifest.release)

    def confirm(self) -> None:
        """The trial goes well."""
        self.updater.store.begin_trial()
        self.updater.store.confirm()
        self.updater.load_active()

    def roll_back(self, reason: str = "agreement", detail: str = "sees nobody") -> None:
        self.updater.store.begin_trial()
        self.updater.store.roll_back(reason, detail)

    @property
    def release(self) -> int:
        """Of what runs."""
        return int(stored(self.updater)["students"]["release"])

    def steps(self, carry: Any, for_ms: float) -> None:
        """Let a Carry work for so long."""
        until_ms = self.clock.now_ms() + for_ms
        while self.clock.now_ms() < until_ms:
            wait_ms = carry.step()
            assert self.connected == 0, "the link is left open"
            self.clock.sleep_until_ms(self.clock.now_ms() + max(wait_ms, self.least_wait_ms))
