"""The alarm stage: from hazards to siren and strobe, and from changes to records that say why."""

from __future__ import annotations

from time import perf_counter_ns

from runtime.alarm import AlarmEdge, Alarms
from runtime.alarm_cause import Causes
from runtime.alarm_outputs import SILENT, Sounding, all_levels
from runtime.alarm_state import UNACKED
from runtime.context import Context
from runtime.metrics import Metrics
from runtime.outputs import Outputs
from runtime.restore import STANDING, keys_of
from runtime.rules.engine import Rules
from runtime.self_test import SelfTest


class Alarm:
    """Step the alarm states and drive siren, strobe and buzzers. This stage is never left out."""

    def __init__(
        self, alarms: Alarms, rules: Rules, outputs: Outputs, metrics: Metrics, test: SelfTest
    ) -> None:
        self._test = test
        self._shown: Sounding = SILENT
        self._buzzer = ""
        self._alarms = alarms
        self._rules = rules
        self._outputs = outputs
        self._metrics = metrics
        self.causes = Causes(alarms.retrigger_ms)
        self._keys = keys_of(rules.table)
        self._at_rest = False

    def __call__(self, context: Context) -> None:
        """Outputs first, words later."""
        alarms, hazards, t_ms = self._alarms, context.hazards, context.t_ms
        if hazards.edges:
            fresh, again = self.causes.sort(hazards.edges, t_ms)
            changed = alarms.step(hazards.active, fresh, t_ms, again)
        else:
            changed = alarms.step(hazards.active, (), t_ms)
        if not (changed or alarms.edges or self._test.phase) and self._at_rest:
            return
        before, self._shown = self._shown, self._show(context)
        beeped, self._buzzer = self._buzzer, self._beeping()
        self._drive(context, is_new=not before.pattern)
        if alarms.edges:
            self._tell(context)
        if self._test.edges:
            self._tell_test(context)
        if self._shown != before or self._buzzer != beeped:
            self._tell_outputs(context, before, beeped)

    def _show(self, context: Context) -> Sounding:
        """What siren and strobe shall do now: the alarms, or the self test where there is none."""
        test, sound = self._test, self._alarms.sound
        if test.phase:
            test.step(context.now_ms, is_clear=sound == SILENT, problem=self._outputs.reason)
        return all_levels(sound, healthy=True, test=test.phase)

    def _beeping(self) -> str:
        """Pattern of the buzzers; in a self test they sound as the siren does."""
        return self._shown.pattern if self._test.phase else self._alarms.buzzer

    def _drive(self, context: Context, is_new: bool) -> None:
        """Bring siren and strobe to their levels; what is refused is tried again next time."""
        outputs, shown, alarms = self._outputs, self._shown, self._alarms
        level = bool(shown.pattern) if self._test.phase else alarms.siren_level(context.t_ms)
        if outputs.drive("siren", level, context.now_ms) and level and is_new and context.fresh:
            self._metrics.to_output.add(perf_counter_ns() - context.captured_ns)
        outputs.drive("strobe", shown.strobe, context.now_ms)
        beeps = bool(self._buzzer) if self._test.phase else alarms.buzzer_level(context.t_ms)
        outputs.drive("buzzer", beeps, context.now_ms)
        self._at_rest = (
            not shown.pattern
            and outputs.took("siren", False)
            and outputs.took("strobe", shown.strobe)
            and outputs.took("buzzer", False)
        )

    def _tell_test(self, context: Context) -> None:
        for state, why in self._test.edges:
            context.events.add(
                "operator", context.t_ms, context.frame.frame_id, state, why, rule="self_test"
            )
        self._test.edges.clear()

    def tell_standing(self, context: Context) -> None:
        """Queue what waits for an operator once more, before the journal forgets it."""
        for rule, state in enumerate(self._alarms.states):
            if state in UNACKED:
                self._add(context, AlarmEdge(rule, STANDING, {"state": state.name.lower()}))

    @property
    def standing(self) -> int:
        """Alarms that wait for an operator."""
        return sum(state in UNACKED for state in self._alarms.states)

    def _tell(self, context: Context) -> None:
        for edge in self._alarms.edges:
            self._add(context, edge)
        self._alarms.edges.clear()

    def _add(self, context: Context, edge: AlarmEdge) -> None:
        rule, cause = self._rules.table[edge.rule], self.causes.last[edge.rule]
        context.events.add(
            "alarm",
            context.t_ms,
            context.frame.frame_id,
            edge.state,
            self._why(edge, context),
            rule=rule.kind,
            zone=rule.place,
            track=cause.track if cause else 0,
        )

    def _why(self, edge: AlarmEdge, context: Context) -> dict[str, object]:
        """Who and why first, then what the alarm itself adds."""
        alarms, rule = self._alarms, edge.rule
        why: dict[str, object] = {"severity": alarms.severities[rule]}
        cause = self.causes.last[rule]
        if cause is not None:
            why |= cause.why
            if "since_wall_ms" not in why:
                why["since_ms"] = round(cause.since_ms)
        nth = self._keys[rule][-1]
        if nth:
            why["nth"] = nth
        people = context.hazards.active[rule]
        if people > 1:
            why["causes"] = people
        why |= edge.why
        if alarms.sound.pattern:
            why["siren"] = alarms.sound.pattern
        return why

    def _tell_outputs(self, context: Context, before: Sounding, beeped: str) -> None:
        sound = self._shown
        for role, was, now in (
            ("siren", before.pattern, sound.pattern),
            ("strobe", "steady" * before.strobe, "steady" * sound.strobe),
            ("buzzer", beeped, self._buzzer),
        ):
            if was == now:
                continue
            for name in self._outputs.names(role):
                tell_output(context, name, role, bool(now), {"pattern": now} if now else {})


def tell_output(
    context: Context, name: str, role: str, level: bool, why: dict[str, object]
) -> None:
    """Queue the event of one output that changed."""
    context.events.add(
        "output",
        context.t_ms,
        context.frame.frame_id,
        "on" if level else "off",
        {"output": name, "role": role, **why},
    )
