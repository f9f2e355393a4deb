"""The board file: which drivers this board has, and the limits they live in."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

FORMAT = 1

PositiveInt = Annotated[int, Meta(ge=1)]
NonNegativeInt = Annotated[int, Meta(ge=0)]
Level = Literal["off", "on"]


class MemoryConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[memory]`: what the kernel is told to enforce after the seal."""

    address_space_mb: PositiveInt
    """Hard RLIMIT_AS. The soft limit is what is in use at the seal."""
    headroom_mb: NonNegativeInt = 64
    """How far the soft limit is lifted while a lost camera is opened again or a trial model is built."""
    lock: bool = True
    """mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT); where not permitted, a warning."""


class CameraConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[camera]`: the source of frames and when it counts as faulty."""

    driver: str
    source: str = ""
    """Path, folder, URL or device; empty for a driver that needs none."""
    width_px: PositiveInt = 640
    height_px: PositiveInt = 360
    fps: Annotated[float, Meta(gt=0, le=240)] = 10.0
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


class NpuConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[npu]`: the back end and how it is called."""

    driver: str
    runtime: Literal["auto", "litert", "tflite"] = "auto"
    threads: Annotated[int, Meta(ge=1, le=16)] = 1
    delegate: str = ""
    """Shared library of an external TFLite delegate (VX, Edge TPU, Ethos-U); empty = CPU."""
    delegate_options: dict[str, str] = {}
    call_deadline_ms: NonNegativeInt = 0
    """An inference longer than this is `npu_fault`, on a thread of its own; 0 = call inline (CPU)."""
    golden_stale_check: bool = True
    """Treat outputs bit-identical to the last ones for a changed input as a fault."""


class OutputConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[outputs]]`: one siren, strobe or relay."""

    name: str
    role: Literal["siren", "strobe", "fault"]
    driver: str
    on_boot: Level = "off"
    """Level from power-on until the runtime takes the output over (pull resistor, SoC default)."""
    on_release: Level = "off"
    """Level after the runtime has let go of it, crash included."""


class StorageConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[storage]`: where the journal ring lives."""

    driver: str
    path: str
    atomic_unit_bytes: Literal[512, 1024, 2048, 4096, 8192, 16384] = 4096
    """Smallest write that a power cut cannot tear; also the size of a journal slot."""
    journal_slots: Annotated[int, Meta(ge=8, le=1_000_000)] = 2000


class WatchdogConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[watchdog]`: resets the board when the loop is silent."""

    driver: str
    timeout_ms: PositiveInt = 5000


class ModelsConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[models]`: package names (in models/students) or folders, by role."""

    detector: str


class LimitsConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[limits]`: capacities of the tables; they are allocated once."""

    detections: Annotated[int, Meta(ge=1, le=256)] = 64
    tracks: Annotated[int, Meta(ge=1, le=128)] = 32


class Board(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole board file."""

    format: Literal[1]
    name: str
    soc: str
    memory: MemoryConfig
    camera: CameraConfig
    npu: NpuConfig
    models: ModelsConfig
    outputs: list[OutputConfig]
    storage: StorageConfig
    watchdog: WatchdogConfig
    limits: LimitsConfig = LimitsConfig()
    supported: list[str] = []
    """What the test runner may try on this board."""
