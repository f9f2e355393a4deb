"""A sealed camera that is asked mutated questions by its own service, between ticks of its loop.

A process of its own, as sealing cannot be undone:
`python -m tests.runtime.asked_mutants 5000` prints one JSON object. Nothing but `Refused` may come
out, the loop goes on, and memory does not grow.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from tests.ota import vendor
from tests.ota.mutate import mutated_value
from tests.places import REPOSITORY

UPDATES = """
[updates]
path = "{folder}/slots.area"
ring = "{folder}/ring"
product = "haetae-cam"
device = "cam-1"
links = []
"""
PER_FRAME = 20
WARM_FRAMES = 30
"""After so many memory has its size."""


def questions(site: str) -> list[tuple[str, dict[str, Any]]]:
    """One that is right, for every command but those that go on for long."""
    return [
        ("status", {}),
        ("journal", {"from_seq": 1, "most": 5}),
        ("offer", {"head": b"x" * 200, "allow_older": True}),
        ("chunk", {"session": bytes(16), "index": 0, "data": b"x" * 100}),
        ("abandon", {}),
        ("confirm", {}),
        ("rollback", {}),
        ("ring", {"rings": b"\x90"}),
        ("alarms", {}),
        ("ack", {"number": 1, "place": "", "rule": ""}),
        ("mute", {}),
        ("shelve", {"number": 1, "for_ms": 1000}),
        ("unshelve", {"number": 1}),
        ("self_test", {}),
        ("site", {"text": site.replace("polygon", "polygone")}),
        ("site_get", {}),
        ("nonsense", {}),
    ]


def main() -> int:
    count = int(sys.argv[1])
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from runtime.memory import prepare_allocator

    prepare_allocator()
    from drivers.board import load_board
    from ota.refusal import Refused
    from ota.service import Asker, Rank
    from ota.service import Path as Way
    from runtime import boot
    from runtime.site_check import load_site

    folder = Path(tempfile.mkdtemp())
    (folder / "ring").write_bytes(vendor.ring(1))
    text = (REPOSITORY / "board_configs/sim.toml").read_text() + UPDATES.format(folder=folder)
    (folder / "board.toml").write_text(text)
    site_file = REPOSITORY / "board_configs/site/zone_whole_view.toml"
    options = boot.Options(
        site_file=str(site_file), source="synthetic:", fast=True, journal=str(folder / "journal")
    )
    board, site = load_board(folder / "board.toml"), load_site(site_file)
    asked = questions(site_file.read_text())
    outcomes: Counter[str] = Counter()
    by = Asker(Way.LAN, Rank.VENDOR, "fuzz")
    rng, warm_kb = Random(1), []

    def ask() -> None:
        command, arguments = rng.choice(asked)
        if rng.random() < 0.8:
            arguments = mutated_value(rng, arguments, {"number": 2, "text": "x"})
        if not isinstance(arguments, dict):
            return
        try:
            answer = machine.service.ask(command, arguments, by)
            outcomes[f"{command} done"] += isinstance(answer, dict)
        except Refused as refused:
            outcomes[f"{command} {refused.reason}"] += 1

    def on_frame(context: Any) -> None:
        for _ in range(PER_FRAME):
            ask()
        if context.frame.frame_id == WARM_FRAMES:
            warm_kb.append(rss_kb())

    with boot.boot(board, site, options) as machine:
        machine.loop.on_frame = on_frame
        machine.loop.run(count // PER_FRAME)
        told = {
            "outcomes": outcomes,
            "grown_kb": rss_kb() - warm_kb[0],
            "healthy": machine.health.healthy,
            "frames": machine.context.frame.frame_id,
        }
    print(json.dumps(told))
    return 0


def rss_kb() -> int:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 10


if __name__ == "__main__":
    sys.exit(main())
