"""One scenario in a process of its own: `python -m sim.scenario.child FILE RESULT.json ...`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main(make_world: Callable[..., Any] | None = None) -> int:
    """Play the scenario and write its result; 0 when there is one, whatever it says.

    Args:
        make_world: instead of the rendered world.
    """
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from runtime.memory import prepare_allocator

    prepare_allocator()
    from sim.scenario.load import load_scenario
    from sim.scenario.play import PlayOptions, play
    from sim.scenario.result import save
    from sim.scenario.world import make_world as rendered

    arguments = _parser().parse_args()
    options = PlayOptions(
        seed=arguments.seed,
        out=arguments.out,
        video=arguments.video,
        realtime=arguments.realtime,
        faults=arguments.faults,
        make_world=make_world or rendered,
    )
    save(play(load_scenario(arguments.file), options), arguments.result)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m sim.scenario.child", description=__doc__)
    parser.add_argument("file", type=Path, help="a scenario that has been checked")
    parser.add_argument("result", type=Path, help="where the result goes")
    parser.add_argument("--seed", type=int, help="instead of the scenario's own")
    parser.add_argument("--out", type=Path, help="folder for journal, event lines and clip")
    parser.add_argument("--video", action="store_true", help="write the clip")
    parser.add_argument("--realtime", action="store_true", help="wait as a real board would")
    parser.add_argument("--faults", type=Path, help="Unix socket that takes faults")
    return parser


if __name__ == "__main__":
    sys.exit(main())
