"""What the machine that makes bundles can try: NPU back ends that are installed, the runtime."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import Final, NamedTuple

from drivers.board import NpuConfig
from drivers.faults import ModelRefused, NpuFault
from drivers.interfaces import Npu
from models.package import Package, load_package, read_info
from models.signature import open_session
from models.training.rknn_header import RknnRefused, read_header
from ota.golden import check_golden
from ota.golden_make import make_golden
from ota.manifest import GOLDEN_FILE
from ota.refusal import Refused

GROUP: Final = "haetae.drivers"
KIND: Final = "npu."
MEMORY_MB: Final = 4
MEMORY_PER_BYTE: Final = 6
"""Building the shipped set of 1.5 MB beside itself, golden inputs answered: +7.2 MB (LiteRT)."""


class Tried(NamedTuple):
    """What became of one package.

    Attributes:
        folder: the package.
        role: of ROLES.
        golden: the golden file that travels.
        loaded: targets for which this machine has a back end, and that load there.
        unseen: targets that no back end here can load.
        used: worst share of what its golden file allows; 0 where it was made just now.
    """

    folder: Path
    role: str
    golden: bytes
    loaded: tuple[str, ...]
    unseen: tuple[str, ...]
    used: float


def runtime_version() -> str:
    """Of the runtime that is installed here, "major.minor.patch"; "0.0.0" where none is."""
    try:
        return version("haetae")
    except PackageNotFoundError:
        return "0.0.0"


def default_memory_mb(set_bytes: int) -> int:
    """What building a set of so many bytes is taken to need."""
    return MEMORY_MB + -(-MEMORY_PER_BYTE * set_bytes // 1_000_000)


def back_ends() -> dict[str, Npu]:
    """By target; drivers that do not start on this machine are passed over."""
    found: dict[str, Npu] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda one: one.name):
        if point.name.startswith(KIND):
            try:
                npu: Npu = point.load()(NpuConfig(driver=point.name.removeprefix(KIND)))
            except (ImportError, NpuFault):
                continue
            found.setdefault(npu.target, npu)
    return found


def try_package(folder: Path, targets: Sequence[str], npus: dict[str, Npu]) -> Tried:
    """Load a package as a device would, and see or make its golden inputs.

    Raises:
        Refused: "target": compiled for another NPU; "student": it does not load, or there is
            neither a golden file nor a back end to make one; "golden": it answers otherwise.
        OSError: a file cannot be read.
    """
    role = ""
    golden, used = b"", 0.0
    loaded = []
    try:
        role = read_info(folder).role
        if (folder / GOLDEN_FILE).is_file():
            golden = (folder / GOLDEN_FILE).read_bytes()
        for target in targets:
            package = load_package(folder, target)
            check_platform(package.file, target)
            if target in npus:
                golden, share = _answer(package, npus[target], target, golden)
                used = max(used, share)
                loaded.append(target)
    except (ModelRefused, NpuFault) as error:
        raise Refused("student", str(error)) from error
    if not golden:
        raise Refused(
            "student",
            f"{folder}: no back end here runs {', '.join(targets)}, and there is no {GOLDEN_FILE};"
            " make it where there is one: haetae ota golden",
        )
    unseen = tuple(target for target in targets if target not in loaded)
    return Tried(folder, role, golden, tuple(loaded), unseen, used)


def check_platform(file: Path, target: str) -> None:
    """A Rockchip file names the SoCs that it was compiled for.

    Raises:
        Refused: "target": the one is not among them; "student": damaged.
        OSError: it cannot be read.
    """
    if file.suffix != ".rknn":
        return
    try:
        compiled_for = read_header(file).target_platform
    except RknnRefused as refused:
        raise Refused("student", str(refused)) from refused
    if target not in compiled_for:
        raise Refused("target", f"{file} is for {', '.join(compiled_for)}, not for {target}")


def _answer(package: Package, npu: Npu, target: str, golden: bytes) -> tuple[bytes, float]:
    """The golden file, made where there is none, and how well the network answers it."""
    session = open_session(package, npu)
    try:
        if not golden:
            return make_golden(session, package.info, target), 0.0
        return golden, check_golden(golden, session, target)
    except Refused as refused:
        raise Refused(refused.reason, f"{package.folder}, {target}: {refused.detail}") from refused
    finally:
        session.close()
