"""`haetae sim`: play scenarios on the simulated board, and all that belongs to it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module

COMMANDS = {
    "run": ("sim.scenario.run_cli:run", "play scenarios and judge them"),
    "list": ("sim.scenario.new_cli:list_", "the scenarios that are shipped"),
    "new": ("sim.scenario.new_cli:new", "begin a scenario of your own"),
    "fault": ("sim.scenario.fault_cli:fault", "break something in a running simulator"),
    "record": ("sim.replay.cli:record", "keep what the loop saw and did"),
    "replay": ("sim.replay.cli:replay", "run a recording again and compare"),
    "dataset": ("sim.dataset.cli:dataset", "labelled pictures for training"),
    "workday": ("sim.workday.cli:run", "an hour of normal work with planted hazards, scored"),
    "fleet": ("sim.fleet.cli:fleet", "100,000 cameras that poll a channel: load, roll-out, halt"),
    "cable": ("sim.board.cable_cli:cable", "a serial cable between two programs on this computer"),
    "sheet": ("sim.dataset.cli:sheet", "a contact sheet of random sites"),
}
"""Word -> where its function is, and what it does; only the one asked for is imported."""
WRONG_ARGUMENTS = 2


def sim(argv: list[str]) -> int:
    """Run a command of the simulator; `argv` begins after the word "sim".

    Returns:
        0 done, 1 an expectation is unmet or something differs, 2 wrong arguments or file.
    """
    word = argv[0] if argv else ""
    if word not in COMMANDS:
        lines = (f"  {name:8} {text}" for name, (_, text) in COMMANDS.items())
        print("usage: haetae sim COMMAND ...\n\n" + "\n".join(lines), file=sys.stderr)
        return 0 if word in ("-h", "--help") else WRONG_ARGUMENTS
    module, _, name = COMMANDS[word][0].partition(":")
    try:
        command: Callable[[list[str]], int] = getattr(import_module(module), name)
        return command(argv[1:])
    except SystemExit as leave:  # argparse has said what is wrong
        return WRONG_ARGUMENTS if leave.code else 0
