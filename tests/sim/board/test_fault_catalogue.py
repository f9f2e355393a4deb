"""The catalogue: what is not in it is refused by name, with what is allowed."""

from __future__ import annotations

import pytest

from drivers.board import load_board
from sim.board.faults import CATALOGUE, OUTPUT, Faults, complaints, components, kinds_of
from tests.places import REPOSITORY

OUTPUTS = ("siren", "strobe", "fault_relay")


def wrong(component, type_, **options):
    return list(complaints(component, type_, options, OUTPUTS))


@pytest.mark.parametrize(
    ("component", "type_"),
    [(c, t) for c in CATALOGUE if c != OUTPUT for t in CATALOGUE[c]] + [("siren", "refused")],
)
def test_all_that_is_in_the_catalogue_is_accepted(component, type_):
    needed = {k: 5 for k, o in kinds_of(component, OUTPUTS)[type_].options.items() if o.required}
    assert wrong(component, type_, **needed) == []


def test_an_unknown_component_is_refused_with_the_list():
    ((key, value, allowed),) = wrong("lens", "dirty")
    assert (key, value) == ("component", "lens")
    for name in components(OUTPUTS):
        assert name in allowed
    assert "output" not in allowed.replace("outputs", ""), "outputs have their own names"
    assert wrong("output", "refused"), "which one?"


def test_an_unknown_type_is_refused_with_the_list():
    ((key, value, allowed),) = wrong("camera", "upside_down")
    assert (key, value) == ("type", "upside_down")
    assert "unplugged" in allowed and "camera" in allowed


@pytest.mark.parametrize(
    ("component", "type_", "options", "key"),
    [
        ("npu", "slow", {}, "options.ms"),
        ("npu", "slow", {"ms": "a while"}, "options.ms"),
        ("npu", "slow", {"ms": True}, "options.ms"),
        ("npu", "error", {"ms": 3}, "options.ms"),
        ("power", "cut", {"tail": "bent"}, "options.tail"),
        ("power", "cut", {"at_operation": 0}, "options.at_operation"),
        ("serial", "noise", {"percent": 101}, "options.percent"),
    ],
)
def test_options_are_checked(component, type_, options, key):
    ((found, _, _),) = wrong(component, type_, **options)
    assert found == key


def test_what_breaks_is_broken_until_it_is_mended():
    faults = Faults(load_board(REPOSITORY / "board_configs/sim.toml"))
    camera = faults.of("camera")
    assert not camera
    faults.begin("camera", "frozen", {})
    faults.begin("camera", "covered", {})
    assert set(camera) == {"frozen", "covered"}
    faults.end("camera", "frozen")
    faults.end("camera", "frozen")
    assert set(camera) == {"covered"}
