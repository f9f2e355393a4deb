"""How the site file's state may change; as `ota.steps` for the students.

A new text goes to a place that neither counts nor is on trial, so it can be written without harm;
the state names it only when it is durable.
"""

from __future__ import annotations

from msgspec.structs import replace

from ota.area import SITES
from ota.refusal import Refused
from ota.state import DETAIL_CHARS, NONE, Last, SiteState, State


def free_place(site: SiteState) -> int:
    """Where the next text goes."""
    return next(place for place in range(SITES) if place not in (site.confirmed, site.trial))


def saved(state: State, place: int, digest: bytes) -> State:
    """A durable text is the one to try."""
    old = state.site.digests
    digests = tuple(digest if at == place else one for at, one in enumerate(old))
    return _with(state, replace(state.site, trial=place, tries=0, digests=digests))


def started(state: State) -> State:
    """One more try. Raises Refused: "nothing" is on trial."""
    _on_trial(state)
    return _with(state, replace(state.site, tries=state.site.tries + 1))


def confirmed(state: State) -> State:
    """It stays. Raises Refused: "nothing" is on trial."""
    place = _on_trial(state)
    last = Last(outcome="confirmed", digest=state.site.digests[place])
    return _with(state, replace(state.site, confirmed=place, trial=NONE, tries=0, last=last))


def dropped(state: State, reason: str, detail: str) -> State:
    """The confirmed one counts again. Raises Refused: "nothing" is on trial."""
    last = Last(
        outcome="rolled_back",
        reason=reason[:DETAIL_CHARS],
        detail=detail[:DETAIL_CHARS],
        digest=state.site.digests[_on_trial(state)],
    )
    return _with(state, replace(state.site, trial=NONE, tries=0, last=last))


def _on_trial(state: State) -> int:
    if state.site.trial == NONE:
        raise Refused("nothing", "no site file is on trial")
    return state.site.trial


def _with(state: State, site: SiteState) -> State:
    return replace(state, site=site)
