"""The sealed loop with skeletons and actions: memory stays, faults show, refusals say why."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from drivers.board import load_board
from drivers.toml_strict import ConfigErrors
from runtime.needs import check_needs
from runtime.site_check import load_site
from tests.machine import BOARD, SITES, faulty, haetae, skeleton_package

FRAMES = 800
ALLOWED_KB = 8
"""Two pages, as without skeletons: see test_seal."""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return str(skeleton_package(tmp_path_factory.mktemp("skeleton") / "package"))


@pytest.fixture(scope="module")
def bodies(package):
    return {"site": "man_down.toml", "skeleton": package, "action": "action_xs"}


@pytest.fixture(scope="module")
def watched(bodies):
    return faulty(frames=FRAMES, **bodies)


def test_the_stages_are_there_and_have_worked(watched):
    spent = watched["report"]["stage_ms_mean"]
    assert list(spent)[2:6] == ["second_look", "track", "skeleton", "action"]
    assert spent["skeleton"] > 0 and spent["action"] > 0
    assert watched["report"]["stage_budget_ms"]["skeleton"] > spent["skeleton"]


def test_memory_does_not_move(watched):
    report = watched["report"]
    assert report["frames"] == FRAMES
    assert report["rss_kb_end"] - report["rss_kb_sealed"] <= ALLOWED_KB
    assert report["address_space_kb_end"] <= report["address_space_kb_sealed"]
    assert report["kept_objects_per_frame"] < 0.2
    assert report["cyclic_objects_per_frame"] < 0.05


def test_people_who_walk_by_are_no_alarm(watched):
    assert [e for e in watched["events"] if e["kind"] in ("hazard", "fault")] == []


@pytest.mark.parametrize("only", ["action_xs", "skeleton"])
def test_a_network_that_fails_drops_the_fault_relay_and_comes_back(only, bodies, package):
    name = "action_xs" if only == "action_xs" else package
    done = faulty(frames=90, npu=[["error", 2000, 5000]], only=name, **bodies)
    faults = [(e["rule"], e["state"], e["t_ms"]) for e in done["events"] if e["kind"] == "fault"]
    assert [(rule, state) for rule, state, _ in faults] == [
        ("npu_fault", "raised"),
        ("npu_fault", "cleared"),
    ]
    assert 2500 <= faults[0][2] <= 3500 and 5000 <= faults[1][2] <= 6500
    [reason] = {e["why"]["reason"] for e in done["events"] if e["kind"] == "fault"}
    assert reason == "invoke_failed"
    levels = [bool(level) for _, level in done["edges"]["fault_relay"]]
    assert levels[-3:] == [False, True, False] or levels[-2:] == [False, True]


def test_old_skeletons_are_a_fault(bodies, package):
    done = faulty(frames=90, npu=[["stale", 2000, 6000]], only=package, **bodies)
    reasons = {e["why"]["reason"] for e in done["events"] if e["kind"] == "fault"}
    assert reasons == {"stale_output"}


def test_a_site_that_needs_skeletons_is_refused_on_a_board_without():
    board, site = load_board(BOARD), load_site(SITES / "man_down.toml")
    bare = replace(board, models=replace(board.models, skeleton="", action=""))
    with pytest.raises(ConfigErrors) as refused:
        check_needs(bare, site, "site.toml")
    [mistake] = refused.value.mistakes
    assert str(mistake) == (
        "site.toml: rules[0].kind = 'man_down': needs models.skeleton and models.action in the"
        " board file"
    )


def test_a_package_of_another_role_is_refused(tmp_path):
    done = haetae(
        *("run", "--board", BOARD, "--site", SITES / "man_down.toml", "--fast"),
        *("--skeleton", "ppe_s", "--action", "action_xs"),
        *("--journal", tmp_path / "journal.ring"),
    )
    assert done.returncode == 3
    assert 'role = "detector"; allowed for models.skeleton: "skeleton"' in done.stderr
