"""`[[rules]]` of a site file: one Struct per kind, with what they have in common."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

NonNegativeInt = Annotated[int, Meta(ge=0)]
PositiveInt = Annotated[int, Meta(ge=1)]
Severity = Literal["info", "warning", "danger", "evacuate"]
Equipment = Literal["helmet", "vest"]
ViewKind = Literal["covered", "moved", "frozen", "dark"]


class OverrideConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[rules.overrides]]`: other values for whoever stands in this zone."""

    zone: str
    severity: Severity | None = None
    """Left out: as in the rule."""
    hold_ms: NonNegativeInt | None = None
    clear_ms: NonNegativeInt | None = None


class _Rule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """What every rule has."""

    name: str = ""
    """For combined rules, and for people where a site has several of a kind."""
    schedule: str = ""
    """A name from `[[schedules]]`: when the rule holds; left out: always."""


class _PersonRule(_Rule, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """What every rule has that judges one person after the other."""

    exempt_zones: list[str] = []
    """Whoever stands in one of these is not judged: a cab, a marked walkway."""
    overrides: list[OverrideConfig] = []


class ZoneRuleConfig(
    _PersonRule, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="zone"
):
    """A confirmed person stays in the zone for `hold_ms`."""

    zone: str
    severity: Severity = "danger"
    hold_ms: NonNegativeInt = 300
    clear_ms: NonNegativeInt = 1000


class LineRuleConfig(_Rule, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="line"):
    """A confirmed person crosses the gate and settles on the other side for `settle_ms`."""

    line: str
    severity: Severity = "info"
    settle_ms: NonNegativeInt = 300


class EntryRuleConfig(
    _PersonRule, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="entry_predicted"
):
    """A confirmed person will probably enter the zone within `horizon_ms`."""

    zone: str
    severity: Severity = "warning"
    horizon_ms: Annotated[int, Meta(ge=200, le=5000)] = 2000
    """How far ahead; the paths of people say nothing beyond 5 s."""
    probability: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    """From which on it warns: lower is earlier, and more often for nothing."""
    hold_ms: NonNegativeInt = 200
    clear_ms: NonNegativeInt = 1000


class ManDownRuleConfig(
    _PersonRule, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="man_down"
):
    """Somebody has fallen, or lies on the ground. Needs a skeleton and an action network."""

    zone: str = ""
    """Only whoever lies in this zone; left out: in the whole picture."""
    severity: Severity = "danger"
    hold_ms: Annotated[int, Meta(ge=0, le=60_000)] = 500
    """Somebody who was seen to fall is a hazard after being down for this long."""
    after_ms: Annotated[int, Meta(ge=0, le=600_000)] = 3000
    """Somebody who was not - who lay there from the first, or lay down slowly - after this long."""
    clear_ms: NonNegativeInt = 2000


class PpeRuleConfig(_PersonRule, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="ppe"):
    """Somebody does not wear what is needed. Needs a detector that knows the equipment."""

    zone: str = ""
    """Only whoever stands in this zone; left out: in the whole picture."""
    needs: Annotated[list[Equipment], Meta(min_length=1)] = field(
        default_factory=lambda: ["helmet", "vest"]
    )
    severity: Severity = "warning"
    least_height: Annotated[float, Meta(gt=0, le=1)] = 0.35
    """Share of the picture's height: of somebody smaller, what is not seen may still be worn."""
    memory_ms: Annotated[int, Meta(ge=100, le=60_000)] = 2000
    """What was seen on somebody fades away in about this time; longer for a turning head."""
    hold_ms: NonNegativeInt = 2000
    """Missing for this long."""
    clear_ms: NonNegativeInt = 2000


class PostureRuleConfig(
    _PersonRule, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="posture"
):
    """Somebody does one of these actions for `hold_ms`: bends, climbs, calls for help.

    Needs a skeleton and an action network.
    """

    zone: str = ""
    actions: Annotated[list[str], Meta(min_length=1)]
    """Names of the action network's classes."""
    severity: Severity = "warning"
    least_score: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    """The actions' scores together, from which on the posture counts."""
    hold_ms: NonNegativeInt = 1000
    clear_ms: NonNegativeInt = 1000


class ProximityRuleConfig(
    _PersonRule, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="proximity"
):
    """Somebody is nearer than `distance_mm` to a machine's zone, or to somebody else."""

    zone: str = ""
    """The machine's zone; left out: person to person."""
    distance_mm: PositiveInt
    """On the ground plane where the site has one, else measured in the person's own height."""
    severity: Severity = "warning"
    hold_ms: NonNegativeInt = 300
    clear_ms: NonNegativeInt = 1000


class CrowdRuleConfig(_Rule, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="crowd"):
    """More than `at_most` people are in the zone for `hold_ms`."""

    zone: str = ""
    """Left out: in the whole picture."""
    at_most: NonNegativeInt
    severity: Severity = "warning"
    hold_ms: NonNegativeInt = 1000
    clear_ms: NonNegativeInt = 1000


class LoiterRuleConfig(
    _PersonRule, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="loiter"
):
    """Somebody stays in the zone for `dwell_ms`, moving or not."""

    zone: str
    severity: Severity = "warning"
    dwell_ms: PositiveInt = 60_000
    clear_ms: NonNegativeInt = 2000
    """Away for less than this, the stay goes on."""


class ImmobileRuleConfig(
    _PersonRule, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="immobile"
):
    """Somebody has not moved for `still_ms`: lies, sits or stands without moving head to foot.

    Uses skeletons where the board has a skeleton and an action network, else boxes. Who works with
    their hands moves; who stands guard or sits and waits does not, so that a zone where people
    do needs a longer time: nobody who is well stands still for two minutes.
    """

    zone: str = ""
    severity: Severity = "warning"
    still_ms: PositiveInt = 30_000
    moved_heights: Annotated[float, Meta(gt=0, le=1)] = 0.15
    """What counts as a movement, in the person's own height: 25 cm. Boxes jitter by 0.05 and
    wrists of a skeleton by 0.1; below that everybody moves, and above 0.3 nobody does."""
    clear_ms: NonNegativeInt = 1000


class ViewRuleConfig(
    _Rule, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="intrusion_of_view"
):
    """The camera no longer sees what it was set up to see."""

    severity: Severity = "warning"
    kinds: Annotated[list[ViewKind], Meta(min_length=1)] = field(
        default_factory=lambda: ["covered", "moved", "frozen", "dark"]
    )
    max_shift: Annotated[float, Meta(gt=0, le=0.5)] = 0.04
    """How far the scene may have moved, as a share of the picture's width."""
    covered_share: Annotated[float, Meta(gt=0, le=1)] = 0.5
    """The share of the picture without its structure from which on it is covered."""
    hold_ms: NonNegativeInt = 2000
    clear_ms: NonNegativeInt = 3000


class CombinedRuleConfig(
    _Rule, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="combined"
):
    """One person is a hazard by all of these rules at once: fallen and immobile."""

    all_of: Annotated[list[str], Meta(min_length=2)]
    """Names of rules of this file; those may be of severity "info"."""
    severity: Severity = "danger"
    hold_ms: NonNegativeInt = 0
    clear_ms: NonNegativeInt = 1000


ABOUT_ANOTHER_PLACE = (EntryRuleConfig, ProximityRuleConfig)
"""Their zone is one that people come to, not one that they stand in."""

RuleConfig = (
    ZoneRuleConfig
    | LineRuleConfig
    | EntryRuleConfig
    | ManDownRuleConfig
    | PostureRuleConfig
    | ProximityRuleConfig
    | CrowdRuleConfig
    | LoiterRuleConfig
    | ViewRuleConfig
    | PpeRuleConfig
    | CombinedRuleConfig
    | ImmobileRuleConfig
)
