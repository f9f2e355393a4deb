"""The composition root: from a board file and a site file to a sealed loop.

Order: allocator -> camera -> network -> stages -> warm-up at capacity -> seal -> run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from drivers.board import Board
from drivers.camera.supervised import SupervisedCamera
from drivers.clock import MonotonicClock, VirtualClock
from drivers.faults import CameraGone
from drivers.interfaces import Clock, Frame
from models.tables import Detections
from runtime import needs, stages
from runtime.alarm import Alarms
from runtime.alarm_build import AlarmParts
from runtime.annotate import Annotator
from runtime.context import Context
from runtime.counts import HOUR_MS, Counts
from runtime.counts_background import RefreshBackground, rehearse
from runtime.export import Export, StillFile, VideoFile
from runtime.eyes import Eyes
from runtime.geometry import ResolvedSite, resolve_site
from runtime.hardware import Hardware
from runtime.health import Health
from runtime.heat import heat_stages
from runtime.looks import Looks
from runtime.loop import Loop, Stage, always, fresh, judged, never
from runtime.machine import Machine
from runtime.memory import Seal, settle
from runtime.metrics import Metrics
from runtime.options import Options
from runtime.outputs import Outputs
from runtime.packages import factory_packages
from runtime.privacy import Anonymiser
from runtime.rate import RateKeeper
from runtime.record import Recorder
from runtime.rules.build import build_rules
from runtime.rules.engine import Rules
from runtime.rules.plan import plan_rules
from runtime.second_look import second_look_stages
from runtime.shadow import Shadow
from runtime.site import Site
from runtime.status import status_words
from runtime.tables import Hazards, Tracks
from runtime.track import Tracker
from runtime.trial_side import TrialSide
from runtime.view import View
from runtime.view_stage import view_stages
from runtime.warm_up import Crowd, NoWatchdog, warm_up
from runtime.wearing import Seen

if TYPE_CHECKING:
    from runtime.update_build import UpdateParts

LIVE_TICK_MS = 10.0
"""A live camera is asked this often, so that a picture waits no longer than this for its turn."""
VIDEO_SLACK_MB = 96
"""An MP4 writer keeps an index that grows with the clip: room for it, beside the sealed loop."""

REHEARSED_HOUR_MS = 500.0
"""In the rehearsal, so that hours end in it."""
STREAM_SLACK_MB = 16
"""A stream's decoder grows with the largest compressed picture, which may come at any time."""


@contextmanager
def boot(board: Board, site: Site, options: Options) -> Iterator[Machine]:
    """Put a camera together, seal it, and take it apart again in the safe order.

    Args:
        board, site: loaded and checked.
        options: see Options.

    Raises:
        ConfigErrors: the site does not fit the camera's picture.
        UnknownPlugin: the board names a driver that is not installed.
        ModelRefused, StorageFault, OutputFault, MemoryRefused: from the parts.
        LiveOnly: `options.fast` with a live source.
    """
    cv2.setNumThreads(1)
    clock = options.clock or (VirtualClock() if options.fast else MonotonicClock())
    with ExitStack() as stack:
        builder = _Builder(board, site, options, clock, stack)
        machine = builder.build()
        end = "planned"
        try:
            yield machine
        except CameraGone:
            end = "camera_gone"
            raise
        finally:
            _close_journal(machine, end)


def _close_journal(machine: Machine, end: str) -> None:
    """The last record: why it ended, and which alarms were still standing."""
    context = machine.context
    if machine.counts is not None:
        machine.counts.close(context, machine.clock.now_ms())
    standing = [state.name.lower() for state in machine.alarms.states]
    context.events.add("shutdown", context.t_ms, context.frame.frame_id, end, {"alarms": standing})
    machine.recorder.write(context.events, machine.clock.now_ms() + 1e9)


