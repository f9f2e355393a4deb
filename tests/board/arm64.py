"""An arm64 Debian on a PC, unpacked and never configured, and the wheels that go with it.

Needs no right to run arm64 code, and none to mount anything.
"""

from __future__ import annotations

import compileall
import contextlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

SUITE, MIRROR = "bookworm", "http://deb.debian.org/debian"
PYTHON = (
    "python3.11-minimal,libpython3.11-stdlib,libc6,libgcc-s1,libstdc++6,libgomp1,zlib1g,"
    "libbz2-1.0,liblzma5,libffi8,libexpat1,libssl3,libuuid1,libcrypt1"
)
"""Debian packages that a Python 3.11 with compiled wheels needs."""
PLATFORMS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")


class NotHere(Exception):
    """A tool or a download that cannot be had; the message says which."""


def call(*command: str, what: str) -> None:
    """Run a command that needs the network. Raises NotHere with the end of what it printed."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        printed = (done.stdout + done.stderr).strip().splitlines()
        raise NotHere(f"{what}: {printed[-1] if printed else done.returncode}")


def need_tools(tools: Mapping[str, str], *more: str) -> None:
    """Install what is missing, where that is allowed.

    Args:
        tools: commands, and the Debian packages that they are in.
        more: packages without a command of their own, installed along with any of these.
    """
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    missing = sorted({p for command, p in tools.items() if not shutil.which(command, path=path)})
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NotHere(f"install {', '.join(missing)} (Debian), or run it as root where apt-get is")
    missing += more
    print("installing", *missing, flush=True)
    call("apt-get", "update", "-qq", what="apt-get update")
    install = ("apt-get", "install", "-y", "-qq", "--no-install-recommends")
    call(*install, *missing, what="apt-get install")


def unpack_root(folder: Path, include: str) -> None:
    """An arm64 Debian with these packages and all that they depend on."""
    print("unpacking", folder, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    options = ("--mode=auto", "--variant=extract", "--architectures=arm64", f"--include={include}")
    call("mmdebstrap", *options, SUITE, str(folder), MIRROR, what="mmdebstrap")


def unpack_wheels(folder: Path, wanted: Iterable[str], cache: Path) -> None:
    """Wheels for arm64 and CPython 3.11 into a folder of packages; no dependencies are followed.

    Args:
        folder: is added to, or made.
        wanted: as of `pip download`.
        cache: where the wheels as such are kept.
    """
    pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
    pip += ["--no-deps", "--only-binary=:all:", "--python-version=3.11", "--implementation=cp"]
    pip += [f"--platform={name}_aarch64" for name in PLATFORMS] + ["--platform=any"]
    shutil.rmtree(cache, ignore_errors=True)
    call(*pip, "-d", str(cache), *wanted, what="pip download")
    for wheel in sorted(cache.glob("*.whl")):
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(folder)


def precompile(folder: Path) -> None:
    """Where this Python writes what the arm64 one reads; it saves a minute of emulation."""
    if sys.version_info[:2] == (3, 11):
        with contextlib.redirect_stdout(None):
            compileall.compile_dir(folder, quiet=2)
