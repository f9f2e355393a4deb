"""Plays many scenarios, each in a process of its own, some at a time, results in order."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from sim.render.warm import forget_stale
from sim.scenario import inline_site
from sim.scenario import result as results
from sim.scenario.load import Loaded
from sim.scenario.result import Eye, FrameTimes, Plan, Result, Verdict

CHILD = "sim.scenario.child"
TIMEOUT_SHARE, TIMEOUT_S = 4.0, 120.0
"""A child may take so many times the scenario's duration, and this long to start."""
LAST_CHARACTERS = 600
"""Of what a child that died has said."""


@dataclass(frozen=True)
class Task:
    """One scenario to be played once.

    Attributes:
        loaded: checked.
        seed: None: the scenario's own.
        out: folder for its files.
        video: write the clip.
        realtime, faults: see `haetae sim run`.
        child: the module that plays it; CHILD when empty.
    """

    loaded: Loaded
    seed: int | None = None
    out: Path | None = None
    video: bool = False
    realtime: bool = False
    faults: Path | None = None
    child: str = ""

    @property
    def label(self) -> str:
        """The scenario's name, with the seed where it is not the scenario's own."""
        name = self.loaded.scenario.name
        return name if self.seed is None else f"{name} seed {self.seed}"


def play_all(tasks: Sequence[Task], jobs: int, repeat: int = 1) -> Iterator[list[Result]]:
    """Play all tasks, `jobs` at a time.

    Yields:
        for each task, in order, the results of its `repeat` runs; only the first leaves files.
    """
    runs = [
        task if number == 0 else replace(task, out=None, video=False)
        for task in tasks
        for number in range(repeat)
    ]
    _compile_once()
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        done = pool.map(play_one, runs)
        try:
            for _ in tasks:
                yield [next(done) for _ in range(repeat)]
        finally:
            pool.shutdown(cancel_futures=True)


def _compile_once() -> None:
    """So that jobs side by side do not each compile the same kernels; in a process that ends."""
    if forget_stale():
        subprocess.run([sys.executable, "-m", "sim.render.warm"], env=_environment(), check=True)


def _environment() -> dict[str, str]:
    """A child finds what its parent found."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def play_one(task: Task) -> Result:
    """Play one task in a child; one that dies gives a result that says so.

    A scenario whose site has a rule of a later kind is not played: no camera would start with it.
    """
    if later := inline_site.later_rules(task.loaded.scenario):
        waits_for = task.loaded.scenario.waits_for
        return _not_played(task, "waits", f"waits for {waits_for}: no rule {', '.join(later)} yet")
    with tempfile.TemporaryDirectory(prefix="haetae-sim-") as folder:
        file = Path(folder) / "result.json"
        command = _command(task, file)
        duration_s = task.loaded.scenario.duration_ms / 1e3
        try:
            done = subprocess.run(
                command,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env=_environment(),
                timeout=TIMEOUT_S + TIMEOUT_SHARE * duration_s,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            return _not_played(task, "refused", f"no end after {late.timeout:.0f} s")
        if file.is_file():
            return results.load(file)
        said = done.stderr.strip()[-LAST_CHARACTERS:]
        why = f"the process ended with {done.returncode}: {said}"
        return _not_played(task, "refused", why)


def _command(task: Task, file: Path) -> list[str]:
    words = [sys.executable, "-m", task.child or CHILD, str(task.loaded.file), str(file)]
    for name in ("seed", "out", "faults"):
        value = getattr(task, name)
        words += [] if value is None else [f"--{name}", str(value)]
    return words + [f"--{name}" for name in ("video", "realtime") if getattr(task, name)]


def _not_played(task: Task, verdict: Verdict, why: str) -> Result:
    """A result without a run."""
    scenario, camera = task.loaded.scenario, task.loaded.board.camera
    eye = scenario.world.camera
    return Result(
        scenario=scenario.name,
        file=str(task.loaded.file),
        purpose=scenario.purpose,
        waits_for=scenario.waits_for,
        seed=scenario.seed if task.seed is None else task.seed,
        duration_ms=scenario.duration_ms,
        fps=camera.fps,
        width_px=camera.width_px,
        height_px=camera.height_px,
        board=task.loaded.board.name,
        site="",
        verdict=verdict,
        why=why,
        plan=Plan(
            camera=Eye(
                at_m=eye.at_m,
                height_m=eye.height_m,
                pan_deg=eye.pan_deg,
                tilt_deg=eye.tilt_deg,
                across_deg=0.0,
            ),
            zones=[],
            lines=[],
            structures=[],
        ),
        frames=FrameTimes(t_ms=[], tick_ms=[], render_ms=[]),
    )
