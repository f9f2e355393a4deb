"""The stage that looks at the view, before the rules; only where a rule asks for it."""

from __future__ import annotations

from runtime.alarm import Alarms
from runtime.alarm_state import AlarmState
from runtime.context import Context
from runtime.loop import Stage, fresh
from runtime.view import View
from runtime.view_watcher import Watcher

BUDGET_MS = 0.3
"""Of a picture that is looked at; most are not."""
RELEARN = ("moved", "frozen")
"""Acknowledging one of these takes the present picture as the right one. A cover has to go."""


def view_stages(context: Context, size: tuple[int, int], alarms: Alarms) -> tuple[Stage, ...]:
    """The row of the stage table, between track and rules; none where no rule asks for it.

    Args:
        context: with the table, or without.
        size: width and height of the pictures, pixels.
        alarms: tell when an operator has acknowledged.
    """
    if context.view is None:
        return ()
    watcher = Watcher(context.view, *size)
    watcher.rehearse()
    return (Stage("view", LookAtView(watcher, context.view, alarms), fresh, BUDGET_MS),)


class LookAtView:
    """Fill the table of the view.

    Args:
        watcher: fills it.
        view: the table.
        alarms: tell when an operator has acknowledged.
    """

    def __init__(self, watcher: Watcher, view: View, alarms: Alarms) -> None:
        self._watcher = watcher
        self._view = view
        self._alarms = alarms
        self._acked = [False] * len(view.raised)

    def __call__(self, context: Context) -> None:
        """Look at a fresh picture."""
        if any(self._view.raised) and self._is_right_now():
            self._watcher.relearn()
        self._watcher.look(context.frame.pixels, context.tracks, context.t_ms)

    def _is_right_now(self) -> bool:
        """An operator has just acknowledged that the camera stands as it shall."""
        relearn, states = False, self._alarms.states
        for rule, kind in enumerate(self._view.raised):
            acked = states[rule] is AlarmState.ACTIVE_ACKED
            relearn |= acked and not self._acked[rule] and kind in RELEARN
            self._acked[rule] = acked
        return relearn
