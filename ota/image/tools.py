"""The distribution's programs that make an image: found, or named with the package to install."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ota.refusal import Refused

PACKAGES: Final = {
    "mmdebstrap": "mmdebstrap",
    "mksquashfs": "squashfs-tools",
    "unsquashfs": "squashfs-tools",
    "genimage": "genimage",
    "mkdosfs": "dosfstools",
    "mcopy": "mtools",
    "mke2fs": "e2fsprogs",
    "mkimage": "u-boot-tools",
    "depmod": "kmod",
}
"""Programs, and the Debian packages that they are in."""
PLACES: Final = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
EPOCH_S: Final = 1_767_225_600
"""2026-01-01: the time of every file in an image, where SOURCE_DATE_EPOCH says no other."""


def missing_packages(programs: Sequence[str] = tuple(PACKAGES)) -> list[str]:
    """Debian packages to install, sorted."""
    return sorted({PACKAGES[name] for name in programs if not shutil.which(name, path=PLACES)})


def need_programs(programs: Sequence[str] = tuple(PACKAGES)) -> None:
    """Raises Refused "unavailable" with the line that installs what is missing."""
    missing = missing_packages(programs)
    if missing:
        raise Refused(
            "unavailable", f"install what is missing: apt-get install {' '.join(missing)}"
        )


def epoch_s() -> int:
    """Seconds since 1970 that everything in the image is dated. Raises Refused "argument"."""
    text = os.environ.get("SOURCE_DATE_EPOCH", str(EPOCH_S))
    if not text.isdecimal():
        raise Refused("argument", f"SOURCE_DATE_EPOCH is {text!r}: must be seconds since 1970")
    return int(text)


def run_tool(
    *command: str | Path, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> str:
    """Run a program; returns what it printed. Raises Refused "unavailable" with its last words."""
    steady = {"PATH": PLACES, "LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": str(epoch_s())}
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env={**os.environ, **steady, **(environment or {})},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        package = PACKAGES.get(words[0], words[0])
        raise Refused("unavailable", f"{words[0]} is missing: apt-get install {package}") from error
    if done.returncode:
        last = (done.stdout + done.stderr).strip().splitlines()[-3:]
        raise Refused("unavailable", f"{words[0]} failed: {' | '.join(last) or done.returncode}")
    return done.stdout
