"""The Rockchip back end on the real arm64 rknn-toolkit-lite2 over a virtual NPU.

    make npu-test

Makes an arm64 root of Debian packages and wheels in build/npu, compiles the virtual NPU for it,
and runs tests/drivers/npu/test_rknn_npu.py there under qemu-user. Nothing of it is kept elsewhere.

exit codes: 0 passed, or not run where the tools cannot be had (it says why); 1 failed.
"""

from __future__ import annotations

import compileall
import contextlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.places import REPOSITORY

BUILD = REPOSITORY / "build" / "npu"
ROOT = BUILD / "root"
HERE = Path(__file__).parent
TOOLS = {
    "qemu-aarch64-static": "qemu-user-static",
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
    "mmdebstrap": "mmdebstrap",
}
"""Commands, and the Debian packages that they are in."""
SUITE, MIRROR = "bookworm", "http://deb.debian.org/debian"
INCLUDE = (
    "python3.11-minimal,libpython3.11-stdlib,libc6,libgcc-s1,libstdc++6,libgomp1,zlib1g,"
    "libbz2-1.0,liblzma5,libffi8,libexpat1,libssl3,libuuid1,libcrypt1"
)
PLATFORMS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")
LITES = ("2.5.0", "2.3.2")
"""Versions of rknn-toolkit-lite2 that are tried."""
SOCS = {"rk3588": ("radxa,rock-5b", ""), "rk3568": ("radxa,rock3a", "one_core or rk3568")}
"""SoC in the device tree: the board, and which of the tests."""
LONGEST_S = 1200


class NotHere(Exception):
    """A tool or a download that cannot be had; the message says which."""


def main() -> int:
    """Build what is missing, then run the tests on each version."""
    try:
        tools()
        root()
        sites = [site(lite) for lite in LITES]
    except NotHere as missing:
        print(f"npu-test NOT RUN: {missing}")
        return 0
    library()
    failed = [
        f"rknn-toolkit-lite2 {lite}, {soc}"
        for lite, folder in zip(LITES, sites, strict=True)
        for soc in SOCS
        if run(lite, folder, soc) != 0
    ]
    print("npu-test:", f"FAILED on {'; '.join(failed)}" if failed else "passed")
    return int(bool(failed))


def call(*command: str, what: str) -> None:
    """Run a command that needs the network. Raises NotHere with the end of what it printed."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        printed = (done.stdout + done.stderr).strip().splitlines()
        raise NotHere(f"{what}: {printed[-1] if printed else done.returncode}")


def tools() -> None:
    """Install what is missing, where that is allowed."""
    missing = sorted(package for command, package in TOOLS.items() if not shutil.which(command))
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NotHere(f"install {', '.join(missing)} (Debian), or run it as root where apt-get is")
    missing.append("libc6-dev-arm64-cross")
    print("installing", *missing, flush=True)
    call("apt-get", "update", "-qq", what="apt-get update")
    install = ("apt-get", "install", "-y", "-qq", "--no-install-recommends")
    call(*install, *missing, what="apt-get install")


def root() -> None:
    """An arm64 Debian with Python, unpacked and never configured."""
    if ROOT.is_dir():
        return
    print("unpacking", ROOT, flush=True)
    new = BUILD / "root.new"
    shutil.rmtree(new, ignore_errors=True)
    BUILD.mkdir(parents=True, exist_ok=True)
    options = ("--mode=auto", "--variant=extract", "--architectures=arm64", f"--include={INCLUDE}")
    call("mmdebstrap", *options, SUITE, str(new), MIRROR, what="mmdebstrap")
    (new / "proc/device-tree").mkdir(parents=True)
    (new / "dev/dri").mkdir(parents=True, exist_ok=True)
    (new / "dev/dri/renderD129").touch()  # RKNNLite looks for it before it looks at the NPU
    precompile(new / "usr/lib/python3.11")
    new.rename(ROOT)


def site(lite: str) -> Path:
    """A folder of unpacked wheels with one version of rknn-toolkit-lite2."""
    folder, wheels = BUILD / f"site-{lite}", BUILD / "wheels"
    if folder.is_dir():
        return folder
    print("downloading wheels for rknn-toolkit-lite2", lite, flush=True)
    pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
    pip += ["--no-deps", "--only-binary=:all:", "--python-version=3.11", "--implementation=cp"]
    pip += [f"--platform={name}_aarch64" for name in PLATFORMS] + ["--platform=any"]
    shutil.rmtree(wheels, ignore_errors=True)
    wanted = ("-r", str(HERE / "npu_requirements.txt"), f"rknn-toolkit-lite2=={lite}")
    call(*pip, "-d", str(wheels), *wanted, what="pip download")
    new = folder.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(new)
    precompile(new)
    new.rename(folder)
    return folder


def precompile(folder: Path) -> None:
    """Where this Python writes what the arm64 one reads; it saves a minute of emulation."""
    if sys.version_info[:2] == (3, 11):
        with contextlib.redirect_stdout(None):
            compileall.compile_dir(folder, quiet=2)


def library() -> None:
    """Cross-compile the virtual NPU."""
    source = REPOSITORY / "tests/drivers/npu/librknnrt.c"
    flags = ("-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")
    target = ROOT / "usr/lib/librknnrt.so"
    subprocess.run(["aarch64-linux-gnu-gcc", *flags, "-o", target, source, "-lm"], check=True)


def run(lite: str, folder: Path, soc: str) -> int:
    """The tests on one version and one SoC; returns pytest's exit code."""
    board, which = SOCS[soc]  # -s below: RKNNLite keeps the stderr that it finds
    compatible = f"{board}\0rockchip,{soc}\0".encode()
    (ROOT / "proc/device-tree/compatible").write_bytes(compatible)
    print(f"-- rknn-toolkit-lite2 {lite} on a {soc}", flush=True)
    command = ["qemu-aarch64-static", "-L", str(ROOT), "-E", f"PYTHONPATH={folder}:{REPOSITORY}"]
    command += [str(ROOT / "usr/bin/python3.11"), "-m", "pytest", "-c", str(HERE / "npu.ini")]
    command += ["--rootdir", str(REPOSITORY), "--noconftest", "-s"]
    command += ["-k", which] if which else []
    tests = "tests/drivers/npu/test_rknn_npu.py"
    done = subprocess.run([*command, tests], cwd=REPOSITORY, timeout=LONGEST_S, check=False)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
