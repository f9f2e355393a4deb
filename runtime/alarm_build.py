"""Puts the alarms of a site together: the stage, the self test, and the operator's way to both."""

from __future__ import annotations

from contextlib import ExitStack

from drivers.interfaces import Clock
from drivers.operator_config import ControlConfig
from runtime import control_socket
from runtime.alarm import Alarms
from runtime.alarm_config import AlarmConfig
from runtime.alarm_stage import Alarm
from runtime.context import Context
from runtime.control import Control
from runtime.control_stage import Operate, open_socket
from runtime.inputs import Inputs
from runtime.metrics import Metrics
from runtime.outputs import Outputs
from runtime.record import Recorder
from runtime.restore import restore
from runtime.rules.engine import Rules
from runtime.self_test import Schedule, SelfTest

MOMENTARY = ("line",)
"""Rule kinds whose causes last for one picture."""


def alarms_of(rules: Rules, config: AlarmConfig) -> Alarms:
    """One alarm per rule of a site."""
    momentary = [index for index, info in enumerate(rules.table) if info.kind in MOMENTARY]
    return Alarms([info.severity for info in rules.table], config, momentary)


class AlarmParts:
    """Everything about alarms that a loop needs.

    Args:
        rules: of the site.
        config: `[alarm]` of the site file.
        outputs: that are driven.
        metrics: of the loop.

    Attributes:
        alarms: one per rule.
        stage: steps them and drives the outputs.
        control: what an operator may do.
    """

    def __init__(
        self, rules: Rules, config: AlarmConfig, outputs: Outputs, metrics: Metrics
    ) -> None:
        self._rules, self._config = rules, config
        self._test = SelfTest(config.self_test)
        self.alarms = alarms_of(rules, config)
        self.stage = Alarm(self.alarms, rules, outputs, metrics, self._test)
        self.control = Control(self.alarms, rules, self.stage.causes, self._test)

    def operate(
        self, inputs: Inputs, config: ControlConfig, clock: Clock, stack: ExitStack
    ) -> Operate:
        """The operator stage, with its socket where the board file names one."""
        socket, problem = open_socket(config.socket, self.control, clock.now_ms())
        if socket is not None:
            stack.callback(socket.close)
        schedule = Schedule(self._config.self_test, clock)
        return Operate(self.control, inputs, socket, schedule, problem)

    def rehearse(self, context: Context) -> None:
        """Before the memory is sealed: every command once, on a loop that is thrown away."""
        control_socket.rehearse(self.control)
        self.control.done.clear()
        self.stage.tell_standing(context)

    def restore(self, recorder: Recorder, context: Context) -> None:
        """Bring back what waited for an operator before the restart. Raises StorageFault."""
        table = self._rules.table
        restore(recorder.kept_alarms(), table, self.alarms, self.stage.causes, context.events)
