"""What must hold of alarms, and a search through every sequence of events.

The search goes breadth first through all worlds that differ, so it leaves no sequence out. A fault
is no event of its own: every world is looked at with a fault and without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from runtime import alarm_outputs
from runtime.alarm import Alarms
from runtime.alarm_config import AlarmConfig
from runtime.alarm_outputs import Levels
from runtime.alarm_state import AlarmState
from runtime.tables import HazardEdge
from tests.runtime.alarm_world import (
    ACKED,
    DANGER,
    NORMAL,
    RETURNED,
    SEVERITIES,
    SHELF_MS,
    UNACKED,
    WARNING,
    Ghost,
    World,
    thaw,
)

DEPTH = 8
PATTERN = {"danger": "march", "warning": "alert"}
LOUDNESS = {"": 0, "alert": 1, "march": 2}
PLAIN = AlarmConfig(min_on_ms=0, max_sound_ms=3, retrigger_ms=2)
DELAYED = AlarmConfig(on_delay_ms=2, off_delay_ms=2, min_on_ms=2, max_sound_ms=4, retrigger_ms=3)
UNLATCHED = AlarmConfig(latch=False, min_on_ms=0, max_sound_ms=3, retrigger_ms=0)
CONFIGS = {"plain": PLAIN, "delayed": DELAYED, "unlatched": UNLATCHED}


class Broken(AssertionError):
    """An invariant does not hold."""


def must(holds: bool, words: str) -> None:
    if not holds:
        raise Broken(words)


@dataclass(frozen=True)
class Event:
    """What happens, and the ms until the next picture is judged."""

    ms: int = 1
    rule: int = -1
    """Where people come or leave; -1: nowhere."""
    who: int = 0
    """Who comes; 0: all leave."""
    do: Callable[[World], None] | None = None
    """A command, before the time passes."""


def mute(world: World) -> None:
    world.alarms.mute()
    for rule, state in enumerate(world.alarms.states):
        if state in (UNACKED, RETURNED):
            world.ghosts[rule] = replace(world.ghosts[rule], muted=True)


def shelve(world: World) -> None:
    world.alarms.shelve(DANGER, SHELF_MS)
    world.ghosts[DANGER] = replace(world.ghosts[DANGER], shelf=SHELF_MS)


def unshelve(world: World) -> None:
    world.alarms.unshelve(DANGER)
    world.ghosts[DANGER] = replace(world.ghosts[DANGER], shelf=0)


EVENTS = {
    "kim comes": Event(rule=DANGER, who=1),
    "lee comes": Event(rule=DANGER, who=2),
    "they leave": Event(rule=DANGER),
    "park comes": Event(rule=WARNING, who=3),
    "park leaves": Event(rule=WARNING),
    "acknowledge": Event(do=lambda world: world.alarms.acknowledge()),
    "mute": Event(do=mute),
    "shelve": Event(do=shelve),
    "unshelve": Event(do=unshelve),
    "reboot": Event(do=lambda world: world.reboot()),
    "1 ms": Event(),
    "4 ms": Event(ms=4),
}


def explore(config: AlarmConfig, depth: int = DEPTH) -> tuple[int, int]:
    """Every sequence of events; returns how many worlds and how many steps there are.

    Raises:
        Broken: with the events that lead to it.
    """
    world = World(config)
    start = world.freeze()
    came: dict[object, tuple[object, str] | None] = {start: None}
    edge, steps = [start], 0
    for _ in range(depth):
        reached = []
        for frozen in edge:
            for name in EVENTS:
                if is_mirrored(thaw(world, frozen), name):
                    continue
                steps += 1
                try:
                    after = play(world, name).freeze()
                except Broken as broken:
                    raise Broken(f"{broken}, after {way(came, frozen, name)}") from None
                if after not in came:
                    came[after] = (frozen, name)
                    reached.append(after)
        edge = reached
    return len(came), steps


def is_mirrored(world: World, name: str) -> bool:
    """Whoever comes first is Kim: where nobody is remembered, Lee would be the same story."""
    ghost = world.ghosts[DANGER]
    return name == "lee comes" and not ghost.people and not ghost.gone


def way(came: dict[object, tuple[object, str] | None], frozen: object, last: str) -> str:
    names = [last]
    while (step := came[frozen]) is not None:
        frozen, name = step
        names.append(name)
    return ", ".join(reversed(names))


def play(world: World, name: str) -> World:
    """One event and the picture after it, checked."""
    event, before = EVENTS[name], world.alarms.states
    was_shelved = [ghost.shelf > 0 for ghost in world.ghosts]
    if event.do is not None:
        event.do(world)
    hold_ms = world.config.retrigger_ms
    world.ghosts = [ghost.later(event.ms, hold_ms) for ghost in world.ghosts]
    world.step(event.ms, move(world, event) if event.rule >= 0 else [])
    if name == "reboot":
        after_reboot(world, before)
        before = [RETURNED if state is RETURNED else NORMAL for state in world.alarms.states]
    for rule in (DANGER, WARNING):
        ghost = judge(world, rule, before[rule], name == "acknowledge")
        state, off_shelf = world.alarms.states[rule], was_shelved[rule] and not ghost.shelf
        if state is UNACKED and off_shelf:
            ghost = replace(ghost, start=0, muted=False)
        world.ghosts[rule] = ghost
    look(world)
    return world


def after_reboot(world: World, before: list[AlarmState]) -> None:
    """What nobody had acknowledged waits on, with its lamp and without a sound."""
    for was, now in zip(before, world.alarms.states, strict=True):
        waits = was in (UNACKED, RETURNED) and world.config.latch
        must(now is (RETURNED if waits else NORMAL), "a restart loses or invents an alarm")
    must(not world.alarms.sound.pattern, "sounds after a restart although nobody is seen")
    must(not any(alarm.shelved_until_ms for alarm in world.alarms.each), "shelved over a restart")


def move(world: World, event: Event) -> list[HazardEdge]:
    """People come or leave; the edges that a rule would give."""
    ghost = world.ghosts[event.rule]
    if not event.who:
        left = {who: 0 for who in ghost.people}
        gone = tuple(sorted((dict(ghost.gone) | left).items()))
        changed = 0 if left else ghost.changed
        now = replace(ghost, people=frozenset(), changed=changed, gone=gone)
        edges = [HazardEdge(event.rule, who, who, "cleared", {}) for who in sorted(left)]
    elif event.who in ghost.people:
        return []
    else:
        now = replace(
            ghost,
            people=ghost.people | {event.who},
            changed=ghost.changed if ghost.people else 0,
            is_new=ghost.is_new or event.who not in dict(ghost.gone),
        )
        edges = [HazardEdge(event.rule, event.who, event.who, "raised", {})]
    world.ghosts[event.rule] = now
    return edges


def judge(world: World, rule: int, before: AlarmState, acked: bool) -> Ghost:
    """One alarm's state against its cause; returns what is remembered from now on."""
    config, ghost, state = world.config, world.ghosts[rule], world.alarms.states[rule]
    active, settled = bool(ghost.people), ghost.settled
    delay_ms = config.on_delay_ms if active else config.off_delay_ms
    raised = active if ghost.changed >= delay_ms else ghost.raised
    is_new = raised and ghost.is_new
    if is_new:
        must(state is UNACKED, "a new person does not sound")
        return replace(ghost, raised=True, is_new=False, settled=False, start=0, muted=False)
    settled = settled or acked
    if raised:
        expected = ACKED if settled else UNACKED
    elif before in (UNACKED, RETURNED) and config.latch and not acked:
        expected = RETURNED
    else:
        expected = NORMAL
    must(state is expected, f"{SEVERITIES[rule]} is {state.name}, must be {expected.name}")
    return replace(ghost, raised=raised, settled=settled)


