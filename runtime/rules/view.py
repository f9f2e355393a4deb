"""Rule `intrusion_of_view`: the camera no longer sees what it was set up to see.

The table of the view says what was found, this rule says from when on it matters. One hazard per
rule, of no track; the first kind that holds is named, in the order dark, moved, covered, frozen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from runtime.rules.scope import Scope
from runtime.site_rules import ViewKind, ViewRuleConfig
from runtime.tables import HazardEdge, Hazards, Tracks
from runtime.view import View

DARK_SHARE = 0.9
"""Share of the picture in which nothing is seen for darkness; less is a night with lamps."""
NO_SLOT, NO_TRACK = -1, 0
ORDER: tuple[ViewKind, ...] = ("dark", "moved", "covered", "frozen")


class ViewRules:
    """All rules of this kind, with hysteresis in time on both edges.

    Args:
        rules: (index into the site's rules, rule) for each.
        view: what is seen.
        scope: which rules sleep.
    """

    def __init__(
        self, rules: Sequence[tuple[int, ViewRuleConfig]], view: View, scope: Scope
    ) -> None:
        self._watches = [Watch(index, rule) for index, rule in rules]
        self._view = view
        self._scope = scope

    def update(self, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """Judge one frame; appends edges to `hazards` and keeps `hazards.active` up to date.

        Args:
            tracks: not looked at.
            t_ms: source time.
            hazards: edges "raised" and "cleared" are added.
        """
        for watch in self._watches:
            watch.judge(self._view, not self._scope.asleep[watch.index], t_ms, hazards)


class Watch:
    """One rule.

    Attributes:
        index: into the site's rules.
    """

    def __init__(self, index: int, rule: ViewRuleConfig) -> None:
        self.index = index
        self._rule = rule
        self._kinds = tuple(kind for kind in ORDER if kind in rule.kinds)
        self._wrong = False
        self._since_ms = 0.0
        self._active = False

    def judge(self, view: View, awake: bool, t_ms: float, hazards: Hazards) -> None:
        """One frame."""
        kind = self._kind(view) if awake and view.learned else None
        if (kind is not None) != self._wrong:
            self._wrong, self._since_ms = kind is not None, t_ms
        if self._active and kind is not None:
            view.raised[self.index] = kind
        if self._wrong == self._active:
            return
        rule, held_ms = self._rule, round(t_ms - self._since_ms)
        if kind is not None and held_ms >= rule.hold_ms:
            why = {**self._why(kind, view), "held_ms": held_ms, "hold_ms": rule.hold_ms}
            self._edge(kind, why, view, hazards)
        elif kind is None and held_ms >= rule.clear_ms:
            values = {"missing": round(view.missing, 2), "shift": round(view.shift, 3)}
            why = {**values, "over_ms": held_ms, "clear_ms": rule.clear_ms}
            self._edge("", why, view, hazards)

    def _kind(self, view: View) -> ViewKind | None:
        for kind in self._kinds:
            if self._holds(kind, view):
                return kind
        return None

    def _holds(self, kind: ViewKind, view: View) -> bool:
        match kind:
            case "dark":
                return view.dark >= DARK_SHARE
            case "moved":
                return view.other_scene or view.shift > self._rule.max_shift
            case "covered":
                return view.missing >= self._rule.covered_share and not view.other_scene
            case "frozen":
                return view.frozen

    def _why(self, kind: ViewKind, view: View) -> dict[str, object]:
        """What was found, beside its limit."""
        rule, why = self._rule, dict[str, object](kind=kind)
        match kind:
            case "dark":
                why |= {"dark": round(view.dark, 2), "dark_share": DARK_SHARE}
                why |= {"level": round(view.level)}
            case "moved" if view.other_scene:
                why |= {"other_scene": True, "missing": round(view.missing, 2)}
            case "moved":
                why |= {"shift": round(view.shift, 3), "max_shift": rule.max_shift}
                why |= {"shift_px": list(view.shift_px), "turned_deg": round(view.turned_deg, 1)}
                why |= {"zoom": round(view.zoom, 3)}
            case "covered":
                why |= {"missing": round(view.missing, 2), "covered_share": rule.covered_share}
                why |= {"level": round(view.level)}
            case "frozen":
                why |= {"noise": round(view.noise, 2), "noise_floor": round(view.noise_floor, 2)}
        return why

    def _edge(
        self, kind: ViewKind | Literal[""], why: dict[str, object], view: View, hazards: Hazards
    ) -> None:
        self._active = bool(kind)
        view.raised[self.index] = kind
        hazards.active[self.index] = int(self._active)
        state = "raised" if kind else "cleared"
        hazards.add(HazardEdge(self.index, NO_SLOT, NO_TRACK, state, why))
