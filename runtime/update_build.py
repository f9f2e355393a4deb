"""Puts the parts of updates together: first what boot needs to see by, the rest when the loop is
there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from drivers.board import Board
from drivers.faults import ModelRefused, NpuFault, StorageFault
from drivers.interfaces import Clock, Npu, Serial, Worker
from drivers.serial_port import SerialPort
from drivers.socket_port import listen_tcp, listen_unix
from drivers.toml_strict import ConfigErrors
from drivers.update_config import UpdatesConfig
from models.package import find_package, read_info
from ota.admission import Facts
from ota.link.address import Address, parse
from ota.link.server import LinkServer
from ota.pack_delta import can_unpack
from ota.refusal import Refused
from ota.service import Path as Way
from ota.state import FACTORY
from ota.store import Store
from ota.updater import Updater
from runtime import needs
from runtime.alarm import Alarms
from runtime.control import Control
from runtime.desk import Desk
from runtime.eyes import Eyes
from runtime.geometry import resolve_site
from runtime.hardware import Hardware
from runtime.health import Health
from runtime.journal import Journal
from runtime.options import FindDriver, Options
from runtime.site import Site
from runtime.site_choice import parse_site
from runtime.student_files import student_packages
from runtime.trial import Trial
from runtime.trial_build import Builder
from runtime.trial_side import TrialSide
from runtime.update_service import UpdateService
from runtime.update_status import StatusSource
from runtime.update_store import open_update_store
from runtime.updates import DeskStage, Link, Updates
from runtime.version import VERSION

WAYS = {"serial": Way.CABLE, "unix": Way.LOCAL, "tcp": Way.LAN}
Headroom = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class CameraParts:
    """What of a running camera the updates touch."""

    side: TrialSide
    health: Health
    alarms: Alarms
    control: Control
    journal: Journal
    site: Site
    options: Options
    size: tuple[int, int]
    period_ms: float
    headroom: Headroom
    stop: Callable[[], None]


class UpdateParts:
    """What a camera with `[updates]` needs before its loop is there.

    Args:
        board: with `updates`.
        config: that part of it.
        npu: what loads students.
        find_driver: as in `Options`.
        clock: injected.
        stack: what has to be undone is pushed here.

    Attributes:
        factory_version: of the detector that the camera was made with; "": there is none.
        problem: why there are no updates in this run; "" where there are.
        desk, stage: to the loop.
    """

    def __init__(
        self,
        board: Board,
        config: UpdatesConfig,
        npu: Npu,
        find_driver: FindDriver | None,
        clock: Clock,
        stack: ExitStack,
    ) -> None:
        self._board, self._config, self._npu, self._clock = board, config, npu, clock
        self._stack = stack
        self.desk = Desk()
        self.stage = DeskStage(self.desk)
        self.problem = ""
        self.factory_version = _version(board.models.detector)
        self._updater: Updater | None = None
        try:
            store, storage = open_update_store(board, config, find_driver)
            stack.callback(storage.close)
            self._updater = Updater(store, self._facts(), _ring(config.ring), clock)
        except (StorageFault, Refused, OSError) as error:
            self.problem = f"{type(error).__name__}: {error}"[:200]

    @property
    def updater(self) -> Updater:
        """Slots, state, key ring. Raises Refused where there are none."""
        if self._updater is None:
            raise Refused("unavailable", self.problem)
        return self._updater

    def _facts(self) -> Facts:
        board, config = self._board, self._config
        return Facts(
            device=config.device,
            product=config.product,
            board=board.name,
            soc=board.soc,
            target=self._npu.target,
            runtime=VERSION,
            memory_mb=config.memory_mb,
            slot_bytes=config.slot_mb << 20,
            unit_bytes=board.storage.atomic_unit_bytes,
            can_unpack=can_unpack(),
            max_tries=config.max_tries,
            factory_release=config.factory_release,
        )

    def load_eyes(self, size: tuple[int, int], min_score: float, with_bodies: bool) -> Eyes | None:
        """The confirmed students; None where the camera shall use those it was made with.

        Students that cannot be loaded are set aside, and the ones before tried.
        """
        if self._updater is None:
            return None
        for _ in range(2):
            loaded = self._updater.load_active()
            if loaded.slot == FACTORY:
                return None
            origin = f"slot {loaded.slot}"
            try:
                with student_packages(
                    loaded.files, self._npu.target, with_bodies, origin
                ) as packages:
                    return Eyes(packages, self._board, self._npu, size, min_score)
            except (ModelRefused, NpuFault) as fault:
                self._set_aside(loaded.slot, str(fault))
        return None

    def _set_aside(self, slot: int, detail: str) -> None:
        try:
            self.updater.set_aside(slot, "student", detail[:200])
        except Refused as refused:
            self.desk.note("waits", {"reason": refused.reason, "detail": refused.detail})

    def start(
        self, camera: CameraParts, hardware: Hardware
    ) -> tuple[Updates, UpdateService] | tuple[None, None]:
        """The rest of it, at work; nothing where there are no updates in this run."""
        if self.problem:
            self.desk.note("unavailable", {"reason": self.problem})
            return None, None
        worker = hardware.worker(self._config)
        builder = UpdateBuilder(self, camera, self._board, self._config, self._npu, self._clock)
        updates, service = builder.build(worker)
        self.stage.updates = updates
        self._stack.callback(updates.close)
        updates.start()
        return updates, service


class UpdateBuilder:
    """Puts the rest together.

    Args:
        parts: from the start of boot.
        camera: the running camera.
        board, config: with `updates`, and that part of it.
        npu, clock: of the camera.
    """

    def __init__(
        self,
        parts: UpdateParts,
        camera: CameraParts,
        board: Board,
        config: UpdatesConfig,
        npu: Npu,
        clock: Clock,
    ) -> None:
        self._parts, self._camera, self._board = parts, camera, board
        self._config, self._npu, self._clock = config, npu, clock
        self._hello = {
            "device": config.device,
            "product": config.product,
            "board": board.name,
            "soc": board.soc,
            "runtime": VERSION,
            "target": npu.target,
            "unpack": can_unpack(),
        }

    def build(self, worker: Worker) -> tuple[Updates, UpdateService]:
        """All of it, not yet at work. Raises Refused: there are no updates in this run."""
        parts, camera, config, clock = self._parts, self._camera, self._config, self._clock
        updater, desk = parts.updater, parts.desk
        builder = Builder(
            self._board, self._npu, camera.size, camera.site.tracking.min_score, clock,
            camera.period_ms, camera.side, camera.headroom,
        )  # fmt: skip
        trial = Trial(config, updater, desk, camera.side, builder.build, camera.health, clock)
        updates = Updates(worker, desk, trial, updater.store, camera.health, clock, camera.stop)
        budget_kb = self._board.memory.address_space_mb << 10
        status = StatusSource(
            updater, trial, camera.side, camera.health, camera.alarms, camera.site.name,
            budget_kb, camera.period_ms, clock,
        )  # fmt: skip
        service = UpdateService(
            self._hello, updater, trial, builder.build_factory, desk, camera.control, status,
            camera.journal, partial(self._take_site, updates, updater.store), self._site_text,
            camera.headroom, clock,
        )  # fmt: skip
        updates.links = [self._link(text, service) for text in config.links]
        return updates, service

    def _link(self, text: str, service: UpdateService) -> Link:
        where = parse(text)

        def serve(port: Serial) -> LinkServer:
            return LinkServer(port, WAYS[where.kind], service, self._clock, self._parts.desk.note)

        return Link(text, partial(listen, where, self._clock), serve, self._parts.desk)

    def _site_text(self) -> str:
        pushed = self._parts.updater.store.site
        if self._camera.options.is_pushed:
            return pushed.text
        return Path(self._camera.options.site_file).read_text(encoding="utf-8")

    def _check_paths(self, site: Site) -> None:
        """Where the camera writes files is decided on the camera. Raises Refused."""
        asked = site.counts.background if site.counts else ""
        present = self._camera.site.counts
        if asked and asked != (present.background if present else ""):
            detail = "counts.background: a path cannot be changed over a link; leave it out"
            raise Refused("argument", detail)

    def _take_site(self, updates: Updates, store: Store, text: str, by: str) -> None:
        """Check it as boot would, store it, and start anew. Raises Refused."""
        name = "site file"
        try:
            with self._camera.headroom():
                site = parse_site(text, name)
                needs.check_needs(self._board, site, name)
                resolve_site(site, *self._camera.size, name)
                eyes = self._camera.side.live.eyes
                needs.check_classes(site, eyes.classes, name)
                if eyes.bodies is not None:
                    needs.check_actions(site, eyes.actions, name)
        except ConfigErrors as errors:
            raise Refused("argument", str(errors)[:1500]) from errors
        self._check_paths(site)
        store.save_site(text)
        updates.restart_soon()


def _ring(path: str) -> bytes:
    """The provisioned key ring. Raises OSError."""
    return Path(path).read_bytes()


def _version(name: str) -> str:
    try:
        return read_info(find_package(name)).version
    except ModelRefused:
        return ""


def listen(where: Address, clock: Clock) -> Serial:
    """The camera's end of a link. Raises LinkFault."""
    match where.kind:
        case "serial":
            return SerialPort(where.where, where.number)
        case "tcp":
            return listen_tcp(where.where, where.number, clock)
        case _:
            return listen_unix(where.where, clock)
