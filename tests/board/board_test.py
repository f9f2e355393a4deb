"""The firmware on a virtual arm64 board: real kernel, real drivers, emulated devices.

    make board-test

exit codes: 0 every expectation met, or not run where the tools cannot be had (it says why);
1 some were not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from tests.board import arm64, camera_stories, unit_stories, update_stories, update_vendor
from tests.board.guest_build import BUILD, build_guest
from tests.board.report import Report
from tests.places import REPOSITORY

STORIES: dict[str, Callable[[Report, Path], None]] = {
    "camera": camera_stories.tell,
    "updates": update_stories.tell,
    "unit": unit_stories.tell,
}


def main() -> int:
    """Build what is missing, then tell the stories."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stories", nargs="*", help=f"of {', '.join(STORIES)}; default: all")
    chosen = parser.parse_args().stories or list(STORIES)
    try:
        arm64.need_tools(update_vendor.TOOLS)
        build_guest()
    except arm64.NotHere as missing:
        print(f"board-test NOT RUN: {missing}")
        return 0
    report = Report()
    for name in chosen:
        with report.telling(name):
            STORIES[name](report, BUILD / "run")
    report.write(REPOSITORY / "build/board.xml")
    print(f"board-test: {len(report.found)} expectations, {report.failed} not met")
    return int(report.failed > 0)


if __name__ == "__main__":
    sys.exit(main())
