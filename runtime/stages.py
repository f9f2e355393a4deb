"""The stages of a frame. Each allocates everything when it is made and works on tables."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns

from drivers.camera.supervised import SupervisedCamera
from drivers.faults import NpuFault
from drivers.interfaces import Session, Watchdog
from drivers.npu.stale import StaleCheck
from models.detector import Detector
from runtime.alarm_stage import Alarm, tell_output
from runtime.context import Context
from runtime.control_stage import Operate
from runtime.health import FaultState, Health
from runtime.metrics import Metrics
from runtime.outputs import Outputs
from runtime.people import People
from runtime.record import Recorder
from runtime.restore import Refresh
from runtime.rules.engine import Rules
from runtime.track import Tracker
from runtime.wall import PLAUSIBLE_FROM_MS


class Capture:
    """Take over the newest frame, if there is one; of a board that is very hot, every second."""

    def __init__(self, camera: SupervisedCamera, metrics: Metrics) -> None:
        self._camera, self._metrics = camera, metrics
        self._is_left_out = False

    def __call__(self, context: Context) -> None:
        """Fill `context.frame`. Raises EndOfStream, CameraGone."""
        if not self._camera.poll(context.frame, context.now_ms):
            return
        self._is_left_out = context.shed > 1 and not self._is_left_out
        if self._is_left_out:
            self._metrics.shed += 1
        else:
            context.took(perf_counter_ns())


class Detect:
    """Find people: resize into the input tensor, invoke, decode survivors."""

    def __init__(
        self,
        detector: Detector,
        session: Session,
        stale: StaleCheck | None,
        metrics: Metrics,
        people: People | None = None,
    ) -> None:
        self._detector = detector
        self._people = people
        self._stale = stale
        self._invoke: Callable[[], None] = session.invoke
        self._metrics = metrics

    def __call__(self, context: Context) -> None:
        """Fill `context.detections`; on a fault the table is empty and nothing is judged."""
        context.detections.count = context.equipment.count = 0
        self._detector.prepare(context.frame.pixels)
        began_ns = perf_counter_ns()
        try:
            self._invoke()
            context.invoke_ns = context.detect_ns = perf_counter_ns() - began_ns
            if self._stale is not None:
                self._stale.check(context.now_ms)
                context.doubtful = self._stale.doubtful
        except NpuFault:
            self._metrics.npu_errors += 1
            raise
        if self._people is None:
            self._detector.decode(context.detections)
        else:
            self._detector.decode(self._people.found)
            self._people.part(context.detections, context.equipment)
        context.judged = True


class Track:
    """Follow people in fixed slots."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    def __call__(self, context: Context) -> None:
        """Update `context.tracks`."""
        self._tracker.update(context.detections, context.t_ms)


class Judge:
    """Run every rule of the site."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def __call__(self, context: Context) -> None:
        """Fill `context.hazards` and queue an event per edge."""
        hazards = context.hazards
        self._rules.update(context.tracks, context.t_ms, hazards)
        hours = self._rules.hours
        if hours is not None and hours.told:
            self._tell_clock(context, hours.told, hours.wall_ms)
        for edge in hazards.edges:
            rule = self._rules.table[edge.rule]
            context.events.add(
                "hazard",
                context.t_ms,
                context.frame.frame_id,
                edge.state,
                edge.why,
                rule=rule.kind,
                zone=rule.place,
                track=edge.track_id,
            )

    def _tell_clock(self, context: Context, state: str, wall_ms: int) -> None:
        """No fault of the relay: with a wrong clock every rule holds, in its hours or not."""
        reasons = {"raised": "schedules are set aside", "cleared": "schedules hold again"}
        why: dict[str, object] = {
            "reason": reasons[state],
            "wall_ms": wall_ms,
            "plausible_from_ms": PLAUSIBLE_FROM_MS,
        }
        context.events.add(
            "fault", context.t_ms, context.frame.frame_id, state, why, rule="clock_fault"
        )


class Record:
    """Write this frame's events to flash, and what stands again before the ring forgets it."""

    def __init__(self, recorder: Recorder, alarm: Alarm) -> None:
        self._recorder = recorder
        self._alarm = alarm
        self._refresh = Refresh(recorder.slots, recorder.next_seq)

    def __call__(self, context: Context) -> None:
        """Empty `context.events`, or keep them for another try."""
        if not context.events.waiting:
            return
        self._recorder.write(context.events, context.now_ms)
        if self._refresh.is_due(self._recorder.next_seq, self._alarm.standing):
            self._alarm.tell_standing(context)


class Check:
    """Health: raise and clear faults, drive the fault relay, feed the watchdog.

    Who can no longer drive the fault relay does not feed it: a reset lets the relay fall.
    """

    def __init__(
        self,
        health: Health,
        camera: SupervisedCamera,
        outputs: Outputs,
        recorder: Recorder,
        watchdog: Watchdog,
        operate: Operate | None = None,
    ) -> None:
        self._operate = operate
        self._recorder = recorder
        self._health = health
        self._camera = camera
        self._outputs = outputs
        self._watchdog = watchdog

    def __call__(self, context: Context) -> None:
        """The last stage: when it runs, every other one has checked in. Raises WatchdogFault."""
        health, now_ms, reasons = self._health, context.now_ms, context.reasons
        if context.fresh:
            health.saw(context.frame, now_ms)
        if context.judged and not context.doubtful:
            health.judged(now_ms)
            reasons.pop("npu", None)
        driver = self._camera.fault
        blind = health.camera_reason(now_ms, driver.reason if driver else "")
        self._step(context, health.camera, blind)
        self._step(context, health.npu, health.npu_reason(now_ms, reasons.get("npu", "")))
        self._step(context, health.storage, self._recorder.reason)
        self._step(context, health.output, self._outputs.reason)
        self._step(context, health.watchdog, reasons.pop("watchdog", ""))
        self._step(context, health.memory, reasons.pop("memory", ""))
        self._step(context, health.operator, self._operate.reason if self._operate else "")
        self._step(context, health.heat, reasons.pop("thermal", ""))
        self._step(context, health.loop, "silent" if self._outputs.has_fallen(now_ms) else "")
        self._relay(context)
        self._outputs.beat(now_ms)
        if not self._outputs.has_lost_its_guard:
            self._watchdog.feed(now_ms)

    def _step(self, context: Context, fault: FaultState, reason: str) -> None:
        if fault.step(reason, context.now_ms):
            self._tell(context, fault)

    def _tell(self, context: Context, fault: FaultState) -> None:
        why: dict[str, object] = {"reason": fault.reason}
        driver = self._camera.fault
        if fault is self._health.camera and driver is not None and driver.detail:
            why["detail"] = driver.detail
        state = "raised" if fault.active else "cleared"
        context.events.add(
            "fault", context.t_ms, context.frame.frame_id, state, why, rule=fault.name
        )

    def _relay(self, context: Context) -> None:
        healthy = self._health.healthy
        if self._outputs.drive("fault", healthy, context.now_ms):
            for name in self._outputs.names("fault"):
                tell_output(context, name, "fault", healthy, {"healthy": healthy})
