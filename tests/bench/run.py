"""Plays all candidates in turns on one core, and gathers their figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from models.pack import pack
from tests.bench import scenes
from tests.bench.crowd import PEOPLE
from tests.bench.peers import NMS_IOU, PEERS, SCORE
from tests.bench.worker import OURS

CANDIDATES = (OURS, *PEERS)
CROWD_MODEL = "yolox_nano_person_320x256_int8"
WARM_FRAMES = 10
Figures = dict[str, float]


class Worker:
    """A candidate's process. A context manager: leaving it ends the process."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._name = job["name"]
        single = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.worker", json.dumps(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=(job["frames_fd"],),
            env={**os.environ, **single, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        self._rounds: list[dict[str, Any]] = []

    def __enter__(self) -> Worker:
        self._answer()
        self.play(WARM_FRAMES)
        self._rounds.clear()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def play(self, frames: int) -> None:
        """One round."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"play {frames}\n")
        self._process.stdin.flush()
        self._rounds.append(self._answer())

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._name} has failed:\n{self._process.communicate()[1]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def figures(self) -> Figures:
        """Medians over all rounds, ms, and the rest of the row."""
        columns = ("frame_ns", "invoke_ns", "floor_ns", "wall_ns", "people")
        rows = {key: np.concatenate([r[key] for r in self._rounds]) for key in columns}
        return {
            "frame_ms": round(float(np.median(rows["frame_ns"])) / 1e6, 4),
            "over_invoke_ms": round(
                float(np.median(rows["frame_ns"] - rows["invoke_ns"])) / 1e6, 4
            ),
            "invoke_ms": round(float(np.median(rows["invoke_ns"])) / 1e6, 4),
            "floor_ms": round(float(np.median(rows["floor_ns"])) / 1e6, 4),
            "ratio": round(float(np.median(rows["frame_ns"] / rows["invoke_ns"])), 4),
            "wall_ms": round(float(np.median(rows["wall_ns"])) / 1e6, 4),
            "people": round(float(rows["people"].mean()), 2),
            "rss_mb": round(self._rounds[-1]["rss_mb"], 1),
        }


class Bench:
    """One run of the whole benchmark.

    Args:
        data: the shared data sets.
        folder: for the packages.
        core: the core that everything runs on.
        frames, rounds: how much is played per candidate.
    """

    def __init__(self, data: Path, folder: Path, core: int, frames: int, rounds: int) -> None:
        self._data, self._folder, self._core = data, folder, core
        self._frames, self._rounds = frames, rounds
        self._scenes: dict[str, int] = {}

    def setting(self, setting: scenes.Setting) -> dict[str, Figures]:
        """Figures of every candidate in one setting."""
        return self._play(setting.model, setting.scene, 0)

    def crowds(self) -> dict[str, dict[int, float]]:
        """ms without the network, per candidate and number of people."""
        found: dict[str, dict[int, float]] = {name: {} for name in CANDIDATES}
        for people in PEOPLE:
            for name, figures in self._play(CROWD_MODEL, "one", people).items():
                found[name][people] = figures["over_invoke_ms"]
        return found

    def _play(self, model: str, scene: str, people: int) -> dict[str, Figures]:
        with ExitStack() as stack:
            workers = {
                name: stack.enter_context(Worker(self._job(name, model, scene, people)))
                for name in CANDIDATES
            }
            for _ in range(self._rounds):
                for worker in workers.values():
                    worker.play(self._frames)
            return {name: worker.figures() for name, worker in workers.items()}

    def _job(self, name: str, model: str, scene: str, people: int) -> dict[str, Any]:
        if scene not in self._scenes:
            self._scenes[scene] = scenes.share(scenes.decode(self._data, scene))
        description = self._data / scenes.REFERENCE / f"{model}.json"
        package = self._folder / model
        if not package.is_dir():
            pack(description, package, SCORE, NMS_IOU)
        return {
            "name": name,
            "core": self._core,
            "frames_fd": self._scenes[scene],
            "description": str(description),
            "package": str(package),
            "people": people,
        }
