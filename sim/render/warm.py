"""Compiling once, before anything that counts time, memory or jobs begins."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from sim.world.config import (
    LampConfig,
    LightConfig,
    MachineConfig,
    PersonConfig,
    StepConfig,
    WeatherConfig,
    WorldConfig,
)

ROOM = Path(__file__).resolve().parent.parent
STAMP = "kernels.sha256"
"""Beside the cached kernels: the digest of the sources that they were compiled from."""
CACHED = ("*.nbi", "*.nbc")


def compile_all() -> None:
    """Sees to it that every kernel is on disk, compiled from the sources as they are now.

    Call it after `forget_stale`, once, before jobs are started side by side.
    """
    from sim.world.world import World

    World(_small_world(), 64, 36, 0).warm_up()


def forget_stale() -> bool:
    """Deletes the cached kernels of the simulator if any source has changed; says whether.

    The cache looks at the file of a kernel only, not at the files of the kernels that it calls.
    """
    digest = hashlib.sha256()
    for path in sorted(ROOM.rglob("*.py")):
        if b"numba" in (text := path.read_bytes()) or b"sim.render.jit" in text:
            digest.update(path.name.encode() + b"\0" + text)
    stamp = Path(__file__).resolve().parent / "__pycache__" / STAMP
    if stamp.is_file() and stamp.read_text() == digest.hexdigest():
        return False
    with suppress(OSError):  # installed for all users: numba keeps its cache elsewhere then
        for pattern in CACHED:
            for path in ROOM.rglob(f"__pycache__/{pattern}"):
                path.unlink(missing_ok=True)
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(digest.hexdigest())
    return True


def _small_world() -> WorldConfig:
    """A world that needs every kernel: sun, lamps, wind, a person and a machine."""
    return WorldConfig(
        light=LightConfig(lamps=[LampConfig(at_m=(-3.0, 6.0, 5.0), aim_m=(0.0, 10.0))]),
        weather=WeatherConfig(wind=0.5, rain=0.5),
        machines=[MachineConfig(name="m", kind="excavator", at_m=(4.0, 15.0), swing_deg=40)],
        people=[
            PersonConfig(
                name="p", at_m=(0.0, 9.0), script=[StepConfig(do="walk", to_m=(3.0, 12.0))]
            )
        ],
    )


if __name__ == "__main__":
    compile_all()
