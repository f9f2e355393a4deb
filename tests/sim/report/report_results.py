"""A result with one of everything that a report shows, and the clip that belongs to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from drivers.interfaces import Frame
from models.tables import Detections
from runtime.export import VideoFile
from runtime.privacy import Anonymiser
from runtime.tables import Tracks
from sim.scenario import result as results
from sim.scenario.result import (
    ActionSeen,
    Checked,
    EdgeSeen,
    Eye,
    FaultSeen,
    FrameTimes,
    OutputSeen,
    Plan,
    ResetSeen,
    Result,
    Shape,
    Track,
)

ATTACK = '"><script>alert(1)</script><img src=x onerror=alert(2)>&\x07</script>'
WIDTH, HEIGHT, FPS, FRAMES = 160, 90, 10.0, 60
GAP = range(30, 40)
"""Pictures that never came."""


def _event(t_ms: float, kind: str, state: str, **more: Any) -> dict[str, Any]:
    event = {
        "seq": 1, "t_ms": t_ms, "frame": 1, "kind": kind, "rule": "zone", "zone": "pit",
        "track": 0, "state": state, "why": {}, "boot": 1,
    }  # fmt: skip
    return {**event, **more}


EVENTS = [
    _event(1000, "hazard", "raised", track=1, why={"inside_ms": 300}),
    _event(1000, "alarm", "active_unacked"),
    _event(1000, "output", "on", rule="", zone="", why={"output": "siren", "pattern": "march"}),
    _event(1500, "hazard", "raised", track=2),
    _event(2000, "alarm", "active_acked"),
    _event(2100, "alarm", "shelved", why={"duration_ms": 900}),
    _event(2500, "hazard", "cleared", track=1),
    _event(3000, "alarm", "unshelved"),
    _event(3100, "alarm", "active_unacked"),
    _event(3200, "hazard", "cleared", track=2),
    _event(3200, "alarm", "returned_unacked"),
    _event(3300, "fault", "raised", rule="camera_fault", zone="", why={"reason": "no_frame"}),
    _event(4200, "fault", "cleared", rule="camera_fault", zone="", why={"reason": "no_frame"}),
    _event(5500, "hazard", "in", rule="line", zone="gate", track=3, boot=2),
]


def made_result(name: str = "yard", verdict: str = "failed") -> Result:
    times = [n * 100.0 for n in range(FRAMES) if n not in GAP]
    return Result(
        scenario=name,
        file=f"{name}.toml",
        purpose=f"Shows one of everything: {name}.",
        seed=7,
        duration_ms=6000,
        fps=FPS,
        width_px=WIDTH,
        height_px=HEIGHT,
        board="sim",
        site=name,
        verdict=verdict,  # type: ignore[arg-type]
        why="the gate counts",
        end="planned",
        plan=Plan(
            camera=Eye(at_m=(0, 0), height_m=4.5, pan_deg=10, tilt_deg=20, across_deg=60),
            zones=[Shape(name=name, kind="zone", points_m=[(0, 4), (2, 4), (2, 6), (0, 6)])],
            lines=[Shape(name="gate", kind="line", points_m=[(-2, 5), (-2, 8)])],
            structures=[Shape(name="", kind="pillar", points_m=[(3, 3), (4, 3), (4, 4)])],
        ),
        tracks=[
            Track(
                name=name,
                kind="person",
                t_ms=times,
                x_m=[t / 2000 for t in times],
                y_m=[5.0] * len(times),
                action=["walk" if t < 2000 else "bend" for t in times],
                zones=[["pit"] if t > 900 else [] for t in times],
                helmet=[t < 4500 for t in times],
                vest=[True] * len(times),
            ),
            Track(name="truck", kind="truck", t_ms=times[:9], x_m=[5.0] * 9, y_m=[9.0] * 9),
            Track(name="nobody", kind="person", t_ms=[], x_m=[], y_m=[]),
        ],
        events=EVENTS,
        outputs=[
            OutputSeen(name="siren", role="siren", on_boot=False),
            OutputSeen(name="fault_relay", role="fault", on_boot=False),
        ],
        edges=[
            EdgeSeen(t_ms=0, name="fault_relay", role="fault", level=True),
            EdgeSeen(t_ms=1000, name="siren", role="siren", level=True),
            EdgeSeen(t_ms=4500, name="siren", role="siren", level=False, by_reset=True),
        ],
        faults=[
            FaultSeen(
                number=0, component="camera", type="silent", from_ms=3000, to_ms=4000,
                options={}, text="no picture comes",
            )
        ],
        actions=[ActionSeen(t_ms=2000, do="acknowledge", text="acknowledge pit", done=True)],
        resets=[ResetSeen(t_ms=4500, cause="power_cut", detail=name, boot_ms=5000)],
        expectations=[
            _checked("output", True, 900, 1900, 1000, measured="400 ms", allowed="0..900 ms"),
            _checked("event", False, 2000, 3000, 3500, measured=name, allowed="0..500 ms"),
            _checked("silent", True, -1000, 6000, None),
            _checked("count", False, None, None, None),
        ],
        frames=FrameTimes(
            t_ms=times, tick_ms=[20.0] * len(times), render_ms=[9.0 + t / 1e3 for t in times]
        ),
        hashes={"all": "ab" * 32, "events": "cd" * 32},
        wall_s=1.0,
        speed=6.0,
    )  # fmt: skip


def _checked(
    that: str,
    ok: bool,
    from_ms: float | None,
    to_ms: float | None,
    at_ms: float | None,
    **words: str,
) -> Checked:
    more = {"measured": "all the time", "allowed": "silence", **words}
    sentence = f"{that} happens in time"
    return Checked(
        that=that, sentence=sentence, ok=ok, from_ms=from_ms, to_ms=to_ms, at_ms=at_ms, **more
    )


def leave_files(result: Result, report: Path) -> Path:
    """A run's folder with a clip, as the player leaves it."""
    from sim.report.pictures import folder_name

    folder = report / folder_name(result)
    folder.mkdir(parents=True)
    sink = VideoFile(folder / "annotated.mp4", WIDTH, HEIGHT, FPS)
    frame, nobody = Frame(WIDTH, HEIGHT), (Detections(4), Tracks(4))
    anonymise = Anonymiser(WIDTH, HEIGHT)
    for t_ms in result.frames.t_ms:
        picture = anonymise(frame, *nobody, t_ms)
        picture.canvas[:] = 60
        picture.canvas[:, : 1 + int(t_ms) * WIDTH // 6000] = 200
        sink.write(picture, t_ms)
    sink.close()
    result.files = {"video": "annotated.mp4"}
    results.save(result, folder / "result.json")
    return folder


def brightness(pixels: Any) -> float:
    """Share of a still that is lit: tells which moment it shows."""
    return float(np.mean(np.asarray(pixels)[..., 0] > 130))
