"""From a run to its result and the files beside it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from drivers.board import Board
from drivers.camera.pacing import frame_time_ms
from runtime.journal import read_all
from runtime.site import Site
from sim.board.flash import Flash
from sim.scenario import result as results
from sim.scenario.judge import judge
from sim.scenario.load import Loaded
from sim.scenario.result import Checked, EdgeSeen, Eye, Plan, Result, Shape, Verdict
from sim.scenario.schema import Scenario
from sim.scenario.seen import Seen
from sim.scenario.stopwatch import Stopwatch
from sim.scenario.world import SceneWorld
from sim.scenery.build import size_m
from sim.world.config import StructureConfig

EVENTS, JOURNAL, RESULT, SITE = "events.jsonl", "journal.ring", "result.json", "site.json"


@dataclass(frozen=True)
class Record:
    """What of a run is not in `Seen`."""

    loaded: Loaded
    world: SceneWorld
    site: Site | None
    flash: Flash
    lines: list[bytes]
    metrics: list[dict[str, Any]]
    stopwatch: Stopwatch
    wall_s: float
    cpu_s: float
    refused: str


def result(seen: Seen, record: Record, out: Path | None) -> Result:
    """Judge the run, and write its files.

    Raises:
        OSError: a file cannot be written.
    """
    scenario, board = record.loaded.scenario, record.loaded.board
    record.stopwatch.finish()
    seen.truth.fill(_picture_times(board, seen.scenario.duration_ms))
    _read_journal(seen, record.flash)
    checked = [] if record.refused else judge(seen)
    decided, why = verdict(scenario, checked, record.refused)
    done = Result(
        scenario=scenario.name,
        file=str(record.loaded.file),
        purpose=scenario.purpose,
        waits_for=scenario.waits_for,
        seed=scenario.seed,
        duration_ms=scenario.duration_ms,
        fps=board.camera.fps,
        width_px=board.camera.width_px,
        height_px=board.camera.height_px,
        board=board.name,
        site=record.site.name if record.site else "",
        verdict=decided,
        why=why,
        end=seen.end,
        plan=_plan(record),
        tracks=seen.truth.tracks,
        events=seen.events,
        outputs=seen.outputs,
        edges=[EdgeSeen(**vars(edge)) for edge in seen.edges],
        faults=seen.faults,
        actions=seen.actions,
        resets=seen.resets,
        expectations=checked,
        frames=record.stopwatch.times,
        metrics=record.metrics,
        hashes=_hashes(seen, record),
        wall_s=round(record.wall_s, 3),
        cpu_s=round(record.cpu_s, 3),
        speed=round(seen.end_ms / 1e3 / record.wall_s, 2) if record.wall_s else 0.0,
    )
    if out is not None:
        _write(done, record, out)
    return done


def _picture_times(board: Board, duration_ms: int) -> Iterator[float]:
    """When the camera would give pictures."""
    index = 0
    while (t_ms := frame_time_ms(index, board.camera.fps)) < duration_ms:
        yield t_ms
        index += 1


def verdict(scenario: Scenario, checked: Iterable[Checked], refused: str) -> tuple[Verdict, str]:
    """What became of the scenario, and why, in a sentence."""
    waits = f"waits for {scenario.waits_for}" if scenario.waits_for else ""
    if refused:
        return "refused", refused
    unmet = [check.sentence for check in checked if not check.ok]
    if not unmet:
        early = f"{waits}, and passes already: take waits_for out"
        return ("early", early) if waits else ("passed", "")
    return ("waits", f"{waits}: {unmet[0]}") if waits else ("failed", unmet[0])


def _read_journal(seen: Seen, flash: Flash) -> None:
    """What the ring holds; below `oldest_kept` records have given way to newer ones."""
    seen.journal = {record.seq: record.body for record in read_all(flash)}
    slots = flash.size_bytes // flash.unit_bytes
    newest = max(seen.journal, default=0)
    seen.oldest_kept = min(seen.journal) if newest > slots else 0


def _hashes(seen: Seen, record: Record) -> dict[str, str]:
    parts = {
        "journal": bytes(record.flash.visible),
        "events": b"".join(record.lines),
        "outputs": json.dumps([vars(edge) for edge in seen.edges]).encode(),
    }
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
    return {**hashes, "all": hashlib.sha256("".join(hashes.values()).encode()).hexdigest()}


def _plan(record: Record) -> Plan:
    """The site from above; polygons in the picture are those that the firmware judges by."""
    config, site = record.loaded.scenario.world, record.site
    zones_px = {zone.name: zone.polygon for zone in site.zones} if site else {}
    lines_px = {line.name: [line.start, line.end] for line in site.lines} if site else {}
    camera = config.camera
    across = 2 * math.degrees(math.atan(camera.sensor_width_mm / 2 / camera.focal_mm))
    return Plan(
        camera=Eye(
            at_m=camera.at_m,
            height_m=camera.height_m,
            pan_deg=camera.pan_deg,
            tilt_deg=camera.tilt_deg,
            across_deg=round(across, 1),
        ),
        zones=[
            Shape(
                name=z.name, kind="zone", points_m=z.polygon_m, points_px=zones_px.get(z.name, [])
            )
            for z in config.zones
        ],
        lines=[
            Shape(
                name=line.name,
                kind="line",
                points_m=[line.start_m, line.end_m],
                points_px=lines_px.get(line.name, []),
            )
            for line in config.lines
        ],
        structures=[_footprint(structure) for structure in config.structures],
    )


def _footprint(structure: StructureConfig) -> Shape:
    """The rectangle on the ground that it fills."""
    width, depth, _ = size_m(structure)
    turn = math.radians(structure.heading_deg)
    points = []
    for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        dx, dy = x * width / 2, y * depth / 2
        east = structure.at_m[0] + dx * math.cos(turn) + dy * math.sin(turn)
        north = structure.at_m[1] - dx * math.sin(turn) + dy * math.cos(turn)
        points.append((round(east, 3), round(north, 3)))
    return Shape(name="", kind=structure.kind, points_m=points)


def _write(done: Result, record: Record, out: Path) -> None:
    (out / EVENTS).write_bytes(b"".join(record.lines))
    _write_sparse(record.flash, out / JOURNAL)
    done.files = {"events": EVENTS, "journal": JOURNAL}
    if record.site is not None:
        (out / SITE).write_text(json.dumps(to_builtins(record.site), indent=1) + "\n")
        done.files["site"] = SITE
    for number, clip in enumerate(sorted(out.glob("annotated*.mp4")), start=1):
        done.files["video" if number == 1 else f"video_boot{number}"] = clip.name
    results.save(done, out / RESULT)


def _write_sparse(flash: Flash, path: Path) -> None:
    """The image of the flash; what was never written takes no room on disk."""
    blank = bytes(flash.unit_bytes)
    with path.open("wb") as file:
        for start in range(0, flash.size_bytes, flash.unit_bytes):
            unit = flash.visible[start : start + flash.unit_bytes]
            if unit != blank:
                file.seek(start)
                file.write(unit)
        file.truncate(flash.size_bytes)
