"""What a camera tells about itself: one dict of plain values, for technicians and for fleets.

    device, product, board, runtime, uptime_ms
    students   from ("factory", "slot 0", "slot 1"), version, release, counter, digest (hex),
               distrust: why the newest key ring would not take them; ""
    floor      least security counter that may run
    update     phase ("idle", "receiving", "staged", "shadow", "probation"), version, release,
               done and bytes of a transfer, left_ms of a trial, tries, agreement
    last       how the last trial or transfer ended: outcome, reason, detail, release, version,
               digest
    previous   as students: where a way back leads; {} where there is none
    ring       version of the newest key ring that is trusted
    site       from ("image", "stored", "trial"), name, digest (hex), tries, last
    storage    why nothing may be changed on flash; "" where it may
    health     healthy, faults {name: reason}
    alarms     standing: how many
    memory     rss_kb, budget_kb
    heat       celsius (None without thermometers), shed (0 nothing, 1 far people, 2 every second
               picture too)
    camera     fps (pictures judged a second since a look before; left out at the first), wanted_fps

The runtime adds what only it knows; `stored` has the rest. Readers pass over keys that they do not
know, and do without those that are missing.
"""

from __future__ import annotations

from typing import Any, Final

from ota.state import FACTORY, NONE, Last, SlotInfo
from ota.updater import Updater

PHASES: Final = ("idle", "receiving", "staged", "shadow", "probation")
OUTCOMES: Final[dict[str, str]] = {
    "": "nothing was updated yet",
    "confirmed": "the new students stay",
    "rolled_back": "the trial failed; the students before go on",
    "image": "another image came, and of its students and those on flash the newer ones run",
    "went_back": "an operator went back to the students before",
    "abandoned": "the update was given up",
    "damaged": "students on flash were damaged and set aside",
}
"""Of `last`."""


def stored(updater: Updater) -> dict[str, Any]:
    """The part of the status that lies in flash, from memory: flash is not read here.

    `update.phase` is "idle", "receiving", "staged", or "shadow" for a set on trial: which phase of
    it the runtime knows.
    """
    state, facts = updater.store.state, updater.facts
    students = {**_set(updater, updater.running), "distrust": updater.distrust}
    has_previous = state.previous != state.active
    return {
        "device": facts.device,
        "product": facts.product,
        "board": facts.board,
        "runtime": facts.runtime,
        "students": students,
        "floor": state.floor,
        "update": _update(updater),
        "last": _last(state.last),
        "previous": _set(updater, state.previous) if has_previous else {},
        "ring": updater.ring.version,
        "site": _site(updater),
        "storage": updater.store.locked,
    }


def _set(updater: Updater, slot: int) -> dict[str, Any]:
    if slot == FACTORY:
        release = updater.facts.factory_release
        return _named("factory", SlotInfo(version="factory", release=release))
    return _named(f"slot {slot}", updater.store.state.slots[slot])


def _named(origin: str, info: SlotInfo) -> dict[str, Any]:
    return {
        "from": origin,
        "version": info.version,
        "release": info.release,
        "counter": info.counter,
        "digest": info.digest.hex(),
    }


def _update(updater: Updater) -> dict[str, Any]:
    state = updater.store.state
    slot, phase = state.trial, "shadow"
    if slot == NONE:
        found = [n for n, one in enumerate(state.slots) if one.status in ("staged", "receiving")]
        slot = found[0] if found else NONE
        phase = state.slots[slot].status if found else "idle"
    info = SlotInfo() if slot == NONE else state.slots[slot]
    transfer = updater.transfer
    is_known = transfer is not None and transfer.digest == info.digest
    return {
        "phase": phase,
        "version": info.version,
        "release": info.release,
        "digest": info.digest.hex(),
        "done": transfer.done_bytes if transfer is not None and is_known else 0,
        "bytes": transfer.all_bytes if transfer is not None and is_known else 0,
        "tries": state.tries,
        "left_ms": 0,
        "agreement": {},
    }


def _last(last: Last) -> dict[str, Any]:
    return {
        "outcome": last.outcome,
        "reason": last.reason,
        "detail": last.detail,
        "release": last.release,
        "version": last.version,
        "digest": last.digest.hex(),
    }


def _site(updater: Updater) -> dict[str, Any]:
    site = updater.store.state.site
    place, origin = site.trial, "trial"
    if place < 0:
        place, origin = site.confirmed, "stored" if site.confirmed >= 0 else "image"
    return {
        "from": origin,
        "name": "",
        "digest": site.digests[place].hex() if place >= 0 else "",
        "tries": site.tries,
        "last": _last(site.last),
    }
