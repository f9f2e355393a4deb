"""What a technician does with students in a scenario: brings a bundle, confirms, goes back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from drivers.board import Board
from ota.head import parse_head
from ota.manifest import parse_manifest, take
from ota.refusal import Refused
from ota.service import Asker, Rank
from ota.service import Path as Way
from runtime.machine import Machine
from sim.board.clock import SimClock
from sim.scenario.schema import ActionConfig

BY: Final = Asker(Way.LOCAL, Rank.TECHNICIAN, "operator")
TARGET: Final = "tflite"
Bundle = tuple[bytes, bytes]
"""Head and payload."""


def provisioned(board: Board, folder: Path) -> Board:
    """The board with the key ring of the simulated vendor; as it is where it has no updates."""
    if board.updates is None:
        return board
    from sim.board import vendor

    ring = folder / "ring"
    ring.write_bytes(vendor.key_ring())
    updates = replace(board.updates, ring=str(ring), product=vendor.PRODUCT, links=[])
    return replace(board, updates=updates)


def make_bundles(actions: list[ActionConfig]) -> dict[int, Bundle]:
    """The bundle of each action that brings one, by its number; made before memory is sealed."""
    asked = [(number, action) for number, action in enumerate(actions) if action.do == "update"]
    if not asked:
        return {}
    from sim.board import vendor

    made = {(each.student, each.release, each.counter): b"" for _, each in asked}
    bundles = {key: vendor.bundle(*key) for key in made}
    return {number: bundles[each.student, each.release, each.counter] for number, each in asked}


class Bringing:
    """A bundle on its way into a camera, a chunk at a time.

    Args:
        bundle: what is brought.
        for_ms: how long all its chunks take.
        clock: virtual.
        machine: the camera that runs now; None: it is off.
    """

    def __init__(
        self, bundle: Bundle, for_ms: float, clock: SimClock, machine: Callable[[], Machine | None]
    ) -> None:
        self._head, self._payload = bundle
        manifest = parse_manifest(parse_head(self._head).manifest)
        self._clock, self._machine = clock, machine
        self._manifest, self._for_ms = manifest, for_ms
        self._camera: Machine | None = None

    def begin(self) -> None:
        """Offer it, and go on where the camera says."""
        machine = self._camera = self._machine()
        if machine is None or machine.service is None:
            return
        try:
            answer = machine.service.ask("offer", {"head": self._head}, BY)
        except Refused as refused:
            machine.control.refuse(BY.name, str(refused))
            return
        self._session, self._wanted = answer["session"], int(answer["next"])
        unit_bytes = machine.service.unit_bytes
        self._chunks = take(self._manifest, TARGET, unit_bytes).chunks
        self._step_ms = self._for_ms / max(1, len(self._chunks))
        self._go_on()

    def _go_on(self) -> None:
        """One chunk after the other; a camera that was reset has to be asked anew."""
        machine = self._machine()
        while machine is not None and machine is self._camera and self._wanted >= 0:
            assert machine.service is not None
            chunk = self._chunks[self._wanted]
            data = self._payload[chunk.bundle_at : chunk.bundle_at + chunk.stored_size]
            asked = {"session": self._session, "index": chunk.index, "data": data}
            try:
                self._wanted = int(machine.service.ask("chunk", asked, BY)["next"])
            except Refused as refused:
                machine.control.refuse(BY.name, str(refused))
                return
            if self._step_ms:
                self._clock.at(self._clock.now_ms() + self._step_ms, self._go_on)
                return


def ask(machine: Machine, command: str) -> None:
    """Confirm or roll back; what is refused is written down."""
    try:
        if machine.service is None:
            raise Refused("unavailable")
        machine.service.ask(command, {}, BY)
    except Refused as refused:
        machine.control.refuse(BY.name, str(refused))
