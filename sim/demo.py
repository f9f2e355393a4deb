"""The demonstration: a person walks into a marked zone, and the camera sounds its siren."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 14
FPS = 10
FRAME_PERIOD_MS = 1000 / FPS
MARGIN_MS = 5.0
"""The siren may come one frame period, one inference and this much after the settling frame."""


def main() -> int:
    """Run the camera on the synthetic source in real time, then say what it did.

    Returns:
        0 when the siren came in time and the empty room was quiet, else 1.
    """
    parser = argparse.ArgumentParser("python -m sim.demo", description=main.__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo_out"))
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "runtime.main", "run"),
        *("--board", str(ROOT / "board_configs/sim.toml")),
        *("--site", str(ROOT / "board_configs/site/demo_zone.toml")),
        *("--source", f"synthetic:frames={SECONDS * FPS}"),
        *("--journal", str(out / "journal.ring")),
        *("--events", str(out / "events.jsonl")),
        *("--metrics", str(out / "metrics.json")),
        *("--video", str(out / "annotated.mp4")),
    ]
    print("haetae", " ".join(command[3:]), f"\n(in real time, {SECONDS} s)")
    code = subprocess.run(command, check=False).returncode
    if code:
        return code
    events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    metrics = json.loads((out / "metrics.json").read_text())
    return report(events, metrics, out)


def report(events: list[dict[str, Any]], metrics: dict[str, Any], out: Path) -> int:
    """Print the story and the verdict; returns the exit code."""
    for event in events:
        place = f"{event['rule']} {event['zone']} {event['why'].get('output', '')}".strip()
        print(f"  {event['t_ms'] / 1000:6.1f} s  {event['kind']:8} {place:14} {event['state']}")
    settled = first(events, "hazard", "raised")
    siren = next((e for e in events if e["kind"] == "output" and is_siren_on(e)), None)
    if settled is None or siren is None:
        print("FAILED: no siren although a person walked into the zone")
        return 1
    delay_ms = siren["t_ms"] - settled["t_ms"] + metrics["frame_in_to_output_ms_max"]
    budget_ms = FRAME_PERIOD_MS + metrics["invoke_ms_p99"] + MARGIN_MS
    print(f"siren {delay_ms:.1f} ms after the frame that settled the rule (budget {budget_ms:.1f})")
    frame_ms, invoke_ms = metrics["frame_ms_p50"], metrics["invoke_ms_p50"]
    print(f"loop {frame_ms} ms per frame, {invoke_ms} ms of it inference")
    print(f"memory {metrics['rss_kb_end'] / 1024:.0f} MB, with the writer of the clip")
    print(f"look at {out / 'annotated.mp4'}, {out / 'events.jsonl'}, {out / 'metrics.json'}")
    if delay_ms > budget_ms:
        print("FAILED: the siren came too late")
        return 1
    return 0


def first(events: list[dict[str, Any]], kind: str, state: str) -> dict[str, Any] | None:
    """The first event of a kind and state."""
    return next((e for e in events if e["kind"] == kind and e["state"] == state), None)


def is_siren_on(event: dict[str, Any]) -> bool:
    """The siren began to sound."""
    return event["state"] == "on" and event["why"].get("role") == "siren"


if __name__ == "__main__":
    sys.exit(main())
