"""The board file: which drivers this board has, and the limits they live in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import floor
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from drivers import npu_config, operator_config, output_config, thermal_config, update_config
from drivers.npu_config import NpuConfig as NpuConfig
from drivers.operator_config import ControlConfig, DeadManConfig, InputConfig
from drivers.output_config import OutputConfig as OutputConfig
from drivers.thermal_config import ThermalConfig
from drivers.toml_strict import Check, Complaint, load_strict
from drivers.update_config import UpdatesConfig

FORMAT = 1
BLIND_MS = 1000
"""A blind camera must be an alarm within this time."""
MAX_JOURNAL_BYTES = 1 << 28
"""Largest journal ring; at boot it is scanned whole."""
_BLIND = "a blind camera must be an alarm within 1 s"

Name = Annotated[str, Meta(min_length=1)]
Feature = Literal[
    "camera", "npu", "output", "input", "watchdog", "thermal", "serial", "usb", "storage", "image"
]
"""What a test may need. serial: a link to a technician's PC; usb: a socket for a stick; storage:
flash that can be cut; image: `haetae image build` makes one for it."""
PositiveInt = Annotated[int, Meta(ge=1)]
NonNegativeInt = Annotated[int, Meta(ge=0)]


class MemoryConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[memory]`: what the kernel is told to enforce after the seal."""

    address_space_mb: PositiveInt
    """Hard RLIMIT_AS. The soft limit is what is in use at the seal."""
    headroom_mb: NonNegativeInt = 64
    """How far the soft limit is lifted while a lost camera is opened or a trial model is built."""
    lock: bool = True
    """mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT); where not permitted, a warning."""


class CameraConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[camera]`: the source of frames and when it counts as faulty."""

    driver: Name
    source: str = ""
    """Path, folder, URL or device; empty for a driver that needs none."""
    width_px: PositiveInt = 640
    height_px: PositiveInt = 360
    fps: Annotated[float, Meta(gt=0, le=240)] = 10.0
    fourcc: Literal["YUYV", "MJPG", "NV12", "BGR3"] = "YUYV"
    """Of the driver v4l2: format of the pictures, as v4l2-ctl --list-formats-ext names it."""
    buffers: Annotated[int, Meta(ge=2, le=16)] = 4
    """Of the driver v4l2: how many the kernel fills in turn."""
    open_timeout_ms: PositiveInt = 3000
    read_timeout_ms: PositiveInt = 1000
    no_frame_ms: PositiveInt = 900
    """No fresh frame id for this long is `camera_fault`."""
    frozen_ms: NonNegativeInt = 900
    """Pictures identical to the byte for this long is `camera_fault`; 0 switches the check off."""
    dark_ms: NonNegativeInt = 900
    """A picture without light for this long is `camera_fault`; 0 switches the check off."""
    dark_level: Annotated[int, Meta(ge=0, le=255)] = 16
    """No sampled pixel above this value means no light."""
    retry_ms: PositiveInt = 500
    """Wait before a lost camera is opened again; doubles up to 8 s."""
    give_up_ms: NonNegativeInt = 0
    """Exit with code 4 when the camera has been away for this long; 0 = never give up."""


class StorageConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[storage]`: where the journal ring lives."""

    driver: Name
    path: Name
    atomic_unit_bytes: Literal[512, 1024, 2048, 4096, 8192, 16384] = 4096
    """Smallest write that a power cut cannot tear; also the size of a journal slot."""
    journal_slots: Annotated[int, Meta(ge=8, le=1_000_000)] = 2000


class WatchdogConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[watchdog]`: resets the board when the loop is silent."""

    driver: Name
    timeout_ms: PositiveInt = 5000
    device: Name = "/dev/watchdog"
    """Of the driver linux."""
    boot_ms: PositiveInt = 60_000
    """Of the driver linux: the time from its opening until the loop feeds it first."""


class ModelsConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[models]`: package names (in models/students) or folders, by role."""

    detector: Name
    skeleton: str = ""
    """Finds the joints of one person; empty: rules about bodies are refused."""
    action: str = ""
    """Says what a skeleton does; empty: likewise."""
    skeletons_per_frame: Annotated[int, Meta(ge=1, le=32)] = 4
    """So many people are looked at in one frame, in turn; each look is one inference."""
    closer_looks_per_frame: Annotated[int, Meta(ge=1, le=32)] = 1
    """So many people are looked at closely, in turn, for what they wear; each look is one more
    inference of the detector, and only a rule about equipment asks for them."""


class LimitsConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[limits]`: capacities of the tables; they are allocated once."""

    detections: Annotated[int, Meta(ge=1, le=256)] = 64
    tracks: Annotated[int, Meta(ge=1, le=128)] = 32


class Board(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole board file."""

    format: Literal[1]
    name: Name
    soc: Name
    memory: MemoryConfig
    camera: CameraConfig
    npu: NpuConfig
    models: ModelsConfig
    outputs: list[OutputConfig]
    storage: StorageConfig
    watchdog: WatchdogConfig
    limits: LimitsConfig = LimitsConfig()
    inputs: list[InputConfig] = []
    control: ControlConfig = ControlConfig()
    dead_man: DeadManConfig | None = None
    """Left out: the fault relay drops when the watchdog resets the board."""
    updates: UpdatesConfig | None = None
    """Left out: the camera keeps the students it was made with."""
    thermal: ThermalConfig | None = None
    """Left out: `haetae check --live` does not look at the temperature."""
    verified: list[str] = []
    """What was tried on this very board, when and how; empty: nothing was."""
    supported: list[Feature] = []
    """What the test runner may try on this board."""


