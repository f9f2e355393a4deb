"""`haetae sim workday`: an hour of normal work with planted hazards, played and scored."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from drivers.toml_strict import ConfigErrors
from sim.scenario.jobs import Task, play_all
from sim.scenario.load import Loaded, load_scenario
from sim.workday import score as scores
from sim.workday.eyes import BY_WEATHER, Mistakes
from sim.workday.planted import Planted
from sim.workday.toml import document
from sim.workday.workday import WEATHER, built_rules, workday

GOOD, BAD, REFUSED = 0, 1, 2


def run(argv: list[str]) -> int:
    """Run the command. Returns 0, 1 (a hazard was missed, or a danger for nothing) or 2."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if not 2 <= arguments.minutes <= 60:
        parser.error(f"--minutes {arguments.minutes}: must be 2 to 60")
    days, tasks, code = list[list[Planted]](), list[Task](), GOOD
    arguments.out.mkdir(parents=True, exist_ok=True)
    for number, weather in enumerate(arguments.weather or WEATHER):
        table, planted = workday(weather, arguments.seed + number, arguments.minutes)
        file = arguments.out / f"{table['name']}.scenario.toml"
        file.write_text(document(table), encoding="utf-8")
        try:
            loaded = load_scenario(file)
        except ConfigErrors as refused:
            print(refused, file=sys.stderr)
            return REFUSED
        if arguments.judgement:
            code = max(code, _judge(loaded, planted, BY_WEATHER[weather], arguments.seed))
            continue
        days.append(planted)
        folder = arguments.out / table["name"]
        tasks.append(Task(loaded, out=folder, video=arguments.video))
    return max(code, _tell(tasks, days, arguments.jobs))


def _tell(tasks: list[Task], days: list[list[Planted]], jobs: int) -> int:
    code = GOOD
    for task, planted, [result] in zip(tasks, days, play_all(tasks, jobs), strict=True):
        print(f"== {task.label} ({result.speed} x real time)")
        if result.verdict == "refused":
            print(result.why, file=sys.stderr)
            return REFUSED
        code = max(code, _show(scores.score(result, planted, _severities())))
    return code


def _judge(loaded: Loaded, planted: list[Planted], mistakes: Mistakes, seed: int) -> int:
    """Without pictures, in this process."""
    from sim.workday.judgement import judge

    began_s = time.perf_counter()
    judged = judge(loaded, mistakes, seed)
    speed = judged.duration_ms / 1000 / (time.perf_counter() - began_s)
    print(f"== {loaded.scenario.name}, judgement alone ({speed:.0f} x real time)")
    return _show(scores.score(judged, planted, _severities()))


def _show(score: scores.Score) -> int:
    print(scores.table(score), flush=True)
    missed = any(each.delay_ms is None for each in score.found)
    return BAD if missed or score.false_by("danger") else GOOD


def _severities() -> dict[str, str]:
    return {rule["kind"]: rule["severity"] for rule in built_rules()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("haetae sim workday", description=__doc__)
    parser.add_argument(
        "--weather", action="append", choices=list(WEATHER), help="may be repeated; default: all"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the first hour")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument(
        "--judgement", action="store_true", help="no pictures: tracker, rules and alarms alone"
    )
    parser.add_argument("--jobs", type=int, default=1, help="so many at a time")
    parser.add_argument("--video", action="store_true", help="annotated clips")
    parser.add_argument("--out", type=Path, required=True, help="folder for files and results")
    return parser