class _Builder:
    """Builds the parts in order; what has to be undone is pushed on `stack`."""

    def __init__(
        self, board: Board, site: Site, options: Options, clock: Clock, stack: ExitStack
    ) -> None:
        self._board = board = needs.with_networks(board, options)
        self._site = site
        self._options = options
        self._clock = clock
        self._stack = stack
        self._seal: Seal | None = None
        self._update_parts: UpdateParts | None = None
        self._hardware = Hardware(board, options, clock, stack)

    def build(self) -> Machine:
        """All of it."""
        board, clock = self._board, self._clock
        needs.check_needs(board, self._site, self._options.site_file)
        hardware = self._hardware
        outputs = hardware.outputs()
        camera = hardware.camera(self._headroom)
        self._size: tuple[int, int] = (camera.width_px, camera.height_px)
        self._resolved = resolve_site(self._site, *self._size, self._options.site_file)
        eyes = self._eyes = self._build_eyes()
        context = self._build_context()
        metrics = Metrics()
        recorder = hardware.recorder()
        health = Health(board.camera, *self._size, clock.now_ms())
        watchdog = hardware.watchdog()
        tracker, rules = self._build_judgement(context, clock)
        alarm = AlarmParts(rules, self._site.alarm, outputs, metrics)
        operate = alarm.operate(hardware.inputs(), board.control, clock, self._stack)
        check = stages.Check(health, camera, outputs, recorder, watchdog, operate)
        anonymiser = self._build_anonymiser()
        export = self._build_export(camera, alarm.alarms, health, anonymiser)
        counts = self._build_counts(rules, clock)
        parts = self._update_parts
        shadow = Shadow(board.limits.detections, self._size) if parts else None
        behind, beside = shadow.rows() if shadow else ((), ())
        first = eyes.first_rows(context, metrics, anonymiser, behind)
        second = eyes.second_rows(context, metrics)
        table = (
            *heat_stages(hardware, board.thermal, health),
            Stage("capture", stages.Capture(camera, metrics), always, 5.0),
            *first,
            Stage("track", stages.Track(tracker), judged, 0.2),
            *second,
            *view_stages(context, self._size, alarm.alarms),
            Stage("rules", stages.Judge(rules), judged, 0.1),
            Stage("operate", operate, always, 0.1),
            Stage("alarm", alarm.stage, always, 0.1),
            *_counting(counts),
            Stage("journal", stages.Record(recorder, alarm.stage), always, 5.0),
            Stage("health", check, always, 0.1),
            *beside,
            *((parts.stage.row(),) if parts else ()),
            *self._still_stages(anonymiser),
            Stage("export", export or _nothing, fresh if export else never, 20.0, sheddable=True),
        )
        warm_up(self._rehearsal(camera, recorder))
        settle()
        warm_up(self._rehearsal(camera, recorder))
        if self._still is not None:
            rehearse(context.frame, self._site.privacy, StillFile(self._still))
        camera.rehearse(context.frame, clock.now_ms())
        self._record_boot(context, recorder)
        alarm.restore(recorder, context)
        frame_ms = 1000.0 / camera.fps
        rate = RateKeeper(clock, LIVE_TICK_MS if camera.is_live else frame_ms, frame_ms)
        loop = Loop(table, context, rate, metrics)
        updates = service = None
        if parts is not None and shadow is not None:
            from runtime.update_build import CameraParts

            seen_by = (*first, *second)
            side = TrialSide(loop, context, tracker, metrics, shadow, anonymiser, eyes, seen_by)
            side.factory_version = parts.factory_version
            running = CameraParts(
                side, health, alarm.alarms, alarm.control, recorder.journal, self._site,
                self._options, self._size, frame_ms, self._headroom, loop.stop,
            )  # fmt: skip
            updates, service = parts.start(running, hardware)
        slack_mb = self._options.slack_mb + (VIDEO_SLACK_MB if export else 0)
        slack_mb += STREAM_SLACK_MB if camera.is_live else 0
        memory = board.memory
        self._seal = Seal(memory.address_space_mb, memory.headroom_mb, memory.lock, slack_mb)
        self._stack.callback(self._seal.open_up)
        rate.restart()
        health.restart(clock.now_ms())
        if counts is not None:
            counts.restart(clock.now_ms())
        return Machine(
            loop, context, camera, outputs, alarm.alarms, alarm.control, health, metrics,
            self._seal, recorder, clock, rules, counts, updates, service,
        )  # fmt: skip

    @contextmanager
    def _headroom(self) -> Iterator[None]:
        """Room for a decoder; before the seal there is no limit to lift."""
        if self._seal is None:
            yield
            return
        with self._seal.headroom():
            yield

    def _build_eyes(self) -> Eyes:
        """The students; skeleton and action only for rules that ask: they cost time and memory."""
        board, site, file = self._board, self._site, self._options.site_file
        npu = self._npu = self._hardware.npu()
        with_bodies = needs.needs_bodies(site, board)
        config, least = board.updates, site.tracking.min_score
        eyes: Eyes | None = None
        if config is not None:
            from runtime.update_build import UpdateParts

            find = self._options.find_driver
            parts = UpdateParts(board, config, npu, find, self._clock, self._stack)
            self._update_parts = parts
            eyes = parts.load_eyes(self._size, least, with_bodies)
        if eyes is None:
            packages = factory_packages(board.models, npu.target, with_bodies)
            eyes = Eyes(packages, board, npu, self._size, least)
        needs.check_classes(site, eyes.classes, file)
        if eyes.bodies is not None:
            needs.check_actions(site, eyes.actions, file)
        return eyes

    def _build_context(self) -> Context:
        limits, rules = self._board.limits, len(plan_rules(self._site.rules))
        return Context(
            Frame(*self._size),
            Detections(limits.detections),
            Tracks(limits.tracks),
            Hazards(rules),
            self._eyes.bodies.postures() if self._eyes.bodies else None,
            View(rules) if needs.needs_view(self._site) else None,
            Looks(limits.tracks) if needs.needs_looks(self._site) else None,
        )

    def _build_judgement(
        self, context: Context, clock: Clock | None = None
    ) -> tuple[Tracker, Rules]:
        """Without a clock every rule holds at any hour."""
        site, limits = self._site, self._board.limits
        seen = Seen(context.equipment, self._eyes.classes, context.looks)
        tracker = Tracker(context.tracks, site.tracking, self._eyes.birth_score, self._size)
        rules = build_rules(
            site, self._resolved, limits.tracks, context.postures, clock, context.view, seen
        )
        return tracker, rules

    def _build_counts(
        self, rules: Rules, clock: Clock, period_ms: float = HOUR_MS
    ) -> Counts | None:
        config, limits = self._site.counts, self._board.limits
        if config is None:
            return None
        unit = self._board.storage.atomic_unit_bytes
        table, scope = rules.table, rules.scope
        return Counts(config, self._resolved, table, scope, limits.tracks, clock, unit, period_ms)

    def _rehearsal(self, camera: SupervisedCamera, recorder: Recorder) -> Loop:
        """A second loop with outputs that go nowhere, thrown away after the warm-up."""
        context, outputs = self._build_context(), Outputs(())
        tracker, rules = self._build_judgement(context)
        health = Health(self._board.camera, *self._size, 0.0)
        metrics = Metrics()
        alarm = AlarmParts(rules, self._site.alarm, outputs, metrics)
        alarm.rehearse(context)
        check = stages.Check(health, camera, outputs, recorder, NoWatchdog())
        counts = self._build_counts(rules, VirtualClock(), REHEARSED_HOUR_MS)
        eyes = self._eyes
        crowd = Crowd(eyes.detector, eyes.session, context.frame.pixels, eyes.people)
        table = (
            Stage("crowd", crowd, always, 0.0),
            *second_look_stages(context, eyes.detector, metrics),
            Stage("track", stages.Track(tracker), judged, 0.0),
            *eyes.second_rows(context, metrics, looks=1),
            *view_stages(context, self._size, alarm.alarms),
            Stage("rules", stages.Judge(rules), judged, 0.0),
            Stage("alarm", alarm.stage, always, 0.0),
            *_counting(counts),
            Stage("health", check, always, 0.0),
        )
        return Loop(table, context, RateKeeper(VirtualClock(), 100.0, 100.0), metrics)

    def _record_boot(self, context: Context, recorder: Recorder) -> None:
        """The first record of this run; written late, so that writing one is rehearsed too."""
        why: dict[str, object] = {"board": self._board.name, "site": self._site.name}
        context.events.add("boot", 0.0, -1, "started", why)
        recorder.write(context.events, self._clock.now_ms())

    def _build_anonymiser(self) -> Anonymiser | None:
        """Only for a camera that exports pictures: the learned room costs memory."""
        if self._options.video is None and self._still is None:
            return None
        return Anonymiser(*self._size, self._site.privacy)

    def _still_stages(self, anonymiser: Anonymiser | None) -> tuple[Stage, ...]:
        if anonymiser is None or self._still is None:
            return ()
        refresh = RefreshBackground(anonymiser, StillFile(self._still), self._headroom)
        return (Stage("background", refresh, judged, 50.0, sheddable=True),)

    @property
    def _still(self) -> Path | None:
        """Where the picture of the empty room goes."""
        counts = self._site.counts
        asked = counts.background if counts else ""
        return self._options.still or (Path(asked) if asked else None)

    def _build_export(
        self,
        camera: SupervisedCamera,
        alarms: Alarms,
        health: Health,
        anonymiser: Anonymiser | None,
    ) -> Export | None:
        if self._options.video is None or anonymiser is None:
            return None
        sink = VideoFile(self._options.video, *self._size, camera.fps)
        self._stack.callback(sink.close)
        resolved: ResolvedSite = self._resolved
        figures = anonymiser.mode == "skeleton"
        annotator = Annotator(resolved.zones, resolved.lines, *self._size, figures)
        return Export(anonymiser, annotator, sink, lambda: status_words(alarms, health))


def _counting(counts: Counts | None) -> tuple[Stage, ...]:
    """After the alarm, which waits for nothing; an hour may also end without a picture."""
    return () if counts is None else (Stage("counts", counts, always, 0.1),)


def _nothing(context: Context) -> None:
    """The export stage of a camera that exports nothing."""
