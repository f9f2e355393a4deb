"""Many mutants: `python -m tests.ota.fuzz --cases 1000000 [--seed 1] [--only WHAT]`.

Exit codes: 0 nothing found, 1 found: the last line says which run to repeat it with.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections import Counter
from random import Random
from time import monotonic
from typing import Any, Protocol

from tests.ota.fuzz_bundles import Bundles
from tests.ota.fuzz_carriers import Channels, Clients
from tests.ota.fuzz_link import Links

WARM_CASES = 20_000
"""After so many the memory has its size."""
MAX_GROWTH_KB = 8 << 10
"""Of the most that the process ever used, over all cases after that."""


TARGETS = {"bundles": Bundles, "links": Links, "channels": Channels, "clients": Clients}
TURNS = ("bundles", "links") * 8 + ("channels",) * 3 + ("clients",)
"""Whose turn it is."""


class Target(Protocol):
    """What is fuzzed."""

    outcomes: Counter[tuple[str, str]]

    def run(self, rng: Random) -> int:
        """One run; how many mutants it had."""
        ...


def targets(only: str = "") -> list[Target]:
    """One after the other, again and again."""
    made: dict[str, Target] = {name: kind() for name, kind in TARGETS.items()}
    return [made[only]] if only else [made[name] for name in TURNS]


def run(chosen: list[Target], cases: int, seed: int, first: int = 0) -> int:
    """So many cases and a few more; any of them can be repeated by its number.

    Returns:
        Cases that there were.

    Raises:
        Whatever a mutant has caused, with a note that tells how to repeat it.
    """
    done, number = 0, first
    while done < cases:
        rng = Random(seed << 40 | number)
        try:
            done += chosen[number % len(chosen)].run(rng)
        except BaseException as error:
            error.add_note(f"seed {seed}, run {number}, after {done} cases")
            raise
        number += 1
    return done


def peak_kb() -> int:
    """Most memory that the process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.ota.fuzz", epilog=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("", *TARGETS), default="")
    arguments = parser.parse_args()
    chosen = targets(arguments.only)
    started, done = monotonic(), 0
    warm_kb, number = 0, 0
    while done < arguments.cases:
        done += run(chosen, WARM_CASES, arguments.seed + number)
        number += 1
        warm_kb = warm_kb or peak_kb()
        took = monotonic() - started
        print(f"{done} cases, {took:.0f} s, at most {peak_kb()} kB", flush=True)
    for target in dict.fromkeys(chosen):
        told(target)
    grown = peak_kb() - warm_kb
    print(f"{done} cases in {monotonic() - started:.0f} s; memory grew by {grown} kB")
    if grown > MAX_GROWTH_KB:
        print(f"that is more than {MAX_GROWTH_KB} kB", file=sys.stderr)
        return 1
    return 0


def told(target: Any) -> None:
    for (kind, outcome), count in sorted(target.outcomes.items()):
        print(f"  {type(target).__name__:<8} {kind:<10} {outcome:<16} {count}")
    for command, count in sorted(getattr(target, "reached", {}).items()):
        print(f"  {type(target).__name__:<8} reached    {command:<16} {count}")


if __name__ == "__main__":
    sys.exit(main())
