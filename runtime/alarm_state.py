"""One alarm: active or returned, acknowledged or not, delayed, latched, shelved, muted.

After IEC 62682 / ISA-18.2 and OPC UA Part 9: an alarm that nobody has acknowledged stays, a new
cause sounds again, and silencing never hides.
"""

from __future__ import annotations

import math
from enum import IntEnum

from runtime.alarm_config import Times


class AlarmState(IntEnum):
    """The four states, and the one of rest."""

    NORMAL = 0
    ACTIVE_UNACKED = 1
    ACTIVE_ACKED = 2
    RETURNED_UNACKED = 3


UNACKED = (AlarmState.ACTIVE_UNACKED, AlarmState.RETURNED_UNACKED)


def transition(
    state: AlarmState, *, active: bool, fresh: bool, acked: bool, latch: bool
) -> AlarmState:
    """Next state of one alarm. RETURNED and ACKED together is NORMAL.

    Args:
        state: present state.
        active: the cause holds now.
        fresh: a new cause (another person) came in this frame; it sounds again.
        acked: an operator acknowledges in this frame.
        latch: keep an unacknowledged alarm after its cause has gone.
    """
    if active:
        if fresh or state in (AlarmState.NORMAL, AlarmState.RETURNED_UNACKED):
            return AlarmState.ACTIVE_UNACKED
        return AlarmState.ACTIVE_ACKED if acked else state
    if state in UNACKED and latch and not acked:
        return AlarmState.RETURNED_UNACKED
    return AlarmState.NORMAL


class OneAlarm:
    """The alarm of one rule. All times are source time in ms.

    Args:
        times: latching, delays and limits.
        is_momentary: its causes last for one picture (a crossing), so no on-delay applies.

    Attributes:
        state: present state.
        is_quiet: muted, or has sounded for its longest time.
        shelved_until_ms: 0.0: not shelved.
        sound_until_ms: sounds at least until then, whatever the state.
        ack_asked: to be acknowledged at the next step.
    """

    __slots__ = (
        "_active",
        "_again",
        "_changed_ms",
        "_fresh",
        "_is_momentary",
        "_raised",
        "_sounds_since_ms",
        "_times",
        "_was_acked",
        "ack_asked",
        "is_quiet",
        "shelved_until_ms",
        "sound_until_ms",
        "state",
    )

    def __init__(self, times: Times, is_momentary: bool = False) -> None:
        self._times = times
        self._is_momentary = is_momentary
        self.state = AlarmState.NORMAL
        self.is_quiet = False
        self.shelved_until_ms = self.sound_until_ms = 0.0
        self.ack_asked = False
        self._active = self._raised = self._fresh = self._again = self._was_acked = False
        self._changed_ms = -math.inf
        self._sounds_since_ms = -math.inf

    @property
    def latches(self) -> bool:
        """It stays until it is acknowledged."""
        return self._times.latch

    def restore(self) -> None:
        """Come back from before a restart: nobody has acknowledged it, its cause is not known."""
        self.state = AlarmState.RETURNED_UNACKED

    def mute(self) -> None:
        """Silence it until it sounds anew."""
        self.is_quiet = self.is_quiet or self.state in UNACKED
        self.sound_until_ms = 0.0

    def step(self, active: bool, fresh: bool, again: bool, now_ms: float) -> bool:
        """Advance to `now_ms`.

        Args:
            active: a cause holds.
            fresh: one of another person came in this frame.
            again: one of the same person came back in this frame, within `retrigger_ms`.
            now_ms: source time.

        Returns:
            True when its shelving has just expired.
        """
        before, was_raised = self.state, self._raised
        acked, self.ack_asked = self.ack_asked, False
        expired = 0.0 < self.shelved_until_ms <= now_ms
        if expired:
            self.shelved_until_ms = 0.0
        raised = self._raised = self._settled(active, now_ms)
        is_new = raised and (self._fresh or fresh)
        resumes = raised and not was_raised and not is_new and (self._again or again)
        self._fresh = not raised and (self._fresh or fresh)  # kept: it has never sounded
        self._again = active and not raised and (self._again or again)
        state = transition(
            before, active=raised, fresh=is_new, acked=acked, latch=self._times.latch
        )
        if resumes and (self._was_acked or acked):
            state = AlarmState.ACTIVE_ACKED
        elif state is AlarmState.ACTIVE_UNACKED and (
            is_new or expired or not (before is state or resumes)
        ):
            self._sound(now_ms)
        self.state = state
        self._hush(acked, now_ms)
        if state is AlarmState.ACTIVE_ACKED or (acked and state is AlarmState.NORMAL):
            self._was_acked = True
        return expired

    def deadline_ms(self, now_ms: float) -> float:
        """When something changes next although no cause does; infinity: never."""
        times, next_ms = self._times, math.inf
        if self._active != self._raised:
            next_ms = self._changed_ms + self._delay_ms(self._active)
        if self.sound_until_ms > now_ms:
            next_ms = min(next_ms, self.sound_until_ms)
        if times.max_sound_ms and self.state is AlarmState.ACTIVE_UNACKED and not self.is_quiet:
            next_ms = min(next_ms, self._sounds_since_ms + times.max_sound_ms)
        if self.shelved_until_ms:
            next_ms = min(next_ms, self.shelved_until_ms)
        return next_ms

    def _sound(self, now_ms: float) -> None:
        self._sounds_since_ms = now_ms
        self.sound_until_ms = now_ms + self._times.min_on_ms
        self.is_quiet = self._was_acked = False

    def _hush(self, acked: bool, now_ms: float) -> None:
        """What ends the sound although the state does not."""
        if acked:
            self.sound_until_ms = 0.0
        limit_ms = self._times.max_sound_ms
        if limit_ms and now_ms - self._sounds_since_ms >= limit_ms:
            self.is_quiet = True

    def _delay_ms(self, active: bool) -> int:
        if not active:
            return self._times.off_delay_ms
        return 0 if self._is_momentary else self._times.on_delay_ms

    def _settled(self, active: bool, now_ms: float) -> bool:
        """The cause after the on-delay and the off-delay."""
        if active is not self._active:
            self._active, self._changed_ms = active, now_ms
        if active is self._raised:
            return active
        settled = now_ms - self._changed_ms >= self._delay_ms(active)
        return active if settled else self._raised
