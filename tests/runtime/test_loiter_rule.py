"""Rule loiter as a table of stays: how long is too long, and what does not end a stay."""

from __future__ import annotations

import pytest

from runtime.site_rules import LoiterRuleConfig
from tests.runtime.yard import Yard

IN, OUT = (0, 100), (0, 500)


def loiter(**rule) -> Yard:
    rule = {"zone": "left", "dwell_ms": 8000, "clear_ms": 2000, **rule}
    return Yard(LoiterRuleConfig(**rule))


STAYS = {
    "stays": (lambda: loiter().stay(9000, IN), [(8000, "raised")]),
    "walks about inside": (
        lambda: loiter().stay(4000, IN).stay(2500, (0, 200)).stay(2000, (0, 30)),
        [(8000, "raised")],
    ),
    "goes after 7 of 8 s": (lambda: loiter().stay(7000, IN).stay(9000, OUT), []),
    "is not seen when the time is over, and gone": (
        lambda: loiter().stay(7500, IN).stay(1000).lose(0).tick(30),
        [],
    ),
    "is not seen when the time is over, and seen again": (
        lambda: loiter().stay(7500, IN).stay(1000).stay(500, IN),
        [(8500, "raised")],
    ),
    "never comes in": (lambda: loiter().stay(20_000, OUT), []),
    "steps out for a moment": (
        lambda: loiter().stay(5000, IN).stay(1800, OUT).stay(2000, IN),
        [(8000, "raised")],
    ),
    "goes, and comes again": (
        lambda: loiter().stay(5000, IN).stay(2500, OUT).stay(7900, IN),
        [],
    ),
    "goes at last": (
        lambda: loiter().stay(9000, IN).stay(3000, OUT),
        [(8000, "raised"), (11_000, "cleared")],
    ),
    "is raised, steps out for a moment": (
        lambda: loiter().stay(9000, IN).stay(1500, OUT).stay(3000, IN),
        [(8000, "raised")],
    ),
    "steps out where that ends the stay": (
        lambda: loiter(clear_ms=0).stay(5000, IN).stay(100, OUT).stay(7900, IN),
        [],
    ),
    "stands in an exempt zone": (
        lambda: loiter(exempt_zones=["cab"]).stay(20_000, (0, 30)),
        [],
    ),
}


@pytest.mark.parametrize("name", STAYS)
def test_a_stay_fires_or_does_not(name):
    play, expected = STAYS[name]
    assert play().edges == expected


def test_the_reason_says_how_long():
    why = loiter().stay(9000, IN).whys[0]
    assert (why["stay_ms"], why["dwell_ms"], why["foot_px"]) == (8000, 8000, [100, 180])


def lost(yard: Yard, unseen_ms: float = 1000) -> Yard:
    """The track is not seen, and given up."""
    return yard.stay(unseen_ms).lose(0).tick()


def test_a_track_born_where_another_was_lost_goes_on_with_its_stay():
    yard = lost(loiter().stay(5000, IN)).stay(3000, (3, 110))
    assert yard.edges == [(8000, "raised")]
    assert yard.found[0][1] == 12, "it is the heir's"


def test_a_stay_waits_for_its_heir_also_where_it_would_be_over_sooner():
    yard = loiter(clear_ms=0).stay(5000, IN).lose(0).tick(8).stay(3000, (3, 110))
    assert yard.edges == [(8000, "raised")]


def test_a_hazard_goes_on_with_the_heir_and_is_cleared_once():
    yard = lost(loiter().stay(9000, IN)).stay(3000, (3, 110))
    assert yard.states == ["raised"]
    assert yard.hazards.active == [1]
    yard.stay(3000, (3, 500))
    assert yard.states == ["raised", "cleared"]
    assert yard.hazards.active == [0]


@pytest.mark.parametrize(
    ("name", "play"),
    [
        ("somewhere else", lambda yard: lost(yard).stay(7900, (3, 300))),
        ("too late", lambda yard: lost(yard).stay(2500).stay(7900, (3, 100))),
        (
            "who was there before",
            lambda yard: lost(yard.stay(1000, IN, (3, 500))).stay(7900, (3, 110)),
        ),
    ],
)
def test_nobody_else_inherits(name, play):
    assert play(loiter().stay(5000, IN)).edges == []


def test_a_hazard_without_heir_ends_after_the_time_to_clear():
    yard = lost(loiter().stay(9000, IN))
    assert yard.states == ["raised"], "it waits for an heir"
    yard.stay(2100)
    assert yard.states == ["raised", "cleared"]
    assert yard.whys[1]["track_lost"] is True
    assert yard.hazards.active == [0]


def test_a_slot_used_anew_knows_nothing_of_the_last_one():
    yard = loiter().stay(7500, IN).lose(0).tick()
    yard.stay(3000)
    yard.stay(7900, IN)
    assert yard.edges == []
