"""The alarm stage: from hazards to siren and strobe, and from changes to records that say why."""

from __future__ import annotations

from time import perf_counter_ns

from runtime.alarm import AlarmEdge, Alarms
from runtime.alarm_cause import Causes
from runtime.alarm_config import AlarmConfig
from runtime.alarm_outputs import Sounding
from runtime.context import Context
from runtime.metrics import Metrics
from runtime.outputs import Outputs
from runtime.rules.engine import Rules

MOMENTARY = ("line",)
"""Rule kinds whose causes last for one picture."""


def alarms_of(rules: Rules, config: AlarmConfig) -> Alarms:
    """One alarm per rule of a site."""
    momentary = [index for index, info in enumerate(rules.table) if info.kind in MOMENTARY]
    return Alarms([info.severity for info in rules.table], config, momentary)


class Alarm:
    """Step the alarm states and drive siren and strobe. This stage is never left out."""

    def __init__(self, alarms: Alarms, rules: Rules, outputs: Outputs, metrics: Metrics) -> None:
        self._alarms = alarms
        self._rules = rules
        self._outputs = outputs
        self._metrics = metrics
        self.causes = Causes(alarms.retrigger_ms)
        self._at_rest = False

    def __call__(self, context: Context) -> None:
        """Outputs first, words later."""
        alarms, hazards, t_ms = self._alarms, context.hazards, context.t_ms
        before = alarms.sound
        if hazards.edges:
            fresh, again = self.causes.sort(hazards.edges, t_ms)
            changed = alarms.step(hazards.active, fresh, t_ms, again)
        else:
            changed = alarms.step(hazards.active, (), t_ms)
        if not changed and self._at_rest and not alarms.edges:
            return
        self._drive(context, is_new=not before.pattern)
        if alarms.edges:
            self._tell(context)
        if changed:
            self._tell_outputs(context, before)

    def _drive(self, context: Context, is_new: bool) -> None:
        """Bring siren and strobe to their levels; what is refused is tried again next time."""
        outputs, sound = self._outputs, self._alarms.sound
        level = self._alarms.siren_level(context.t_ms)
        if outputs.drive("siren", level, context.now_ms) and level and is_new and context.fresh:
            self._metrics.to_output.add(perf_counter_ns() - context.captured_ns)
        outputs.drive("strobe", sound.strobe, context.now_ms)
        self._at_rest = (
            not sound.pattern
            and outputs.took("siren", False)
            and outputs.took("strobe", sound.strobe)
        )

    def _tell(self, context: Context) -> None:
        for edge in self._alarms.edges:
            rule = self._rules.table[edge.rule]
            cause = self.causes.last[edge.rule]
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
        self._alarms.edges.clear()

    def _why(self, edge: AlarmEdge, context: Context) -> dict[str, object]:
        """Who and why first, then what the alarm itself adds."""
        alarms, rule = self._alarms, edge.rule
        why: dict[str, object] = {"severity": alarms.severities[rule]}
        cause = self.causes.last[rule]
        if cause is not None:
            why |= cause.why
            why["since_ms"] = round(cause.since_ms)
        people = context.hazards.active[rule]
        if people > 1:
            why["causes"] = people
        why |= edge.why
        if alarms.sound.pattern:
            why["siren"] = alarms.sound.pattern
        return why

    def _tell_outputs(self, context: Context, before: Sounding) -> None:
        sound = self._alarms.sound
        for role, was, now in (
            ("siren", before.pattern, sound.pattern),
            ("strobe", "steady" * before.strobe, "steady" * sound.strobe),
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
