"""The virtual board: devices that outlive the firmware, and the driver finder of each boot.

The firmware is the real one and finds its drivers by the names in the board file; what it gets are
this board's devices. Nothing tells it that it is in a simulation.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from msgspec.structs import replace

from drivers.board import Board, CameraConfig, NpuConfig, OutputConfig, WatchdogConfig
from drivers.interfaces import Npu
from drivers.operator_config import DeadManConfig, InputConfig
from drivers.thermal_config import ThermalConfig
from ota.area import needed_bytes
from runtime import plugins
from sim.board.biting import BitingWatchdog
from sim.board.camera import Scene, WorldCamera
from sim.board.clock import BoardReset, Cause, SimClock
from sim.board.dead_man import FallingDeadMan
from sim.board.faults import Faults, Options, kinds_of
from sim.board.flash import Flash, Tail
from sim.board.inputs import RecordedInput
from sim.board.lines import LineOutput, Lines
from sim.board.npu import SimNpu
from sim.board.power import Power
from sim.board.serial import SerialCable
from sim.board.storage import Cuts, SimStorage, tear_newest
from sim.board.thermometer import SimThermometer
from sim.board.worker import SimWorker

OWN = ("dead_man", "input", "thermal", "worker")
"""Kinds of which the board has the only ones there are, whatever driver its file names."""


class VirtualBoard:
    """A board of the kind that a board file describes.

    Args:
        config: the board file.
        clock: virtual time.
        scene: what the camera sees.
        see: called for every picture that the camera gives, with its time.
        seed: of what survives a power cut, and of noise.
        find: the installed drivers by kind and name.

    Attributes:
        faults: what is broken now.
        flash: what the journal lies on.
        update_flash: what the slots lie on.
        lines: the outputs' levels and edges over all boots.
        serial: the cable between board and technician.
        boots: how often it was switched on.
        is_running: the firmware's process is there.
        torn: sequence numbers of records that a fault damaged.
    """

    def __init__(
        self,
        config: Board,
        clock: SimClock,
        scene: Scene,
        see: Callable[[float], None],
        seed: int,
        find: Callable[[str, str], Callable[..., Any]] = plugins.driver,
    ) -> None:
        storage = config.storage
        self.config = config
        self.clock = clock
        self.faults = Faults(config)
        self.flash = Flash(
            bytes(storage.atomic_unit_bytes * storage.journal_slots), storage.atomic_unit_bytes
        )
        self.flash.random.seed(seed)
        self.update_flash = _update_flash(config)
        self._cuts = Cuts(lambda count, image: self.reset("power_cut", "", image, count))
        self.flash.before = self._cuts
        self._update_cuts = Cuts(lambda count, image: self._cut_update(image, count))
        self.update_flash.before = self._update_cuts
        self.lines = Lines(config)
        self.serial = SerialCable(clock, self.faults.of("serial"), seed)
        self.boots = 0
        self.torn: list[int] = []
        self._scene, self._see, self._seed = scene, see, seed
        self._find = find
        self._power = Power()
        self._power.go()
        self._tears = False
        self._buttons: dict[str, RecordedInput] = {}
        self._held: set[str] = set()

    @property
    def is_running(self) -> bool:
        """The firmware's process is there."""
        return self._power.is_on

    def switch_on(self) -> None:
        """Begin a boot: the devices that `find_driver` gives from now on belong to it."""
        self.boots += 1
        self._power = Power()
        if self._tears:
            self._tears = False
            seq = tear_newest(self.flash)
            self.torn += [] if seq is None else [seq]

    def find_driver(self, kind: str, name: str) -> Callable[..., object]:
        """What `runtime.boot` asks for each device of the board file.

        Raises:
            UnknownPlugin: the board file names a driver that is not installed.
        """
        driver = None if kind in OWN else self._find(kind, name)
        power, clock, faults = self._power, self.clock, self.faults

        def camera(config: CameraConfig, source: str, _: object) -> WorldCamera:
            return WorldCamera(config, self._scene, faults.of("camera"), self._see, self._seed)

        def npu(config: NpuConfig) -> SimNpu:
            assert driver is not None
            inline = replace(config, call_deadline_ms=0)
            return SimNpu(cast(Npu, driver(inline)), clock, faults, config.call_deadline_ms)

        def output(config: OutputConfig, _: object) -> LineOutput:
            return LineOutput(config, clock, self.lines, power, faults.of(config.name))

        def storage(path: Path, size: int, unit: int) -> SimStorage:
            updates = self.config.updates
            is_update = updates is not None and path == Path(updates.path)
            flash = self.update_flash if is_update else self.flash
            return SimStorage(flash, power, faults.of("storage"))

        def worker(_: object) -> SimWorker:
            return SimWorker(clock)

        def watchdog(config: WatchdogConfig, _: object) -> BitingWatchdog:
            table = faults.of("watchdog")
            return BitingWatchdog(
                config, clock, power, table, lambda why: self.reset("watchdog", why)
            )

        def dead_man(config: DeadManConfig, _: object) -> FallingDeadMan:
            return FallingDeadMan(config, clock, power)

        def thermal(config: ThermalConfig) -> SimThermometer:
            return SimThermometer(config, faults.of("thermal"))

        made: dict[str, Callable[..., Any]] = {
            "camera": camera,
            "dead_man": dead_man,
            "input": self._button,
            "npu": npu,
            "output": output,
            "storage": storage,
            "thermal": thermal,
            "watchdog": watchdog,
            "worker": worker,
        }
        return made[kind]

    def press(self, name: str) -> None:
        """Somebody puts a finger on a button, and leaves it there; also while the board is off."""
        self._held.add(name)
        if name in self._buttons:
            self._buttons[name].press()

    def let_go(self, name: str) -> None:
        """The finger is gone."""
        self._held.discard(name)
        if name in self._buttons:
            self._buttons[name].let_go()

    def _button(self, config: InputConfig, clock: SimClock) -> RecordedInput:
        """The button of a boot; held is held."""
        button = self._buttons[config.name] = RecordedInput(config, clock)
        if config.name in self._held:
            button.press()
        return button

    def break_(self, component: str, type_: str, options: Options) -> None:
        """A fault begins.

        Raises:
            BoardReset: it is one that ends the run.
        """
        self.serial.settle()
        if component == "power":
            self._break_power(type_, options)
        elif kinds_of(component, self.faults.outputs)[type_].is_moment:
            self._tears = True
        else:
            self.faults.begin(component, type_, options)

    def mend(self, component: str, type_: str) -> None:
        """A fault ends."""
        self.serial.settle()
        self.faults.end(component, type_)

    def reset(
        self, cause: Cause, detail: str, image: bytes | None = None, operation: int = 0
    ) -> None:
        """The processor stops: lines fall, un-synced writes are lost, the process is no more.

        Args:
            cause: why.
            detail: for people.
            image: what is left on flash; None: all that was synced.
            operation: of the storage, counted as the fault says; 0: in none.

        Raises:
            BoardReset: always, where the firmware runs; a board that is off stays off.
        """
        if not self._power.is_on:
            return
        self._power.go()
        self.lines.fall(self.clock.now_ms())
        self.flash.restart(bytes(self.flash.durable) if image is None else image)
        self.update_flash.restart(bytes(self.update_flash.durable))
        raise BoardReset(
            cause, detail or f"in storage operation {operation} since the fault was set", operation
        )

    def _cut_update(self, image: bytes, operation: int) -> None:
        """The power goes in an operation of the slots' flash."""
        self.update_flash.durable[:] = image
        self.reset("power_cut", "", None, operation)

    def _break_power(self, type_: str, options: Options) -> None:
        tail: Tail = options.get("tail", "")
        if type_ == "kill":
            self.reset("killed", "the process was killed")
        elif "at_operation" in options:
            is_update = options.get("of") == "updates"
            cuts, flash = (
                (self._update_cuts, self.update_flash) if is_update else (self._cuts, self.flash)
            )
            cuts.add(flash, int(options["at_operation"]), tail)
        else:
            image = self.flash.after_cut(self._seed, set(), tail)
            self.reset("power_cut", "asked for by the scenario", image)


def _update_flash(config: Board) -> Flash:
    """The flash of the slots; of a board without updates there is none to speak of."""
    unit_bytes, updates = config.storage.atomic_unit_bytes, config.updates
    size = needed_bytes(updates.slot_mb << 20, unit_bytes) if updates else unit_bytes
    return Flash(bytes(size), unit_bytes)
