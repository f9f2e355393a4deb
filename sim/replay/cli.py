"""`haetae sim record` and `haetae sim replay`: keep a run, run it again, compare."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
from msgspec import Struct

from drivers.toml_strict import ConfigErrors
from sim.replay import recording
from sim.replay.compare import IGNORED, Difference, compare, load_tolerance
from sim.replay.did import Did
from sim.replay.recording import Recording, RecordingRefused
from sim.scenario.find import NotFound, find
from sim.scenario.load import load_scenario

SAME, DIFFERENT, REFUSED = 0, 1, 2
CHILD = "sim.replay.child"


class ReplayFailed(Exception):
    """The child could not do it; the message is what it said."""


class LoopDied(ReplayFailed):
    """The firmware did not survive the run: that is a difference, and no fault of the file."""


class Answer(Struct):
    """What a replay gives back."""

    did: Did
    speed: float
    wall_s: float
    missing: int
    """How often the network was asked at a moment that was not recorded."""


def record(argv: list[str]) -> int:
    """`haetae sim record`. Returns 0, or 2 when it was refused."""
    parser = argparse.ArgumentParser(
        "haetae sim record", description="Keep what the loop saw and did; no picture is kept."
    )
    parser.add_argument("scenario", help="file, or the name of a shipped scenario")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.rec")
    parser.add_argument("--seed", type=int, help="instead of the scenario's own")
    parser.add_argument(
        "--thin", action="store_true", help="leave out outputs that no threshold lets through"
    )
    arguments = parser.parse_args(argv)
    if arguments.seed is not None and arguments.seed < 0:
        parser.error(f"--seed {arguments.seed}: must be 0 or more")
    if not arguments.out.parent.is_dir():
        parser.error(f"--out {arguments.out}: no folder {arguments.out.parent}")
    try:
        files = find([arguments.scenario])
        if len(files) != 1:
            parser.error(f"{arguments.scenario}: one scenario at a time, these are {len(files)}")
        load_scenario(files[0])
        seed = [] if arguments.seed is None else [str(arguments.seed)]
        _child("record", files[0], arguments.out, *(["thin"] if arguments.thin else []), *seed)
        kept = recording.load(arguments.out)
    except (ConfigErrors, NotFound, ReplayFailed, RecordingRefused) as refused:
        print(refused, file=sys.stderr)
        return REFUSED
    size_kb = arguments.out.stat().st_size / 1000
    print(f"{arguments.out}: {len(kept.did.frames)} judged pictures, {size_kb:.0f} kB")
    return SAME


def replay(argv: list[str]) -> int:
    """`haetae sim replay`. Returns 0, 1 when something differs too much, 2 when refused."""
    parser = argparse.ArgumentParser(
        "haetae sim replay", description="Run a recording again and compare what the loop does."
    )
    parser.add_argument("recording", type=Path, metavar="FILE.rec")
    parser.add_argument(
        "--reference", type=Path, metavar="FILE.rec", help="another recording to compare with"
    )
    parser.add_argument(
        "--tolerance",
        type=Path,
        metavar="FILE.toml",
        help='what may differ, e.g. [tolerance] "events.t_ms" = 100, "events.why" = "ignore"',
    )
    parser.add_argument(
        "--update", action="store_true", help="what it does now becomes the reference"
    )
    arguments = parser.parse_args(argv)
    try:
        kept = recording.load(arguments.recording)
        reference = recording.load(arguments.reference or arguments.recording)
        tolerance = load_tolerance(arguments.tolerance) if arguments.tolerance else {}
        answer = run_again(arguments.recording)
    except LoopDied as died:
        print(f"the loop died:\n{died}", file=sys.stderr)
        return DIFFERENT
    except (ConfigErrors, ReplayFailed, RecordingRefused) as refused:
        print(refused, file=sys.stderr)
        return REFUSED
    differences = compare(answer.did, reference.did, tolerance)
    _print(differences)
    count, speed = len(answer.did.frames), answer.speed
    print(f"{count} judged pictures in {answer.wall_s:.2f} s, {speed:.0f} x real time")
    if answer.missing:
        print(f"{answer.missing} inferences at moments that were not recorded: record it anew")
    if arguments.update:
        return _update(arguments.reference or arguments.recording, reference, answer.did, kept)
    beyond = [difference.field for difference in differences if difference.is_beyond]
    print(f"DIFFERS in {', '.join(beyond)}" if beyond else "the same as the reference")
    return DIFFERENT if beyond else SAME


def run_again(file: Path) -> Answer:
    """Replay a recording in a process of its own. Raises ReplayFailed, LoopDied."""
    with tempfile.TemporaryDirectory(prefix="haetae-replay-") as folder:
        answer = Path(folder) / "answer"
        _child("replay", file, answer)
        return msgspec.msgpack.decode(answer.read_bytes(), type=Answer)


def _update(file: Path, reference: Recording, did: Did, kept: Recording) -> int:
    """Write the new reference; only ever asked for."""
    if reference.scenario != kept.scenario:
        print(f"{file}: another scenario, not updated", file=sys.stderr)
        return REFUSED
    reference.did = did
    recording.save(reference, file)
    print(f"{file}: updated")
    return SAME


def _child(*words: str | Path) -> None:
    """Run `sim.replay.child`. Raises ReplayFailed, LoopDied."""
    done = subprocess.run(
        [sys.executable, "-m", CHILD, *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=False,
    )
    if not done.returncode:
        return
    if done.returncode == REFUSED:
        raise ReplayFailed(done.stderr.strip())
    raise LoopDied(f"{done.stderr.strip()}\nthe process ended with {done.returncode}".strip())


def _print(differences: list[Difference]) -> None:
    """A table for people."""
    if not differences:
        return
    head = ("", "field", "how often", "largest", "allowed", "first at", "there")
    rows = [head]
    for each in differences:
        mark = "FAIL" if each.is_beyond else "ok"
        allowed = "ignored" if each.allowed == IGNORED else f"{each.allowed:g}"
        first = f"{each.first_ms / 1000:.1f} s"
        row = (mark, each.field, str(each.count), f"{each.largest:g}", allowed, first, each.first)
        rows.append(row)
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
