"""Some mutants always, a million where there is time (HAETAE_LONG=1): see `tests.ota.fuzz`."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from random import Random

import pytest

from tests.ota.fuzz import run, targets
from tests.ota.fuzz_bundles import Bundles
from tests.ota.fuzz_carriers import Channels
from tests.ota.fuzz_link import Links
from tests.places import REPOSITORY

PEAK_BYTES = 3 << 20
"""Of one run of twenty mutants; most of it are copies of flash that the test makes."""


@pytest.fixture(scope="module")
def outcomes() -> set[tuple[str, str]]:
    """What became of 20,000 mutants."""
    chosen = targets()
    assert run(chosen, 20_000, seed=7) >= 20_000
    return {outcome for target in chosen for outcome in target.outcomes}


@pytest.mark.parametrize(
    "outcome",
    [
        ("raw", "malformed"),
        ("lengths", "too_long"),
        ("part", "signature"),
        ("value", "ring_signature"),
        ("value", "too_deep"),
        ("mixed", "revoked_key"),
        ("mixed", "ring_conflict"),
        ("mixed", "counter"),
        ("mixed", "taken"),
        ("chunk", "chunk"),
        ("insider", "malformed"),
        ("insider", "taken"),
        ("root", "taken"),
        ("file", "too_long"),
        ("cable", "chunk"),
        ("cable", "ACK"),
        ("lan", "not_signed"),
        ("lan", "ANSWER"),
        ("local", "not_permitted"),
        ("channel value", "signature"),
        ("channel insider", "taken"),
        ("client push", "done"),
        ("client push", "malformed"),
    ],
    ids=" ".join,
)
def test_twenty_thousand_mutants_go_this_deep_and_find_nothing(outcomes, outcome):
    assert outcome in outcomes


@pytest.mark.parametrize("kind", [Bundles, Links, Channels])
def test_no_mutant_takes_much_memory(kind):
    target = kind()
    for number in range(8):
        target.run(Random(number))
    tracemalloc.start()
    peaks = []
    for number in range(25):
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        target.run(Random(1000 + number))
        peaks.append(tracemalloc.get_traced_memory()[1] - before)
    tracemalloc.stop()
    assert max(peaks) < PEAK_BYTES


def test_a_run_can_be_repeated_by_its_number():
    """The outcome depends on nothing but seed and number."""
    first, second = Bundles(), Bundles()
    assert run([first], 400, seed=3) == run([second], 400, seed=3)
    assert first.outcomes == second.outcomes


@pytest.mark.skipif("HAETAE_LONG" not in os.environ, reason="minutes; HAETAE_LONG=1")
@pytest.mark.timeout(7200)
def test_a_million_mutants():
    command = [sys.executable, "-m", "tests.ota.fuzz", "--cases", "1000000"]
    subprocess.run(command, cwd=REPOSITORY, check=True)
