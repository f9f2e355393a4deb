"""How fast the simulator is: `python -m sim.bench [--check]`.

Plays shipped scenarios one after the other with the default student. Every picture is rendered
for its frame; none is cached. Counted is the time of the core that it runs on, so that other work
on the machine does not show.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import median

from sim.scenario.find import find
from sim.scenario.jobs import Task, play_one
from sim.scenario.load import load_scenario
from sim.scenario.result import Result

SCENARIOS = ("zone_entry", "npu_error", "siren_refuses", "wind", "three_alarms", "rain_at_night")
"""What most of the shipped ones are like, one person by day, and the dear ends: a mast that sways,
three people close by, rain with lamps at night."""
LEAST = 5.0
"""Times real time, all together: thirty scenarios of 20 s then take two minutes of one core."""
ROW = "{:<24}{:>8}{:>9}{:>9}{:>11}{:>11}{:>11}\n"


def main() -> int:
    """Print a table; with --check, 1 where a scenario is slower than LEAST."""
    parser = argparse.ArgumentParser("python -m sim.bench", description=__doc__)
    parser.add_argument("scenario", nargs="*", default=list(SCENARIOS))
    parser.add_argument("--runs", type=int, default=2, help="the best one counts")
    parser.add_argument("--check", action="store_true", help=f"fail below {LEAST} x real time")
    arguments = parser.parse_args()
    say = sys.stdout.write
    say("pictures rendered one by one, none cached; one process, one thread\n")
    heads = ("people", "virtual s", "core s", "render ms", "frame ms", "real time")
    say(ROW.format("scenario", *heads))
    times = [_measure(file, arguments.runs) for file in find(arguments.scenario)]
    speed = sum(virtual_s for virtual_s, _ in times) / max(sum(core_s for _, core_s in times), 1e-9)
    say(f"all together {speed:.1f} x real time\n")
    if arguments.check and speed < LEAST:
        say(f"FAILED: at least {LEAST} x real time is asked for\n")
        return 1
    return 0


def _measure(file: Path, runs: int) -> tuple[float, float]:
    """Play a scenario a few times; returns virtual and core seconds of the best run."""
    results = [play_one(Task(load_scenario(file))) for _ in range(max(1, runs))]
    best = min(results, key=lambda result: result.cpu_s)
    speed = best.duration_ms / 1e3 / max(best.cpu_s, 1e-9)
    people = sum(track.kind == "person" for track in best.tracks)
    cells = (
        people,
        f"{best.duration_ms / 1e3:.0f}",
        f"{best.cpu_s:.2f}",
        f"{median(best.frames.render_ms or [0.0]):.2f}",
        f"{_firmware_ms(best):.2f}",
        f"{speed:.1f} x",
    )
    sys.stdout.write(ROW.format(best.scenario[:23], *cells))
    return best.duration_ms / 1e3, best.cpu_s


def _firmware_ms(result: Result) -> float:
    """Median of a tick without drawing: the firmware with its inference."""
    frames = result.frames
    ticks = zip(frames.tick_ms, frames.render_ms, strict=True)
    return median([tick - render for tick, render in ticks] or [0.0])


if __name__ == "__main__":
    sys.exit(main())
