"""What an image is made of, fetched once into a cache: Debian packages, wheels, our own wheel."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from ota.image.tools import run_tool
from ota.refusal import Refused

SUITE: Final = "bookworm"
MIRROR: Final = "http://deb.debian.org/debian"
SYSTEM: Final = (
    "base-files", "base-passwd", "systemd", "systemd-sysv", "udev", "kmod", "mount", "util-linux",
    "e2fsprogs", "dash", "coreutils", "ca-certificates", "busybox-static",
    "python3.11-minimal", "libpython3.11-stdlib", "libgomp1", "libstdc++6",
)  # fmt: skip
UPDATER: Final = ("rauc", "rauc-service", "dbus")
"""What installs whole images."""
KERNEL: Final = ("linux-image-arm64",)
PYTHON: Final = "python3.11"
HERE: Final = Path(__file__).parent
SOURCE: Final = HERE.parents[1]
"""The tree that this file lies in: our own wheel is made of it."""
_PLATFORMS: Final = ("2_34", "2_31", "2_28", "2_27", "2_24", "2_17")
_MERGED: Final = "/usr/share/mmdebstrap/hooks/merged-usr"
_LIST: Final = 'cd "$1"/var/cache/apt/archives && ls *.deb > "$1/packages.txt"'
"""Beside the packages: the names of their files, which hold their versions."""


def _tell_nobody(_: str) -> None:
    pass


class Sources:
    """Fetched parts in `cache`. What is there already is not fetched again.

    Args:
        cache: made where it is missing.
        mirror: of Debian; one of snapshot.debian.org gives the packages of a day.
        tell: is told what is being fetched.
    """

    def __init__(
        self, cache: Path, mirror: str = MIRROR, tell: Callable[[str], None] = _tell_nobody
    ) -> None:
        self._cache, self._mirror, self._tell = cache, mirror, tell
        cache.mkdir(parents=True, exist_ok=True)

    def debian(self) -> Path:
        """A tar file with an arm64 root of packages, unpacked and never configured.

        Raises:
            Refused: "unavailable": a tool is missing, or the mirror cannot be reached.
        """
        packages = (*SYSTEM, *UPDATER, *KERNEL)
        made = self._cache / f"debian-{_short(SUITE, *packages)}.tar"
        if not made.is_file():
            self._tell(f"Debian packages from {self._mirror}")
            new = made.with_suffix(".new.tar")
            run_tool(
                "mmdebstrap", "--mode=auto", "--variant=extract", "--architectures=arm64",
                f"--hook-dir={_MERGED}", f"--extract-hook={_LIST}",
                f"--include={','.join(packages)}", SUITE, new, self._mirror,
            )  # fmt: skip
            new.rename(made)
        return made

    def wheels(self, *more: str) -> Path:
        """A folder of arm64 wheels, as requirements.txt and `more` files beside it say.

        Raises:
            Refused: "unavailable": one cannot be had, or is not the one whose sum is written there.
        """
        wanted = [HERE / name for name in ("requirements.txt", *more)]
        made = self._cache / f"wheels-{_short(*(file.read_text() for file in wanted))}"
        if not made.is_dir():
            self._tell("wheels")
            new = made.with_name(f"{made.name}.new")
            shutil.rmtree(new, ignore_errors=True)
            names = [f"--platform=manylinux_{name}_aarch64" for name in _PLATFORMS]
            names += ["--platform=manylinux2014_aarch64", "--platform=any"]
            run_tool(
                sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check",
                "--no-deps", "--only-binary=:all:", "--python-version=3.11", "--implementation=cp",
                "--require-hashes", *names, "-d", new, *(f"-r{file}" for file in wanted),
            )  # fmt: skip
            new.rename(made)
        return made

    def runtime(self, given: Path | None) -> Path:
        """Our own wheel: the one that is `given`, or made of the source tree this runs from."""
        if given is not None:
            return given
        if not (SOURCE / "pyproject.toml").is_file():
            raise Refused("argument", "there is no source tree here: name the --wheel of haetae")
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "source"
            _copy_source(source)
            made = self._cache / f"runtime-{_tree_hash(source)}"
            if not made.is_dir():
                self._tell("the runtime's own wheel")
                new = made.with_name(f"{made.name}.new")
                shutil.rmtree(new, ignore_errors=True)
                run_tool(
                    sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check",
                    "--no-deps", "-w", new, source,
                )  # fmt: skip
                new.rename(made)
        return next(made.glob("haetae-*.whl"))


def packages_of(debian: Path) -> list[str]:
    """ "name version" of every package in a root's tar file, sorted."""
    with tarfile.open(debian) as packed:
        file = packed.extractfile("./packages.txt")
        names = file.read().decode().split() if file else []
    return sorted(" ".join(unquote(name).split("_")[:2]) for name in names)


def _copy_source(target: Path) -> None:
    """What a wheel is made of, without what lies about in a work tree."""
    project = tomllib.loads((SOURCE / "pyproject.toml").read_text())
    floors = {name.split(".")[0] for name in project["tool"]["setuptools"]["packages"]}
    dropped = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
    for name in sorted(floors):
        shutil.copytree(SOURCE / name, target / name, ignore=dropped)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(SOURCE / name, target / name)


def _tree_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _short(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:12]
