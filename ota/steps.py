"""How the state of the students may change: each function makes the next state from one.

Each is a whole step: a power cut finds the state before it or the one after it, nothing between.
What may not be done is refused, and nothing has changed then.

    empty --receiving--> receiving --staged--> staged --trial_begun--> on trial
    on trial --confirmed--> confirmed          on trial --rolled_back--> bad
    receiving, staged, bad --abandoned--> empty
"""

from __future__ import annotations

from msgspec.structs import replace

from ota.refusal import Refused
from ota.state import DETAIL_CHARS, FACTORY, NONE, Last, SlotInfo, State


def free_slot(state: State) -> int:
    """The slot that the next set goes to: never what runs or is tried, rather not the way back.

    What was never finished goes first, so that there is one transfer at a time.
    """
    order = ("receiving", "staged", "empty", "bad", "confirmed")
    return min(
        (slot for slot in (0, 1) if slot not in (state.active, state.trial)),
        key=lambda slot: (slot == state.previous, order.index(state.slots[slot].status)),
    )


def receiving(state: State, slot: int, info: SlotInfo) -> State:
    """What the slot held is given up; `info` is on its way."""
    if slot in (state.active, state.trial):
        raise ValueError(f"slot {slot} is in use")
    state = with_slot(state, slot, replace(info, status="receiving"))
    if state.previous == slot:
        state = replace(state, previous=FACTORY)
    return replace(state, tries=0)


def staged(state: State, slot: int) -> State:
    """All of it is there and was read back."""
    info = state.slots[slot]
    if info.status != "receiving":
        raise ValueError(f"slot {slot} is {info.status}")
    return replace(with_slot(state, slot, replace(info, status="staged")), tries=0)


def trial_begun(state: State) -> State:
    """One more try of the set on trial, or the first of the one that is staged.

    Raises:
        Refused: "nothing" is staged; "counter": below the floor.
    """
    slot = state.trial
    if slot == NONE:
        slot = next((n for n, info in enumerate(state.slots) if info.status == "staged"), NONE)
    if slot == NONE:
        raise Refused("nothing", "no students wait for a trial")
    check_floor(state, state.slots[slot].counter)
    return replace(state, trial=slot, tries=state.tries + 1)


def confirmed(state: State) -> State:
    """The set on trial stays; nothing below its counter ever runs again.

    Raises:
        Refused: "nothing" is on trial.
    """
    slot = _on_trial(state)
    info = replace(state.slots[slot], status="confirmed")
    return replace(
        with_slot(state, slot, info),
        active=slot,
        previous=state.active,
        trial=NONE,
        tries=0,
        floor=max(state.floor, info.counter),
        last=about(info, "confirmed"),
    )


def rolled_back(state: State, reason: str, detail: str) -> State:
    """The set on trial failed; the active one goes on.

    Raises:
        Refused: "nothing" is on trial.
    """
    slot = _on_trial(state)
    info = replace(state.slots[slot], status="bad", why=reason[:DETAIL_CHARS])
    last = about(info, "rolled_back", reason, detail)
    return replace(with_slot(state, slot, info), trial=NONE, tries=0, last=last)


def gone_back(state: State, factory_counter: int) -> State:
    """The set before runs again, the present one is the way back from there.

    Whether its signature and hashes are right is for the caller to see first.

    Raises:
        Refused: "busy": a trial runs; "nothing" to go back to; "counter": below the floor.
    """
    if state.trial != NONE:
        raise Refused("busy", "a trial runs: roll it back first")
    slot = state.previous
    if slot == state.active:
        raise Refused("nothing", "these are the students that came with the image")
    if slot == FACTORY:
        info = SlotInfo(version="factory", counter=factory_counter)
    else:
        info = state.slots[slot]
        if info.status != "confirmed":
            raise Refused("nothing", f"slot {slot} is {info.status}")
    check_floor(state, info.counter)
    last = about(info, "went_back", "operator")
    return replace(state, active=slot, previous=state.active, last=last)