def look(world: World) -> None:
    """The outputs against the states and the ghosts."""
    config, alarms = world.config, world.alarms
    loudest, lit = 0, False
    for rule, severity in enumerate(SEVERITIES):
        ghost, state = world.ghosts[rule], alarms.states[rule]
        must(alarms.shelved_ms(rule) == ghost.shelf, "shelved for another time than asked for")
        if state is NORMAL or ghost.shelf:
            continue
        lit = True
        if state is UNACKED and not ghost.muted:
            must(ghost.start is not None, "an alarm that has never begun")
            if ghost.start < config.max_sound_ms:
                loudest = max(loudest, LOUDNESS[PATTERN[severity]])
    for healthy in (True, False):
        shown = outputs_of(alarms, healthy)
        must(LOUDNESS[shown.pattern] >= loudest, "an unacknowledged alarm is silent")
        must(shown.strobe or not lit, "an alarm without a lamp")
        if not config.min_on_ms:
            must(LOUDNESS[shown.pattern] == loudest, "a sound without an alarm")
            must(shown.strobe == lit, "a lamp without an alarm")
        must(shown.relay is healthy, "the relay does not tell of the fault")


def outputs_of(alarms: Alarms, healthy: bool) -> Levels:
    """As the stages of the loop put it together."""
    return alarm_outputs.all_levels(alarms.sound, healthy=healthy, test="")
