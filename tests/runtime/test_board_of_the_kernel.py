"""The real loop on the drivers of a real board, each on its stand-in of the kernel: boot to end.

The story is `tests.runtime.board_of_the_kernel`, in a process of its own: sealing cannot be undone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

pytest.importorskip("gpiod")

from tests.places import REPOSITORY
from tests.runtime.board_of_the_kernel import PLUG_MS, STOP_MS, UNPLUG_MS


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    journal = tmp_path_factory.mktemp("board") / "journal.ring"
    command = [sys.executable, "-m", "tests.runtime.board_of_the_kernel", str(journal)]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return SimpleNamespace(**json.loads(done.stdout))


def test_a_person_in_front_of_the_camera_raises_the_pin_of_the_siren(bench):
    first_ms = bench.siren_ups[0]
    assert first_ms < UNPLUG_MS


def test_a_pulled_camera_drops_the_relay_within_a_second_and_it_comes_back(bench):
    ups, downs = bench.relay_ups, bench.relay_downs
    assert ups[0] < 1500.0
    assert UNPLUG_MS < downs[0] <= UNPLUG_MS + 1000.0
    assert PLUG_MS < ups[1] < STOP_MS - 1000.0
    assert len(ups) == 2


def test_the_watchdog_was_fed_and_never_bit(bench):
    assert not bench.has_ever_bitten
    assert bench.feeds > (STOP_MS / 10.0) * 0.9, "each pass feeds"
    assert bench.armed_at_the_end


def test_a_planned_end_leaves_nothing_behind(bench):
    assert not bench.is_armed
    assert bench.held == 0
    assert bench.levels == [False, False]
    assert bench.is_closed


def test_no_picture_was_lost(bench):
    assert bench.dropped == 0