def abandoned(state: State) -> State:
    """What is half received, staged or bad is given up, and may be offered again.

    Raises:
        Refused: "busy": it is on trial; "nothing" of that sort.
    """
    if state.trial != NONE:
        raise Refused("busy", "a trial runs: roll it back first")
    slots = [n for n, one in enumerate(state.slots) if one.status in ("receiving", "staged", "bad")]
    if not slots:
        raise Refused("nothing", "no transfer is under way")
    last = about(state.slots[slots[0]], "abandoned", "operator")
    for slot in slots:
        state = with_slot(state, slot, SlotInfo())
    return replace(state, tries=0, last=last)


def set_aside(state: State, slot: int, reason: str, detail: str, before: int) -> State:
    """The set in a slot was found damaged, or may not run: it is gone, and may be offered again.

    Where it was active `before` takes its place: see `fall_back`, and look at it first. A camera
    that sees a little is better than a blind one, so the floor does not bind the factory's here.

    Raises:
        Refused: "nothing" in that slot.
    """
    if slot == FACTORY or state.slots[slot].status == "empty":
        raise Refused("nothing", f"slot {slot} is empty")
    last = about(state.slots[slot], "damaged", reason, detail)
    state = replace(with_slot(state, slot, SlotInfo()), last=last)
    if slot == state.trial:
        state = replace(state, trial=NONE, tries=0)
    if slot == state.active:
        state = replace(state, active=before, previous=FACTORY)
    if slot == state.previous:
        state = replace(state, previous=FACTORY)
    return state


def image_changed(state: State, release: int, counter: int) -> State:
    """Another image runs: of its own students and those in the slots, the newer ones run.

    Newer students of the image take over, and the set in the slot is the way back. Where the image
    goes back to an older one, so does this. What waits for a trial or is on one, and is older than
    the new image's students, is given up.

    Args:
        state: `image` is the release that the image before had.
        release, counter: of the students that came with this image.
    """
    is_newer = release > state.image
    state = replace(state, image=release)
    factory = SlotInfo(version="factory", release=release, counter=counter)
    if is_newer:
        state = _without_older(state, release)
        if state.active != FACTORY and _is_newer(factory, state.slots[state.active], state):
            last = about(factory, "image")
            return replace(state, active=FACTORY, previous=state.active, last=last)
    elif state.active == FACTORY != state.previous:
        info = state.slots[state.previous]
        if info.status == "confirmed" and _is_newer(info, factory, state):
            last = about(info, "image")
            return replace(state, active=state.previous, previous=FACTORY, last=last)
    return state


def _is_newer(one: SlotInfo, other: SlotInfo, state: State) -> bool:
    """By release, or by what it closes; never what may not run."""
    is_later = one.release > other.release or one.counter > other.counter
    return is_later and one.counter >= state.floor


def _without_older(state: State, release: int) -> State:
    """Nothing older than this waits for a trial, or is on one."""
    for slot, info in enumerate(state.slots):
        if info.status == "staged" and info.release < release:
            state = with_slot(state, slot, replace(info, status="bad", why="older"))
            detail = f"release {info.release}; the image has {release}"
            state = replace(state, tries=0, last=about(info, "rolled_back", "older", detail))
            if slot == state.trial:
                state = replace(state, trial=NONE)
    return state


def fall_back(state: State) -> int:
    """What runs where the active set cannot: the slot before if it may, else the factory's."""
    if FACTORY in (state.active, state.previous) or state.previous == state.active:
        return FACTORY
    info = state.slots[state.previous]
    may_run = info.status == "confirmed" and info.counter >= state.floor
    return state.previous if may_run else FACTORY


def check_floor(state: State, counter: int) -> None:
    """Raises Refused: "counter" where it is below the floor."""
    if counter < state.floor:
        raise Refused("counter", f"counter {counter}; this camera's floor is {state.floor}")


def with_slot(state: State, slot: int, info: SlotInfo) -> State:
    """`state` with another content of one slot."""
    slots = (info, state.slots[1]) if slot == 0 else (state.slots[0], info)
    return replace(state, slots=slots)


def about(info: SlotInfo, outcome: str, reason: str = "", detail: str = "") -> Last:
    """A note of how it ended, of bounded length."""
    return Last(
        outcome=outcome,
        reason=reason[:DETAIL_CHARS],
        detail=detail[:DETAIL_CHARS],
        release=info.release,
        version=info.version,
        digest=info.digest,
    )


def _on_trial(state: State) -> int:
    if state.trial == NONE:
        raise Refused("nothing", "no students are on trial")
    return state.trial
