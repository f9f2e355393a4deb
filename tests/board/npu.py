"""The Rockchip back end on the real arm64 rknn-toolkit-lite2 over a virtual NPU.

    make npu-test

Makes an arm64 root of Debian packages and wheels in build/npu, compiles the virtual NPU for it,
and runs tests/drivers/npu/test_rknn_npu.py there under qemu-user. Nothing of it is kept elsewhere.

exit codes: 0 passed, or not run where the tools cannot be had (it says why); 1 failed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.board import arm64
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
LITES = ("2.5.0", "2.3.2")
"""Versions of rknn-toolkit-lite2 that are tried."""
SOCS = {"rk3588": ("radxa,rock-5b", ""), "rk3568": ("radxa,rock3a", "one_core or rk3568")}
"""SoC in the device tree: the board, and which of the tests."""
LONGEST_S = 1200


def main() -> int:
    """Build what is missing, then run the tests on each version."""
    try:
        arm64.need_tools(TOOLS, "libc6-dev-arm64-cross")
        root()
        sites = [site(lite) for lite in LITES]
    except arm64.NotHere as missing:
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


def root() -> None:
    """An arm64 Debian with Python, unpacked and never configured."""
    if ROOT.is_dir():
        return
    new = BUILD / "root.new"
    arm64.unpack_root(new, arm64.PYTHON)
    (new / "proc/device-tree").mkdir(parents=True)
    (new / "dev/dri").mkdir(parents=True, exist_ok=True)
    (new / "dev/dri/renderD129").touch()  # RKNNLite looks for it before it looks at the NPU
    arm64.precompile(new / "usr/lib/python3.11")
    new.rename(ROOT)


def site(lite: str) -> Path:
    """A folder of unpacked wheels with one version of rknn-toolkit-lite2."""
    folder = BUILD / f"site-{lite}"
    if folder.is_dir():
        return folder
    print("downloading wheels for rknn-toolkit-lite2", lite, flush=True)
    new = folder.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    wanted = ("-r", str(HERE / "npu_requirements.txt"), f"rknn-toolkit-lite2=={lite}")
    arm64.unpack_wheels(new, wanted, BUILD / "wheels")
    arm64.precompile(new)
    new.rename(folder)
    return folder


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
