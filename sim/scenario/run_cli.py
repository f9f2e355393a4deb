"""`haetae sim run`: play scenarios, print a line per expectation, leave reports."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from drivers.toml_strict import ConfigErrors
from sim import junit
from sim.scenario.find import NotFound, find
from sim.scenario.jobs import Task, play_all
from sim.scenario.load import Loaded, load_scenario
from sim.scenario.result import Result

MET, UNMET, REFUSED = 0, 1, 2
GOOD = ("passed", "waits")
MARKS = {True: "PASS", False: "FAIL"}


def run(argv: list[str]) -> int:
    """Run the command. Returns 0, 1 (an expectation is unmet) or 2 (wrong arguments or file)."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.faults and not arguments.realtime:
        parser.error("--faults needs --realtime: nobody is as quick as virtual time")
    if arguments.video and arguments.report is None:
        parser.error("--video needs --report DIR, where the clip goes")
    arguments.video = arguments.report is not None and arguments.video is not False
    try:
        loaded = _load(find(arguments.scenario))
    except (ConfigErrors, NotFound) as refused:
        print(refused, file=sys.stderr)
        return REFUSED
    tasks = _tasks(loaded, arguments)
    if arguments.faults and len(tasks) > 1:
        parser.error(f"--faults: one scenario at a time, these are {len(tasks)}")
    results, differing = [], 0
    for task, runs in zip(tasks, play_all(tasks, arguments.jobs, arguments.repeat), strict=True):
        results.append(runs[0])
        _print_result(task.label, runs[0])
        differing += _print_repeats(task.label, runs)
    is_written = _write(results, arguments)
    code = _summary(results, differing)
    return code if is_written else REFUSED


def _write(results: list[Result], arguments: argparse.Namespace) -> bool:
    """JUnit and the page; a full disk is told of and does not hide the summary."""
    try:
        if arguments.junit is not None:
            junit.write(results, arguments.junit)
        if arguments.report is not None:
            _report(results, arguments.report)
    except OSError as error:
        print(
            f"cannot write {error.filename or arguments.junit}: {error.strerror}", file=sys.stderr
        )
        return False
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("haetae sim run", description=__doc__)
    parser.add_argument(
        "scenario", nargs="+", help="file, folder, name of a shipped scenario, or: all"
    )
    seeds = parser.add_mutually_exclusive_group()
    seeds.add_argument("--seed", type=_count, help="instead of the scenario's own")
    seeds.add_argument("--seeds", type=_range, metavar="A..B", help="one run with each of these")
    parser.add_argument("--report", type=Path, metavar="DIR", help="write a report for people")
    parser.add_argument("--junit", type=Path, metavar="FILE.xml", help="write JUnit XML")
    parser.add_argument(
        "--video",
        action=argparse.BooleanOptionalAction,
        help="annotated, anonymised clips in the report, unless told not to",
    )
    parser.add_argument(
        "--jobs", type=_positive, default=os.cpu_count() or 1, help="how many at a time"
    )
    parser.add_argument(
        "--repeat", type=_positive, default=1, metavar="N", help="N times; hashes must agree"
    )
    parser.add_argument("--realtime", action="store_true", help="as slowly as a real board")
    parser.add_argument(
        "--faults", type=Path, metavar="SOCKET", help="take faults of `haetae sim fault` here"
    )
    parser.add_argument("--child", default=Task.child, help=argparse.SUPPRESS)
    return parser


def _load(files: list[Path]) -> list[Loaded]:
    """All scenarios, or the mistakes of all of them. Raises ConfigErrors."""
    loaded, mistakes = [], []
    for file in files:
        try:
            loaded.append(load_scenario(file))
        except ConfigErrors as errors:
            mistakes += errors.mistakes
    if mistakes:
        raise ConfigErrors(mistakes)
    return loaded


def _tasks(loaded: list[Loaded], arguments: argparse.Namespace) -> list[Task]:
    seeds = arguments.seeds or [arguments.seed]
    return [
        Task(
            loaded=one,
            seed=seed,
            out=_folder(arguments.report, one, seed),
            video=arguments.video,
            realtime=arguments.realtime,
            faults=arguments.faults,
            child=arguments.child,
        )
        for one in loaded
        for seed in seeds
    ]


def _folder(report: Path | None, loaded: Loaded, seed: int | None) -> Path | None:
    """A folder of its own for each run: names of scenarios may hold anything."""
    if report is None:
        return None
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", loaded.scenario.name).strip(".") or "scenario"
    return report / (name if seed is None else f"{name}-{seed}")


def _print_result(label: str, result: Result) -> None:
    """One line per expectation."""
    if result.verdict == "waits":
        unmet = sum(not check.ok for check in result.expectations)
        print(f"WAIT  {label}: {result.why} ({unmet} unmet)", flush=True)
        return
    for check in result.expectations:
        note = f"  [{check.note}]" if check.note and not check.ok else ""
        words = f"{check.sentence}: {check.measured} (allowed {check.allowed}){note}"
        print(f"{MARKS[check.ok]}  {label}: {words}", flush=True)
    if result.verdict in ("early", "refused"):
        print(f"FAIL  {label}: {result.why}", flush=True)


def _print_repeats(label: str, runs: list[Result]) -> int:
    """Say where a repetition differs; returns how many do."""
    first, count = runs[0].hashes, 0
    if runs[0].verdict == "waits" and not first:
        return 0
    for number, again in enumerate(runs[1:], start=2):
        parts = [name for name, value in first.items() if again.hashes.get(name) != value]
        if parts or not first:
            count += 1
            what = ", ".join(part for part in parts if part != "all") or "nothing was played"
            print(f"FAIL  {label}: run {number} differs from run 1: {what}", flush=True)
    if len(runs) > 1 and not count:
        print(f"PASS  {label}: {len(runs)} runs, all the same {first['all'][:12]}", flush=True)
    return count


def _report(results: list[Result], folder: Path) -> None:
    from sim.report import page

    print(f"look at {page.write(results, folder)}")


def _summary(results: list[Result], differing: int) -> int:
    """The last line, and the exit code."""
    count = {name: sum(result.verdict == name for result in results) for name in GOOD}
    bad = len(results) - sum(count.values())
    virtual_s = sum(result.duration_ms for result in results if result.wall_s) / 1e3
    wall_s = sum(result.wall_s for result in results)
    speed = f", {virtual_s / wall_s:.1f} x real time each" if wall_s else ""
    words = [f"{count['passed']} passed", f"{bad} failed"]
    words += [f"{count['waits']} wait"] if count["waits"] else []
    words += [f"{differing} not repeatable"] if differing else []
    print(f"{', '.join(words)}; {virtual_s:.0f} s of virtual time{speed}")
    return UNMET if bad or differing else MET


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text}: must be a whole number >= 0")
    return int(text)


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text}: must be a whole number >= 1")
    return int(text)


def _range(text: str) -> range:
    match = re.fullmatch(r"(\d{1,9})\.\.(\d{1,9})", text, re.ASCII)
    if not match or int(match[1]) > int(match[2]):
        raise argparse.ArgumentTypeError(f"{text}: must be A..B with A <= B, e.g. 1..20")
    return range(int(match[1]), int(match[2]) + 1)