def _camera_times(camera: CameraConfig) -> Iterator[Complaint]:
    period_ms = 1000 / camera.fps
    most_ms = BLIND_MS - period_ms
    if camera.fps <= 3000 / BLIND_MS:  # two periods to notice, one to act
        yield "camera.fps", camera.fps, f"must be > 3: {_BLIND}"
        return
    for name in ("no_frame_ms", "frozen_ms", "dark_ms"):
        value_ms = getattr(camera, name)
        if value_ms > most_ms:
            allowed = (
                f"must be <= {floor(most_ms)} ms ({BLIND_MS} ms less one frame period): {_BLIND}"
            )
            yield f"camera.{name}", value_ms, allowed
    if camera.no_frame_ms <= 2 * period_ms:
        allowed = f"must be > {floor(2 * period_ms)} ms (two frame periods), or jitter is a fault"
        yield "camera.no_frame_ms", camera.no_frame_ms, allowed


def _device(camera: CameraConfig) -> Iterator[Complaint]:
    if camera.driver != "v4l2":
        return
    if not camera.source.startswith("/dev/"):
        allowed = "must be a video device, best a stable name such as /dev/v4l/by-path/..."
        yield "camera.source", camera.source, allowed
    for name in ("width_px", "height_px"):
        if getattr(camera, name) % 2 and camera.fourcc in ("YUYV", "NV12"):
            allowed = f"must be even: {camera.fourcc} has one colour for two pixels"
            yield f"camera.{name}", getattr(camera, name), allowed


def _supported(
    supported: list[str], inputs: list[InputConfig], thermal: ThermalConfig | None
) -> Iterator[Complaint]:
    """What a test would look for in vain."""
    for name in sorted({name for name in supported if supported.count(name) > 1}):
        yield "supported", name, "must be named once"
    for name, section in (("input", inputs), ("thermal", thermal)):
        if name in supported and not section:
            what = "[[inputs]]" if name == "input" else "[thermal]"
            yield "supported", name, f"must be left out, or the file must have {what}"


def _memory(memory: MemoryConfig) -> Iterator[Complaint]:
    if memory.headroom_mb > memory.address_space_mb:
        allowed = f"must be <= memory.address_space_mb = {memory.address_space_mb}"
        yield "memory.headroom_mb", memory.headroom_mb, allowed


def _bodies(models: ModelsConfig) -> Iterator[Complaint]:
    """Neither network is of use without the other."""
    for name, other in (("skeleton", "action"), ("action", "skeleton")):
        if getattr(models, name) and not getattr(models, other):
            allowed = f"must be named too, as models.{name} is: one needs the other"
            yield f"models.{other}", "", allowed


def _watchdog(watchdog: WatchdogConfig) -> Iterator[Complaint]:
    if watchdog.boot_ms < watchdog.timeout_ms:
        allowed = f"must be >= watchdog.timeout_ms = {watchdog.timeout_ms}"
        yield "watchdog.boot_ms", watchdog.boot_ms, allowed


def _journal_size(storage: StorageConfig) -> Iterator[Complaint]:
    most = MAX_JOURNAL_BYTES // storage.atomic_unit_bytes
    if storage.journal_slots > most:
        allowed = f"must be <= {most}: the ring may take {MAX_JOURNAL_BYTES >> 20} MiB of flash"
        yield "storage.journal_slots", storage.journal_slots, allowed


CHECKS = (
    Check(("memory",), _memory),
    Check(("camera",), _camera_times),
    Check(("camera",), _device),
    Check(("supported", "inputs", "thermal"), _supported),
    *npu_config.CHECKS,
    Check(("models",), _bodies),
    Check(("storage",), _journal_size),
    Check(("watchdog",), _watchdog),
    *output_config.CHECKS,
    *operator_config.CHECKS,
    *update_config.CHECKS,
    *thermal_config.CHECKS,
)


def load_board(path: str | Path, more: Sequence[Check] = ()) -> Board:
    """Read a board file.

    Args:
        path: of the file.
        more: rules of a floor above.

    Raises:
        ConfigErrors: every mistake in it, those between values included.
    """
    return load_strict(path, Board, (*CHECKS, *more))
