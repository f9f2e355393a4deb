"""Plays one scenario: the real firmware on a virtual board that sees a drawn world.

Sealing memory cannot be undone, so each scenario has a process of its own: `sim.scenario.child`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, cast

import msgspec

from drivers.faults import CameraGone, HardwareFault, ModelRefused
from drivers.toml_strict import ConfigErrors
from runtime.boot import boot
from runtime.machine import Machine
from runtime.memory import MemoryRefused
from runtime.options import Options
from runtime.site import Site
from sim.board.board import VirtualBoard
from sim.board.clock import BoardReset, SimClock, wall_start_ms
from sim.scenario import inline_site, leave, updating
from sim.scenario.fault_socket import FaultSocket
from sim.scenario.load import Loaded
from sim.scenario.result import OutputSeen, ResetSeen, Result
from sim.scenario.seen import EventSink, Seen
from sim.scenario.stopwatch import Stopwatch
from sim.scenario.tap import Tap
from sim.scenario.timeline import Timeline
from sim.scenario.truth_log import TruthLog
from sim.scenario.world import SceneWorld, make_world

SLACK_MB = 384
"""For what draws the world in the same process; the firmware alone needs none."""
MAX_BOOTS = 100


@dataclass(frozen=True)
class PlayOptions:
    """How to play.

    Attributes:
        seed: instead of the scenario's own.
        out: folder for event lines, journal, site and clip.
        video: write annotated clips there.
        realtime: as fast as a person can watch.
        faults: path of a Unix socket that takes faults from outside.
        make_world: draws the world.
        tap: listens to the run, or stands in for a part of it.
    """

    seed: int | None = None
    out: Path | None = None
    video: bool = False
    realtime: bool = False
    faults: Path | None = None
    make_world: Callable[..., SceneWorld] = make_world
    tap: Tap = field(default_factory=Tap)


def play(loaded: Loaded, options: PlayOptions) -> Result:
    """Play a scenario to its end and judge it.

    Returns:
        The result; one that could not be played has the verdict "refused" and says why.

    Raises:
        OSError: something cannot be written to `options.out`.
    """
    if options.seed is not None:
        scenario = msgspec.structs.replace(loaded.scenario, seed=options.seed)
        loaded = Loaded(scenario, loaded.board, loaded.file, loaded.site)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
    player = _Player(loaded, options)
    try:
        player.run()
    except (ConfigErrors, ModelRefused, MemoryRefused, HardwareFault) as refused:
        player.refused = str(refused)
    return leave.result(player.seen, player.record(), options.out)


class _Player:
    """One run: everything it needs, and what it has shown."""

    def __init__(self, loaded: Loaded, options: PlayOptions) -> None:
        scenario = loaded.scenario
        self._folder = TemporaryDirectory()
        board = updating.provisioned(loaded.board, Path(self._folder.name))
        loaded = replace(loaded, board=board)
        camera = board.camera
        self._loaded = loaded
        self._options = options
        self._world = options.make_world(
            scenario.world, camera.width_px, camera.height_px, scenario.seed
        )
        self._socket = FaultSocket(options.faults) if options.faults else None
        wait = self._socket.wait if self._socket else time.sleep
        wall_ms = wall_start_ms(scenario.wall_start)
        self._clock = SimClock(wait if options.realtime else None, wall_ms)
        truth = TruthLog(self._world)
        self._stopwatch = Stopwatch(self._world, truth, self._clock)
        self._board = VirtualBoard(
            board,
            self._clock,
            self._stopwatch,
            self._stopwatch.see,
            scenario.seed,
            options.tap.back_end,
        )
        self._timeline = Timeline(
            scenario, self._clock, self._board, updating.make_bundles(scenario.actions)
        )
        if self._socket is not None:
            self._socket.serve(self._timeline.inject, self._board.faults.outputs)
        self._sink = EventSink()
        self._metrics: list[dict[str, object]] = []
        self._site: Site | None = None
        self._wall_s = self._cpu_s = 0.0
        self.refused = ""
        outputs = [
            OutputSeen(name=each.name, role=each.role, on_boot=each.on_boot == "on")
            for each in board.outputs
        ]
        self.seen = Seen(scenario, outputs, truth)
        self.seen.events = self._sink.events
        self.seen.edges = self._board.lines.edges
        self.seen.faults, self.seen.actions = self._timeline.faults, self._timeline.actions
        self.seen.torn = self._board.torn

    def run(self) -> None:
        """Boot after boot, until the scenario is over. Raises what a boot refuses."""
        self._world.warm_up()
        self._site = self._make_site()
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        try:
            while not self.seen.end:
                self._one_boot(self._site)
        finally:
            self._wall_s = time.perf_counter() - began_s
            self._cpu_s = time.process_time() - began_cpu_s
            self.seen.end_ms = min(self._clock.now_ms(), float(self.seen.scenario.duration_ms))
            if self._socket is not None:
                self._socket.close()
            self._folder.cleanup()

    def record(self) -> leave.Record:
        """What of the run is not in `seen`."""
        return leave.Record(
            loaded=self._loaded,
            world=self._world,
            site=self._site,
            flash=self._board.flash,
            lines=self._sink.lines,
            metrics=self._metrics,
            stopwatch=self._stopwatch,
            wall_s=self._wall_s,
            cpu_s=self._cpu_s,
            refused=self.refused,
        )

    def _make_site(self) -> Site:
        if self._loaded.site is not None:
            return self._loaded.site
        world = self._world
        scenario, file = self._loaded.scenario, str(self._loaded.file)
        camera = self._loaded.board.camera
        size_px = camera.width_px, camera.height_px
        return inline_site.build(
            scenario, file, world.ground_polygon, world.project_ground, size_px
        )

    def _one_boot(self, site: Site) -> None:
        """From power-on to a reset or the end."""
        seen, board, clock = self.seen, self._board, self._clock
        board.switch_on()
        self._sink.begin(board.boots, clock.now_ms())
        try:
            with boot(self._loaded.board, site, self._boot_options()) as machine:
                self._timeline.machine = machine
                self._sink.begin(board.boots, clock.now_ms())
                if seen.resets:
                    seen.resets[-1].boot_ms = clock.now_ms()
                self._options.tap.booted(machine, board.boots)
                machine.loop.run()
                self._finish(machine)
            seen.end = "planned"
        except CameraGone:
            seen.end = "camera_gone"
        except BoardReset as reset:
            self._after(reset)
        finally:
            self._timeline.machine = None

    def _finish(self, machine: Machine) -> None:
        """The planned end: letting go of the outputs is no part of the story."""
        dropped = machine.camera.dropped_frames, machine.context.dropped_events
        self._metrics.append(machine.metrics.report(machine.seal, *dropped))
        self._board.lines.is_recording = False

    def _after(self, reset: BoardReset) -> None:
        """Count the reset, and let the time pass until the next boot; faults go on meanwhile."""
        seen, clock = self.seen, self._clock
        if reset.cause == "over":
            seen.end = "hung"
            return
        if reset.operation:
            self._timeline.struck(reset.operation)
        at_ms = clock.now_ms()
        seen.resets.append(
            ResetSeen(t_ms=at_ms, cause=reset.cause, detail=reset.detail, boot_ms=at_ms)
        )
        boot_ms = at_ms + seen.scenario.reboot_ms
        if boot_ms >= seen.scenario.duration_ms or len(seen.resets) >= MAX_BOOTS:
            clock.sleep_until_ms(seen.scenario.duration_ms)
            seen.end = "dead"
            return
        clock.sleep_until_ms(boot_ms)

    def _find_driver(self, kind: str, name: str) -> Callable[..., object]:
        return self._options.tap.device(kind, self._board.find_driver(kind, name))

    def _boot_options(self) -> Options:
        options, scenario = self._options, self._loaded.scenario
        number = self._board.boots
        name = "annotated.mp4" if number == 1 else f"annotated_boot{number}.mp4"
        return Options(
            site_file=str(self._loaded.file),
            model=scenario.model,
            journal=os.devnull,
            events=cast("IO[bytes]", self._sink),
            video=options.out / name if options.out and options.video else None,
            clock=self._clock,
            find_driver=self._find_driver,
            boot_id=number,
            slack_mb=SLACK_MB,
        )
