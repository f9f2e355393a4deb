"""Puts a scenario's faults, operator actions and end on the clock, and notes what was played."""

from __future__ import annotations

from collections.abc import Callable

from runtime.control import CommandRefused, Target
from runtime.machine import Machine
from sim.board.board import VirtualBoard
from sim.board.clock import BoardReset, SimClock
from sim.board.faults import kinds_of
from sim.scenario import updating
from sim.scenario.result import ActionSeen, FaultSeen
from sim.scenario.schema import ActionConfig, FaultConfig, Scenario

BY = "operator"
"""Who asks, in the records."""
GRACE_MS = 1000.0
"""A loop that has not come back so long after the end hangs."""


class Timeline:
    """What happens to the board and its operator.

    Args:
        scenario: whose faults and actions.
        clock: they become its timers.
        board: what is broken and mended.
        bundles: that actions bring, by the action's number.

    Attributes:
        machine: the running firmware; None while the board is off or boots.
        faults, actions: as they were played so far.
    """

    def __init__(
        self,
        scenario: Scenario,
        clock: SimClock,
        board: VirtualBoard,
        bundles: dict[int, updating.Bundle],
    ) -> None:
        self._clock = clock
        self._board = board
        self._bundles = bundles
        self._duration_ms = scenario.duration_ms
        self.machine: Machine | None = None
        self.faults: list[FaultSeen] = []
        self.actions: list[ActionSeen] = []
        self._struck: set[int] = set()
        for number, fault in enumerate(scenario.faults):
            clock.at(fault.at_ms, self._begins(number, fault))
        for number, action in enumerate(scenario.actions):
            clock.at(action.at_ms, self._acts(number, action))
        clock.at(scenario.duration_ms, self._stop)
        clock.at(scenario.duration_ms + GRACE_MS, self._over)

    def inject(self, fault: FaultConfig) -> None:
        """A fault from outside, now.

        Raises:
            BoardReset: one that ends the run.
        """
        self._begins(-1, fault)()

    def struck(self, operation: int) -> None:
        """A cut that waited for this operation of the storage happened now."""
        for index, fault in enumerate(self.faults):
            if fault.options.get("at_operation") == operation and index not in self._struck:
                self._struck.add(index)
                fault.from_ms = fault.to_ms = self._clock.now_ms()
                return

    def _begins(self, number: int, fault: FaultConfig) -> Callable[[], None]:
        """The timer of a fault; its end is set before it begins, as some never come back."""

        def begin() -> None:
            now_ms = self._clock.now_ms()
            kind = kinds_of(fault.component, self._board.faults.outputs)[fault.type]
            to_ms = now_ms + fault.for_ms if fault.for_ms else float(self._duration_ms)
            if kind.is_moment:
                to_ms = now_ms
            elif fault.for_ms:
                self._clock.at(to_ms, lambda: self._board.mend(fault.component, fault.type))
            self.faults.append(
                FaultSeen(
                    number=number,
                    component=fault.component,
                    type=fault.type,
                    from_ms=now_ms,
                    to_ms=to_ms,
                    options=dict(fault.options),
                    text=kind.text,
                )
            )
            self._board.break_(fault.component, fault.type, fault.options)

        return begin

    def _running(self) -> Machine | None:
        return self.machine if self._board.is_running else None

    def _acts(self, number: int, action: ActionConfig) -> Callable[[], None]:
        def act() -> None:
            machine = self._running()
            now_ms = self._clock.now_ms()
            if action.do == "press":
                self._board.press(action.button)
                self._clock.at(now_ms + action.for_ms, lambda: self._board.let_go(action.button))
            elif action.do == "update":
                bundle, now = self._bundles[number], self._running
                updating.Bringing(bundle, float(action.for_ms), self._clock, now).begin()
            elif machine is not None and action.do in ("confirm", "rollback"):
                updating.ask(machine, action.do)
            elif machine is not None:
                _operate(machine, action, now_ms)
            parts = action.do, action.student, action.button, action.rule, action.place
            where = " ".join(filter(None, parts))
            done = machine is not None
            self.actions.append(ActionSeen(t_ms=now_ms, do=action.do, text=where, done=done))

        return act

    def _stop(self) -> None:
        if self.machine is not None:
            self.machine.loop.stop()

    def _over(self) -> None:
        raise BoardReset("over", "the loop did not come back")


def _operate(machine: Machine, action: ActionConfig, now_ms: float) -> None:
    """What a technician would send; one that is refused is written down as by the link."""
    control, target = machine.control, Target(place=action.place, rule=action.rule)
    try:
        match action.do:
            case "acknowledge":
                control.acknowledge(BY, target)
            case "mute":
                control.mute(BY)
            case "shelve":
                control.shelve(BY, target, float(action.for_ms))
            case "unshelve":
                control.unshelve(BY, target)
            case "self_test":
                control.self_test(BY, now_ms)
    except CommandRefused as refused:
        control.refuse(BY, str(refused))
