"""A USB stick that was plugged in: mounted in one place, and what comes first is decided here.

An image comes first: one bundle in the stick's top folder is handed to RAUC, which sees by its
signature whom it is from and for, and writes the slot that does not run. Whoever plugged the stick
in waits until the camera restarts. What RAUC took or refused is remembered by the file's SHA-256: a
stick that stays in does not bring the same image again, also where the camera has gone back to the
one before. One that was pulled out half way may come again.

Students come where no image was installed, so from a stick with both after the restart. They are
carried by a process that may read the stick and speak to the camera (haetae-carry@.service).
"""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Final

from drivers.durable import write_file
from ota.carriers.usb import scan

PLACE: Final = Path("/run/haetae-stick")
"""Below it each stick has a folder with the name of its partition."""
CARRY: Final = "haetae-carry@{}.service"
TRIED: Final = Path("/data/haetae/image-tried")
"""SHA-256 of the bundle that was handed to RAUC last, and was all there at the end."""
OPTIONS: Final = "ro,nodev,nosuid,noexec"
MOST_NAMES: Final = 2000
INSTALL_S: Final = 3600.0
TRIAL_S: Final = 8 * 86_400.0
"""Students may be on trial for a week, see `updates.most_ms` of a board file."""
_PART_BYTES: Final = 1 << 20
_SUFFIX: Final = ".raucb"
_WHY: Final = "LastError: "
"""What RAUC prints before the reason of a refusal."""

Run = Callable[[Sequence[str], float], tuple[int, str]]
"""Runs a program, for so many seconds at the most; gives its exit code and why, in a line that it
printed."""
Tell = Callable[[str], None]


class StickFault(Exception):
    """Nothing was installed; the message says why, and what to do."""


class Taken(Enum):
    """What came of a stick."""

    NOTHING = 0
    """Or students, whose outcome the camera tells."""
    IMAGE = 1
    """The other slot holds it: the camera has to be restarted."""
    REFUSED = 2
    """An image was; it was told why."""


def run_program(command: Sequence[str], most_s: float = INSTALL_S) -> tuple[int, str]:
    """Run a program. Raises StickFault: it is not there, or does not end."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=most_s,
            check=False,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise StickFault(f"{command[0]}: {error}") from error
    lines = (done.stdout + "\n" + done.stderr).strip().splitlines()
    told = [line.removeprefix(_WHY) for line in lines if line.startswith(_WHY)] or lines
    return done.returncode, told[-1] if told else ""


@contextmanager
def mounted(device: str, run: Run, place: Path = PLACE) -> Iterator[Path]:
    """The stick's top folder. Raises StickFault."""
    place.mkdir(mode=0o755, parents=True, exist_ok=True)
    code, said = run(("mount", "-o", OPTIONS, device, str(place)), INSTALL_S)
    if code:
        raise StickFault(f"{device} cannot be mounted: {said}")
    try:
        yield place
    finally:
        run(("umount", "--lazy", str(place)), INSTALL_S)


def find_bundle(folder: Path) -> Path | None:
    """The one bundle in a folder; None: there is none. Raises StickFault: there are several."""
    found: list[Path] = []
    with os.scandir(folder) as entries:
        for _, entry in zip(range(MOST_NAMES), entries, strict=False):
            is_file = stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode)
            if is_file and entry.name.endswith(_SUFFIX) and not entry.name.startswith("."):
                found.append(Path(entry.path))
    if len(found) > 1:
        names = ", ".join(sorted(path.name for path in found))
        raise StickFault(f"{names}: leave one of them on the stick")
    return found[0] if found else None


def install(bundle: Path, run: Run, tell: Tell, tried: Path = TRIED) -> bool:
    """Hand a bundle to RAUC, once.

    Args:
        bundle: the file.
        run: programs.
        tell: is told what happens.
        tried: remembers what was handed over last.

    Returns:
        Whether the other slot holds it now: the camera has to be restarted.

    Raises:
        StickFault: RAUC refused it; the other slot was written to only if it says so.
        OSError: the stick cannot be read.
    """
    digest = sha256_of(bundle)
    if tried.is_file() and tried.read_bytes().strip() == digest.encode():
        tell(f"{bundle.name} was tried before; it is not installed again")
        return False
    tell(f"installing {bundle.name}")
    code, said = run(("rauc", "install", str(bundle)), INSTALL_S)
    if not code or sha256_of(bundle) == digest:  # a stick that was pulled out was not refused
        remember(tried, digest)
    if code:
        raise StickFault(f"{bundle.name} was refused: {said}")
    return True


def remember(tried: Path, digest: str) -> None:
    """Make it durable. Raises StickFault."""
    try:
        write_file(tried, f"{digest}\n".encode())
    except OSError as error:
        raise StickFault(f"{tried}: {error.strerror}") from error


def sha256_of(path: Path) -> str:
    """In hexadecimal, from the device and not from memory. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while part := file.read(_PART_BYTES):
            digest.update(part)
    return digest.hexdigest()


def carry(name: str, run: Run, tell: Tell) -> None:
    """Have students brought to the camera; until their trial is over, or the stick is out.

    Args:
        name: of the partition.
        run: programs.
        tell: is told what happens.

    Raises:
        StickFault: systemd is not there.
    """
    code, said = run(("systemctl", "start", CARRY.format(name)), TRIAL_S)
    if code:
        tell(f"students from {name}: ended early: {said}")


def restart(run: Run) -> None:
    """Restart the camera. Raises StickFault."""
    code, said = run(("systemctl", "reboot"), INSTALL_S)
    if code:
        raise StickFault(f"it does not restart: {said}")


def take(device: str, run: Run, tell: Tell, place: Path = PLACE, tried: Path = TRIED) -> Taken:
    """All of it, for one stick.

    Raises:
        StickFault: it cannot be read.
    """
    name = Path(device).name
    try:
        with mounted(device, run, place / name) as folder:
            taken = _take_image(folder, run, tell, tried)
            if taken is not Taken.IMAGE and scan(folder):
                tell("students on the stick: they are brought to the camera")
                carry(name, run, tell)
            return taken
    except OSError as error:
        raise StickFault(f"{device}: {error}") from error


def _take_image(folder: Path, run: Run, tell: Tell, tried: Path) -> Taken:
    """A refused one does not keep students away: what fits together is in their own manifest."""
    try:
        bundle = find_bundle(folder)
        if bundle is None:
            return Taken.NOTHING
        tell(f"looking at {bundle.name}")
        return Taken.IMAGE if install(bundle, run, tell, tried) else Taken.NOTHING
    except StickFault as fault:
        tell(str(fault))
        return Taken.REFUSED
