"""What carriers make of what a camera tells, also where it tells little."""

from __future__ import annotations

from typing import Any

import pytest

from ota.carriers.camera import Outcome, facts_of, is_final, outcome_of
from ota.refusal import REASONS

OURS, OTHER = b"\x01" * 32, b"\x02" * 32


def facts(phase: str = "idle", runs: bytes = OTHER, last: dict[str, Any] | None = None):
    told = {"digest": runs.hex(), "release": 3}
    return facts_of({}, {"students": told, "update": {"phase": phase}, "last": last or {}})


def ended(word: str, reason: str = "", digest: bytes = OURS) -> dict[str, Any]:
    return {"outcome": word, "reason": reason, "detail": "why", "digest": digest.hex()}


@pytest.mark.parametrize("phase", ["staged", "shadow", "probation"])
def test_a_trial_has_no_outcome_although_its_students_run(phase):
    assert outcome_of(facts(phase, runs=OURS), OURS) is None


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        (facts(runs=OURS), Outcome(True)),
        (facts(runs=OTHER), None),
        (facts(last=ended("rolled_back", "latency")), Outcome(False, "latency", "why")),
        (facts(last=ended("damaged")), Outcome(False, "damaged", "why")),
        (facts(last=ended("rolled_back", "latency", OTHER)), None),
        (facts("receiving", runs=OURS), Outcome(True)),
    ],
)
def test_how_an_update_ended(told, outcome):
    assert outcome_of(told, OURS) == outcome


@pytest.mark.parametrize(
    "status", [{}, {"students": 5}, {"students": {"digest": "xyz", "release": "3"}, "update": []}]
)
def test_a_camera_that_tells_little_or_nonsense(status):
    told = facts_of({"device": 5}, status)
    assert (told.device, told.release, told.digest, told.phase) == ("", 0, b"", "idle")


def test_what_passes_by_itself_is_offered_again():
    assert not is_final(Outcome(False, "busy"))
    assert is_final(Outcome(False, "signature")) and is_final(Outcome(True))
    final = {reason for reason in REASONS if is_final(Outcome(False, reason))}
    assert {"board", "golden", "agreement", "counter", "older", "reset"} <= final
