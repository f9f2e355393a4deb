"""The devices of a board, found by the names in its file; each is let go of in the safe order."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from math import inf
from pathlib import Path
from typing import cast

from drivers.board import Board, CameraConfig
from drivers.camera.supervised import SupervisedCamera
from drivers.faults import CameraFault, InputFault, StorageFault, ThermalFault
from drivers.interfaces import (
    Camera,
    Clock,
    DeadMan,
    Input,
    Npu,
    Output,
    Storage,
    Watchdog,
    Worker,
)  # fmt: skip
from drivers.operator_config import DeadManConfig
from drivers.thermal import Thermometer
from drivers.thermal_config import ThermalConfig
from drivers.update_config import UpdatesConfig
from runtime import plugins
from runtime.inputs import Button, Inputs
from runtime.journal import Journal
from runtime.machine import camera_driver
from runtime.options import Options
from runtime.outputs import ROLES, Outputs
from runtime.record import Recorder
from runtime.watchdogs import arm

GUARDED = "fault"
"""Role of the outputs that a dead man holds: what falls must tell of a fault."""


class LiveOnly(Exception):
    """`--fast` was asked for a source that comes in its own time."""


class Hardware:
    """Makes a board's devices, one call each.

    Args:
        board, options: say which.
        clock: handed to each.
        stack: what has to be undone is pushed here.
    """

    def __init__(self, board: Board, options: Options, clock: Clock, stack: ExitStack) -> None:
        self._board, self._options = board, options
        self._clock, self._stack = clock, stack

    def outputs(self) -> Outputs:
        """Siren, strobe and fault relay, all off. Raises OutputFault."""
        clock, config = self._clock, self._board.dead_man
        dead_man = self._dead_man(config) if config else None
        made = []
        for each in self._board.outputs:
            make = cast(Callable[..., Output], self._driver("output", each.driver))
            if dead_man is not None and each.role == GUARDED:
                made.append((each.role, dead_man.guard(each, make, clock)))
            else:
                made.append((each.role, make(each, clock)))
        outputs = Outputs(made, dead_man, config.silent_ms if config else inf)
        self._stack.callback(lambda: outputs.release(clock.now_ms()))
        for role in ROLES:
            outputs.drive(role, False, clock.now_ms())
        return outputs

    def _dead_man(self, config: DeadManConfig) -> DeadMan:
        """Ends after the outputs have been let go of."""
        made = cast(DeadMan, self._driver("dead_man", config.driver)(config, self._clock))
        self._stack.callback(made.close)
        return made

    def inputs(self) -> Inputs:
        """The operator's buttons. One that cannot be had is a fault: the camera watches on."""
        clock, buttons, problem = self._clock, [], ""
        for each in self._board.inputs:
            try:
                device = cast(Input, self._driver("input", each.driver)(each, clock))
            except InputFault as fault:
                problem = problem or f"{fault.reason}: {each.name}"
            else:
                buttons.append(Button(each, device))
        inputs = Inputs(buttons, problem)
        self._stack.callback(inputs.close)
        return inputs

    def thermometer(self, config: ThermalConfig) -> tuple[Thermometer | None, str]:
        """The thermometers, or why they cannot be had: a fault, and the camera watches on."""
        try:
            made = cast(Thermometer, self._driver("thermal", config.driver)(config))
        except ThermalFault as fault:
            return None, fault.reason
        self._stack.callback(made.close)
        return made, ""

    def camera(self, headroom: Callable[[], AbstractContextManager[None]]) -> SupervisedCamera:
        """The camera, open where it can be opened.

        Args:
            headroom: room for a decoder, while a lost camera is opened again.

        Raises:
            LiveOnly: `options.fast` with a live source.
        """
        config = self._board.camera
        camera = self._make_camera(config)
        if self._options.fast and camera.is_live:
            raise LiveOnly(f"--fast: {self._source(config)} is live and cannot be hurried")
        supervised = SupervisedCamera(camera, config, headroom)
        self._stack.callback(supervised.close)
        try:
            supervised.open()
        except CameraFault as fault:
            supervised.lose(fault, self._clock.now_ms())
        return supervised

    def worker(self, updates: UpdatesConfig) -> Worker:
        """What works on links and slots beside the loop."""
        return cast(Worker, self._driver("worker", updates.worker)(self._clock))

    def npu(self) -> Npu:
        """What loads networks."""
        config = self._board.npu
        return cast(Npu, self._driver("npu", config.driver)(config))

    def watchdog(self) -> Watchdog:
        """Armed, systemd's too where it watches this process; disarmed at a planned end."""
        watchdog = arm(self._board.watchdog, self._clock, self._driver, os.environ)
        self._stack.callback(watchdog.disarm)
        return watchdog

    def recorder(self) -> Recorder:
        """The journal on its ring. Raises StorageFault."""
        config = self._board.storage
        path = Path(self._options.journal or config.path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageFault("cannot_write", f"{path.parent}: {error.strerror}") from error
        size = config.atomic_unit_bytes * config.journal_slots
        make = self._driver("storage", config.driver)
        storage = cast(Storage, make(path, size, config.atomic_unit_bytes))
        self._stack.callback(storage.close)
        options = self._options
        boot_id = 0 if options.fast and options.boot_id is None else options.boot_id
        return Recorder(Journal(storage, self._clock, boot_id), options.events)

    def _driver(self, kind: str, name: str) -> Callable[..., object]:
        return (self._options.find_driver or plugins.driver)(kind, name)

    def _source(self, config: CameraConfig) -> str:
        return self._options.source or config.source

    def _make_camera(self, config: CameraConfig) -> Camera:
        source = self._source(config)
        kind = camera_driver(self._options.source, config.driver)
        source = source.removeprefix("synthetic:") if kind == "synthetic" else source
        return cast(Camera, self._driver("camera", kind)(config, source, self._clock))
