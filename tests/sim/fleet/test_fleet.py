"""The simulated fleet: nothing is lost or made up, stages hold, a bad release is halted early."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from ota.carriers.rollout import Stage
from sim.cli import sim
from sim.fleet.load import Load
from sim.fleet.run import run
from sim.fleet.settings import HOUR_MS, Settings
from sim.fleet.summary import load, rollout, storm_only

SMALL = Settings(cameras=3000, hours=84, storm_at_h=60)
STAGES = (Stage(share=0.1), Stage(share=0.4), Stage(share=1.0))


@pytest.fixture(scope="module")
def good():
    return run(replace(SMALL, stages=STAGES))


@pytest.fixture(scope="module")
def bad():
    return run(replace(SMALL, stages=STAGES, fails_on=0.2))


def test_a_transfer_is_counted_to_the_byte():
    meter = Load(hours=1)
    at_ms, for_ms = np.array([500.0, 1250.0, 90_000.0]), np.array([0.5, 3333.0, 600_000.0])
    meter.transfer(at_ms, for_ms, np.array([100.0, 1e6, 2e6]), range_bytes=500_000)
    assert meter.bytes_per_s().sum() == pytest.approx(3_000_100.0)
    assert meter.requests_per_s().sum() == 1 + 2 + 4
    assert meter.bytes_per_s().min() > -1e-6


def test_everybody_gets_a_good_release_and_the_bytes_add_up(good):
    told, seen = rollout(good), load(good)
    assert [change["what"] for change in told["changes"]] == ["publish", "widen", "widen"]
    assert told["confirmed"] + told["failed"] >= 0.99 * SMALL.cameras
    assert told["halted_after_h"] is None
    least = told["tried"] * SMALL.bundle_bytes / 1e9
    polls = SMALL.cameras * SMALL.hours * HOUR_MS / SMALL.poll_ms * SMALL.poll_bytes / 1e9
    assert least + 0.8 * polls < seen["gigabytes"] < 1.05 * (least + 1.1 * polls)
    assert 0.001 < seen["wasted_gigabytes"] < 0.05 * seen["gigabytes"]


def test_a_stage_lets_in_its_share_and_not_more(good):
    changes = rollout(good)["changes"]
    for change, until in pairwise(changes):
        inside = good.tried[np.searchsorted(good.at_h, until["at_h"]) - 1]
        expected = change["share"] * SMALL.cameras
        assert inside == pytest.approx(expected, rel=0.12)


def test_a_bad_release_is_halted_in_the_first_stage(bad):
    told = rollout(bad)
    assert [change["what"] for change in told["changes"]] == ["publish", "halt"]
    assert told["halted_after_h"] < 4
    assert told["tried"] < 0.1 * SMALL.cameras


def test_nobody_begins_after_the_halt_has_reached_the_server(bad):
    halt = bad.rollout.moments[-1]
    quiet_h = (halt.at_ms + SMALL.cache_ms) / HOUR_MS + 1 / 60
    assert bad.tried[-1] == bad.tried[np.searchsorted(bad.at_h, quiet_h)]


def test_without_stages_many_more_try_it(bad):
    once = run(replace(SMALL, fails_on=0.2, stages=(Stage(share=1.0),), hours=24))
    assert once.tried[-1] > 2 * bad.tried[-1]


def test_cameras_that_go_dark_halt_it_too():
    dark = replace(SMALL, stages=STAGES, fails_on=0.5, silent_share=1.0, overdue_h=6.0)
    told = rollout(run(dark))
    assert told["failed"] == 0
    assert told["changes"][-1]["what"] == "halt"
    assert told["changes"][-1]["overdue"] > 0


def test_the_same_seed_gives_the_same_fleet():
    short = replace(SMALL, cameras=500, hours=20)
    first, second = run(short), run(short)
    assert (first.tried == second.tried).all()
    assert (first.load.requests_per_s() == second.load.requests_per_s()).all()
    other = run(replace(short, seed=2))
    assert (first.load.requests_per_s() != other.load.requests_per_s()).any()


def test_the_spread_after_a_start_takes_the_peak_away():
    fleet = replace(SMALL, storm_share=1.0)
    spread, at_once = storm_only(fleet), storm_only(replace(fleet, boot_spread_ms=0.0))
    assert at_once.max() > 8 * spread.max()


def test_the_command_tells_figures_and_writes_a_page(capsys, tmp_path):
    words = ["fleet", "--cameras", "1000", "--days", "1", "--stages", "10,100"]
    assert sim([*words, "--json", "--out", str(tmp_path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["runs"]["good"]["tried"] > 50
    assert len(told["runs"]["good"]["load"]["by_hour"]["mbit_per_s_mean"]) == 24
    page = (tmp_path / "index.html").read_text()
    assert "<script" not in page and "http://" not in page and page.count("<svg") == 4


def test_the_command_in_words(capsys):
    assert sim(["fleet", "--cameras", "500", "--days", "1"]) == 0
    told = capsys.readouterr().out
    assert "to all at once" in told and "$" in told


@pytest.mark.parametrize("stages", ["", "0,100", "10,1,100", "1,10", "1,x,100", "50,50,100"])
def test_stages_that_cannot_be_are_refused(stages, capsys):
    assert sim(["fleet", "--stages", stages]) == 2
    assert "percents that rise to 100" in capsys.readouterr().err


@pytest.mark.skipif("HAETAE_LONG" not in os.environ, reason="HAETAE_LONG is not set")
def test_a_week_of_a_hundred_thousand_cameras():
    told = rollout(run(Settings()))
    assert told["confirmed"] > 99_000
    assert told["reached_99_h"] < 60
