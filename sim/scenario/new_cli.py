"""`haetae sim new` and `haetae sim list`: begin a scenario, and see those that there are."""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

from sim.scenario.find import shipped
from sim.scenario.load import SUFFIX

DONE, REFUSED = 0, 2
TEMPLATE = Path(__file__).with_name("template.toml")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,58}")


def new(argv: list[str]) -> int:
    """Write a commented scenario that passes as it stands. Returns 0 or 2."""
    parser = argparse.ArgumentParser("haetae sim new", description=new.__doc__)
    parser.add_argument("name", help="letters, digits, spaces, _ and -")
    parser.add_argument("--out", type=Path, help=f"file; default: NAME{SUFFIX} in this folder")
    arguments = parser.parse_args(argv)
    if not _NAME.fullmatch(arguments.name):
        parser.error(f"{arguments.name!r}: letters, digits, spaces, _ and -, at most 59")
    out: Path = arguments.out or Path(arguments.name.replace(" ", "_") + SUFFIX)
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.read_text(encoding="utf-8").replace("NAME", arguments.name))
    except FileExistsError:
        print(f"{out}: is there already; nothing was written", file=sys.stderr)
        return REFUSED
    except OSError as error:
        print(f"{out}: cannot be written: {error.strerror}", file=sys.stderr)
        return REFUSED
    print(f"{out}: run it with: haetae sim run {out}")
    return DONE


def list_(argv: list[str]) -> int:
    """Print name and purpose of every shipped scenario. Returns 0."""
    parser = argparse.ArgumentParser("haetae sim list", description=list_.__doc__)
    parser.add_argument("--waiting", action="store_true", help="only those that wait for something")
    arguments = parser.parse_args(argv)
    for file in shipped():
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        waits = table.get("waits_for", "")
        if arguments.waiting and not waits:
            continue
        note = f"  (waits for {waits})" if waits else ""
        print(f"{file.name.removesuffix(SUFFIX):28} {table.get('purpose', '')}{note}")
    return DONE
