"""`haetae sim fleet`: a fleet that polls a static channel, and what the CDN carries."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ota.carriers.rollout import DEFAULT_STAGES, MAX_STAGES, Stage
from sim.fleet.page import write
from sim.fleet.settings import Settings
from sim.fleet.summary import Prices, figures, study
from sim.fleet.words import lines

EXIT_CODES = """\
exit codes: 0 simulated; 2 wrong arguments

Compares a release that works with one that fails on a share of the cameras, in stages and to all
at once. One core needs about 25 s for 100,000 cameras and a week."""


def fleet(argv: list[str]) -> int:
    """Run the command. Returns 0."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        stages = tuple(_stage(share) for share in arguments.stages.split(","))
    except ValueError:
        parser.error(f"--stages {arguments.stages}: percents that rise to 100, as in 1,10,100")
    shares = [stage.share for stage in stages]
    if shares != sorted(set(shares)) or shares[-1] != 1.0 or len(shares) > MAX_STAGES:
        parser.error(f"--stages {arguments.stages}: percents that rise to 100, as in 1,10,100")
    settings = replace(
        Settings(),
        cameras=arguments.cameras,
        hours=arguments.days * 24.0,
        poll_ms=arguments.poll_min * 60_000.0,
        bundle_bytes=round(arguments.bundle_mb * 1e6),
        stages=stages,
        seed=arguments.seed,
    )
    found = study(settings, arguments.fails_on / 100.0)
    told = figures(found, Prices(arguments.price_gb, arguments.price_million))
    print(json.dumps(told) if arguments.json else "\n".join(lines(told)))
    if arguments.out:
        page = write(found, told, arguments.out)
        if not arguments.json:
            print(f"\npage: {page}")
    return 0


def _stage(percent: str) -> Stage:
    share = float(percent) / 100.0
    if not 0.0 < share <= 1.0:
        raise ValueError(percent)
    return next((s for s in DEFAULT_STAGES if s.share == share), Stage(share=share))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="haetae sim fleet",
        description=__doc__,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    default = Settings()
    parser.add_argument("--cameras", type=_bounded(100, 2_000_000), default=default.cameras)
    parser.add_argument("--days", type=_bounded(1, 60), default=7)
    parser.add_argument("--poll-min", type=_bounded(2, 1440), default=60, help="minutes")
    parser.add_argument("--bundle-mb", type=float, default=2.0, help="what one camera takes of it")
    parser.add_argument("--stages", default="1,10,100", help="percent of the cameras")
    parser.add_argument("--fails-on", type=float, default=8.0, help="percent, the bad release")
    parser.add_argument("--price-gb", type=float, default=Prices.per_gb, help="US dollars")
    parser.add_argument("--price-million", type=float, default=Prices.per_million_requests)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="figures for scripts")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where a page is written")
    return parser


def _bounded(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{value}: must be {least} to {most}")
        return value

    return number
