"""One candidate in a process of its own, kept in lock-step by the questions on its stdin.

Each line asked is `play N`; each answer is one JSON object with the times of N frames.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.bench.timing import Candidate

OURS: Final = "haetae"
MOST_FRAMES: Final = 20_000


def main() -> int:
    """Build what the first argument describes, then play when asked."""
    job = json.loads(sys.argv[1])
    os.sched_setaffinity(0, {job["core"]})
    if job["name"] == OURS:
        from runtime.memory import prepare_allocator

        prepare_allocator()
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        _serve(lambda: _build(job, folder, stack), answers)
    return 0


def _serve(build: Any, answers: Any) -> None:
    from tests.bench.timing import Samples, rss_mb

    samples = Samples(MOST_FRAMES)
    candidate: Candidate = build()
    answers.write("{}\n")
    answers.flush()
    for line in sys.stdin:
        count = int(line.split()[1])
        first = samples.count
        candidate.play(count, samples)
        floor_ns = [candidate.floor_ns() for _ in range(count)]
        rows = slice(first, samples.count)
        answer = {
            "frame_ns": samples.frame_ns[rows].tolist(),
            "invoke_ns": samples.invoke_ns[rows].tolist(),
            "wall_ns": samples.wall_ns[rows].tolist(),
            "people": samples.people[rows].tolist(),
            "floor_ns": floor_ns,
            "rss_mb": rss_mb(),
        }
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _build(job: dict[str, Any], folder: Path, stack: ExitStack) -> Candidate:
    import cv2

    from tests.bench.scenes import shared

    cv2.setNumThreads(1)
    frames = shared(job["frames_fd"])
    description = Path(job["description"])
    crowd = None
    if job["people"]:
        from tests.bench.crowd import Crowd

        crowd = Crowd(description, job["people"])
    if job["name"] == OURS:
        return _build_ours(job, frames, crowd, folder, stack)
    from tests.bench import peers

    if crowd is None:
        network = peers.interpreter(description.with_suffix(".tflite"))
    else:
        from tests.bench.crowd import ReplayInterpreter

        network = ReplayInterpreter(crowd)
    return peers.script(job["name"], network, description, frames)


def _build_ours(
    job: dict[str, Any], frames: list[Any], crowd: Any, folder: Path, stack: ExitStack
) -> Candidate:
    from tests.bench import ours

    if crowd is None:
        npu = ours.tflite()
    else:
        from tests.bench.crowd import ReplayNpu

        npu = ReplayNpu(crowd)
    return ours.Ours(Path(job["package"]), frames, npu, folder, stack)


if __name__ == "__main__":
    sys.exit(main())
