"""The operator stage: buttons, commands and the schedule of the self test, once per tick."""

from __future__ import annotations

from drivers.faults import InputFault
from runtime.context import Context
from runtime.control import CommandRefused, Control
from runtime.control_socket import ControlSocket
from runtime.inputs import Button, Inputs
from runtime.self_test import Schedule


class Operate:
    """Do what operators ask for, and write it down.

    Args:
        control: does it.
        inputs: the buttons.
        socket: for commands; None: there is none.
        schedule: of the self test.
        problem: why there is no socket although the board file names one, or "".
    """

    def __init__(
        self,
        control: Control,
        inputs: Inputs,
        socket: ControlSocket | None,
        schedule: Schedule,
        problem: str = "",
    ) -> None:
        self._control, self._inputs, self._schedule = control, inputs, schedule
        self._has_buttons = len(inputs) > 0
        self._socket = socket
        self._problem = problem

    @property
    def reason(self) -> str:
        """Why a way to operate the camera does not work, or ""."""
        return self._problem or self._inputs.reason

    def __call__(self, context: Context) -> None:
        """Runs before the alarm stage, so that a command shows in the same tick."""
        now_ms, control = context.now_ms, self._control
        if self._has_buttons:
            for button in self._inputs.poll(now_ms):
                self._press(button, now_ms)
        if self._socket is not None:
            self._socket.poll(now_ms)
        if now_ms >= self._schedule.next_ms and self._schedule.is_due(now_ms):
            self._test("schedule", now_ms)
        if control.done:
            tell_done(context, control)

    def _press(self, button: Button, now_ms: float) -> None:
        by = f"button {button.name}"
        match button.role:
            case "acknowledge":
                self._control.acknowledge(by)
            case "mute":
                self._control.mute(by)
            case "self_test":
                self._test(by, now_ms)

    def _test(self, by: str, now_ms: float) -> None:
        try:
            self._control.self_test(by, now_ms)
        except CommandRefused as refused:
            self._control.refuse(by, str(refused))


def tell_done(context: Context, control: Control) -> None:
    """Queue what was done or refused as records."""
    for state, rule, place, why in control.done:
        context.events.add(
            "operator", context.t_ms, context.frame.frame_id, state, why, rule=rule, zone=place
        )
    control.done.clear()


def open_socket(path: str, control: Control, now_ms: float) -> tuple[ControlSocket | None, str]:
    """The socket, or why there is none: a camera without one still watches."""
    if not path:
        return None, ""
    try:
        return ControlSocket(path, control, now_ms), ""
    except InputFault as fault:
        return None, fault.reason
