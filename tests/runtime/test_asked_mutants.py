"""What the running, sealed camera says to questions that nobody should ask."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.places import REPOSITORY

QUESTIONS = 3000
MAX_GROWTH_KB = 1024
"""It levels off at 1,400 kB after 2,000 frames, however many questions there are (100,000)."""


@pytest.fixture(scope="module")
def told():
    command = [sys.executable, "-m", "tests.runtime.asked_mutants", str(QUESTIONS)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_nothing_but_refusals_comes_out_and_the_loop_goes_on(told):
    assert sum(told["outcomes"].values()) > 0.5 * QUESTIONS
    assert told["frames"] >= QUESTIONS // 20 - 1
    assert told["healthy"]


def test_memory_does_not_grow_with_questions(told):
    assert told["grown_kb"] <= MAX_GROWTH_KB


@pytest.mark.parametrize(
    "outcome", ["ack done", "ack argument", "offer malformed", "ring malformed", "site argument"]
)
def test_mutants_come_this_far(told, outcome):
    assert told["outcomes"].get(outcome)
