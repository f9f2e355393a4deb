"""The memory seal, in a process of its own: sealing cannot be undone.

`python -m runtime.unit_test.memory BOARD [SITE]` boots the whole camera with the board's networks
and budget, on a drawn room and with outputs that go nowhere, seals it, runs it, asks the kernel for
more than it may have, and prints one JSON object.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from msgspec.structs import replace

from drivers.board import Board, OutputConfig, load_board
from drivers.faults import HardwareFault, ModelRefused
from drivers.operator_config import ControlConfig
from drivers.toml_strict import ConfigErrors
from runtime import plugins
from runtime.memory import MemoryRefused, prepare_allocator, usage_kb
from runtime.site import Site, ZoneConfig
from runtime.site_check import load_site
from runtime.site_rules import ManDownRuleConfig, ZoneRuleConfig
from runtime.unit_test.result import Bench, Row, judged, untested
from runtime.warm_up import NoWatchdog

FRAMES: Final = 60
SLOTS: Final = 64
MOST_GROWN_KB: Final = 64
"""Some pages of the C library are met late; `make soak` proves that it ends there."""
PROBE_BYTES: Final = 16 << 20
TIMEOUT_S: Final = 180.0
BUDGET: Final = "raise memory.address_space_mb of the board file, or tell the vendor"
LOCK: Final = "run it as root, or with LimitMEMLOCK=infinity as the service has"


class Nowhere:
    """An output that goes nowhere. Implements `Output`."""

    def __init__(self, config: OutputConfig, _: object) -> None:
        self.name, self.level = config.name, False

    def set(self, level: bool, now_ms: float) -> None:
        """Keep it."""
        self.level = level

    def release(self, now_ms: float) -> None:
        """Nothing to let go of."""


def memory(bench: Bench) -> Iterator[Row]:
    """Ask the process."""
    files = [bench.board_file, *([bench.site_file] if bench.site_file else [])]
    command = [sys.executable, "-m", __name__, *files]
    try:
        ended = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        text = f"no answer within {TIMEOUT_S:g} s"
        yield judged("memory.seal", "memory: seal", False, text, next="look at the load")
        return
    yield from judge(bench.board, ended.returncode, ended.stdout, ended.stderr)


def judge(board: Board, code: int, said: bytes, errors: bytes) -> Iterator[Row]:
    """Rows of what the process said.

    Args:
        board: whose budget it is.
        code: exit code; less than 0: the signal that ended it.
        said, errors: standard output and error.
    """
    item, name = "memory.seal", "memory: seal"
    budget_mb = board.memory.address_space_mb
    if code != 0:
        last = errors.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        text = f"ended by signal {-code}" if code < 0 else last[0]
        yield judged(item, name, False, text, f"{budget_mb} MB", next=BUDGET)
        return
    told: dict[str, Any] = json.loads(said)
    used_mb, grown_kb = told["address_space_kb"] / 1024, told["grown_kb"]
    text = f"{used_mb:.0f} MB of address space, {told['rss_kb'] / 1024:.0f} MB in RAM"
    ok = used_mb <= budget_mb
    limit = f"<= {budget_mb} MB"
    yield judged(item, name, ok, text, limit, value=used_mb, unit="MB", next=BUDGET)
    text = f"{grown_kb} kB in {told['frames']} pictures, {PROBE_BYTES >> 20} MB more "
    text += "were refused" if told["refused"] else "WERE GIVEN"
    ok = told["refused"] and grown_kb <= MOST_GROWN_KB
    limit, step = f"<= {MOST_GROWN_KB} kB, none given", "tell the vendor: the seal does not hold"
    yield judged(
        "memory.held", "memory: held", ok, text, limit, value=grown_kb, unit="kB", next=step
    )
    if not board.memory.lock:
        return
    if not told["locked"] and os.geteuid() != 0:
        yield untested("memory.lock", "memory: locked", f"not permitted here: {LOCK}")
        return
    text = "kept in RAM" if told["locked"] else "may be swapped out"
    yield judged("memory.lock", "memory: locked", told["locked"], text, "locked", next=LOCK)


def main(argv: list[str]) -> int:
    """Be that process. Returns 0, or 1 with the reason on standard error."""
    prepare_allocator()
    try:
        board = load_board(argv[0])
        site = load_site(argv[1]) if len(argv) > 1 else plain_site(board)
        with TemporaryDirectory() as folder:
            told = _sealed(board, site, argv[-1], Path(folder))
    except (ConfigErrors, MemoryRefused, HardwareFault, ModelRefused) as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    sys.stdout.write(json.dumps(told))
    return 0


def _sealed(board: Board, site: Site, site_file: str, folder: Path) -> dict[str, Any]:
    """Boot, run, and ask for too much."""
    from runtime.boot import boot
    from runtime.options import Options

    journal = str(folder / "ring")
    options = Options(site_file=site_file, fast=True, journal=journal, find_driver=_find, boot_id=0)
    with boot(bare(board), site, options) as machine:
        seal = machine.seal
        machine.loop.run(FRAMES)
        rss_kb = usage_kb()[0]
        return {
            "frames": machine.metrics.frames,
            "rss_kb": seal.rss_kb,
            "address_space_kb": seal.address_space_kb,
            "grown_kb": max(0, rss_kb - seal.rss_kb),
            "refused": _is_refused(),
            "locked": seal.locked,
        }


def _is_refused() -> bool:
    try:
        bytearray(PROBE_BYTES)
    except MemoryError:
        return True
    return False


def _find(kind: str, name: str) -> Callable[..., object]:
    if kind == "output":
        return Nowhere
    if kind == "watchdog":
        return lambda config, clock: NoWatchdog()
    return plugins.driver(kind, name)


def bare(board: Board) -> Board:
    """The board with nothing on it that touches the outside: a drawn room, no buttons, no links."""
    camera = replace(board.camera, driver="synthetic", source="")
    storage = replace(board.storage, driver="file", journal_slots=SLOTS)
    return replace(
        board, camera=camera, storage=storage, inputs=[], control=ControlConfig(),
        dead_man=None, updates=None, thermal=None,
    )  # fmt: skip


def plain_site(board: Board) -> Site:
    """A site that makes the board load all its networks."""
    whole = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    has_bodies = bool(board.models.skeleton and board.models.action)
    return Site(
        format=1,
        name="unit test",
        units="fraction",
        zones=[ZoneConfig(name="view", polygon=whole)],
        rules=[ZoneRuleConfig(zone="view"), *([ManDownRuleConfig()] if has_bodies else [])],
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
