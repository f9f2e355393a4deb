"""The unit tests of the camera's own code as arm64 code, under qemu-user.

    make arm64-test

Makes an arm64 root of Debian packages and wheels in build/arm64 and runs there the tests of
`LANES`: the real wheels of numpy, OpenCV, LiteRT, lap, gpiod, ... on ARM instructions, with the
kernel of this machine. One process for each core; a tenth of the generated cases.

exit codes: 0 passed, or not run where the tools cannot be had (it says why); 1 failed.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from tests.board import arm64
from tests.places import REPOSITORY, data_root

BUILD = REPOSITORY / "build" / "arm64"
ROOT, PYTHON = BUILD / "root", BUILD / "python"
HERE = Path(__file__).parent
TOOLS = {"qemu-aarch64-static": "qemu-user-static", "mmdebstrap": "mmdebstrap"}
"""Commands, and the Debian packages that they are in."""
CORE = """\
processor\t: {number}
BogoMIPS\t: 125.00
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x1
CPU part\t: 0xd07
CPU revision\t: 0

"""
"""Of a Cortex-A57. LiteRT's XNNPACK reads it and would crash on the one of a PC."""
SUMMARY = re.compile(r"^(?:=+ )?(?=\d+ (?:passed|failed|error))(.*) in [\d.:a-z ()]+$", re.M)
COUNTED = re.compile(r"(\d+) (passed|failed|error|skipped)")
LONGEST_S = 900


class Lane(NamedTuple):
    """What one process runs.

    Attributes:
        core: which one is emulated. Kernels for int8 differ: an A76 has dot products, an A57 has
            not. `max` has SME too, whose emulation in QEMU 7.2 makes LiteRT compute rubbish.
        tests: folders and files.
        leave_out: of them: what measures time or memory, which are the emulator's here; calls of
            the kernel that it does not know (V4L2); and what takes a minute.
    """

    core: str
    tests: tuple[str, ...]
    leave_out: tuple[str, ...] = ()


def _of(folder: str, names: str) -> tuple[str, ...]:
    return tuple(f"tests/{folder}/test_{name}.py" for name in names.split())


NETWORKS = _of("models", "action anchor_free close_up detector package skeleton_network skeletons")
SLOW_NETWORKS = (
    "tests/models/test_action.py::test_held_out_rows_of_the_shared_sets_stay_right",
    "tests/models/test_detector.py::test_the_reference_detector_sees_the_person_in_the_video",
    "tests/models/test_skeleton_network.py::test_movenet_agrees_with_its_reference",
    "tests/models/test_anchor_free.py::test_finds_what_the_plain_decoder_finds",
    "tests/models/test_anchor_free.py::test_a_garbage_picture_takes_bounded_time_and_memory",
)
LANES = (
    Lane(
        "cortex-a57",  # for these kernels also the A53 of i.MX 8M
        (
            "tests/drivers",
            *NETWORKS,
            *_of("ota", "vectors wire keys_ring bundle_file store_records status_words"),
            *_of("ota/link", "link_frames link_protocol link_sender"),
        ),
        (
            "tests/drivers/camera/test_stream.py",
            "tests/drivers/camera/test_v4l2_kernel.py",
            "tests/drivers/camera/test_video_file.py::test_real_videos_play_to_their_end",
            "tests/drivers/npu/test_tflite.py::test_two_thousand_invokes_leave_no_object_behind",
            "tests/drivers/test_dead_man.py::test_the_guard_is_small",
            "tests/drivers/test_toml_strict.py::test_any_values_load_or_are_refused",
            "tests/ota/test_vectors.py::test_the_real_one_loads_and_answers",  # is not installed
            *SLOW_NETWORKS,
        ),
    ),
    Lane(
        "cortex-a76",  # RK3588 and Raspberry Pi 5; also the A55 of RK3568
        (
            *NETWORKS,
            *_of("models", "average_precision fit letterbox pack"),
            *_of("runtime", "journal journal_slot track track_filter track_match predict feet"),
            *_of("runtime", "ground site_geometry site_check rules rules_places overlap counts"),
            *_of("runtime", "posture_rule alarm counts_record live_check"),
            *_of("runtime", "privacy view_shift exam agreement"),
        ),
        (
            "tests/runtime/test_counts.py::test_a_hundred_thousand_frames_of_churn_leave_it_as_large_as_before",
            # Haetae is not installed there, so its entry points are not found
            "tests/runtime/test_live_check.py::test_the_simulated_board_is_all_there",
            "tests/runtime/test_predict.py::test_32_people_and_8_zones_cost_less_than_constant_velocity_does",
            "tests/runtime/test_journal.py::test_recovery_of_2000_slots_is_quick",
            "tests/runtime/test_journal.py::test_a_killed_process_loses_no_record_that_it_acknowledged",
            "tests/runtime/test_track.py::test_thousands_of_passers_by_leave_nothing_behind",
            *SLOW_NETWORKS,
        ),
    ),
)


def main() -> int:
    """Build what is missing, then run all lanes at once."""
    try:
        arm64.need_tools(TOOLS)
        build()
    except arm64.NotHere as missing:
        print(f"arm64-test NOT RUN: {missing}")
        return 0
    start_s = time.monotonic()
    logs = [BUILD / f"lane{number}.log" for number in range(len(LANES))]
    running = [start(lane, log) for lane, log in zip(LANES, logs, strict=True)]
    codes = [ended(process) for process in running]
    return report(codes, logs, time.monotonic() - start_s)


def build() -> None:
    """Root with wheels, and a Python that starts itself again under the emulator."""
    if not ROOT.is_dir():
        new = BUILD / "root.new"
        arm64.unpack_root(new, arm64.PYTHON)
        print("downloading wheels", flush=True)
        site = new / "usr/lib/python3/dist-packages"
        wanted = ("-r", str(HERE / "arm64_requirements.txt"))
        arm64.unpack_wheels(site, wanted, BUILD / "wheels")
        shutil.rmtree(BUILD / "wheels")
        # a child of a test is started by sys.executable, which this machine cannot run
        (site / "python.pth").write_text(f"import sys; sys.executable = {str(PYTHON)!r}\n")
        shutil.rmtree(new / "dev")  # else its ptmx would hide this machine's
        (new / "proc").mkdir(exist_ok=True)
        (new / "proc/cpuinfo").write_text("".join(CORE.format(number=n) for n in range(2)))
        arm64.precompile(new / "usr/lib")
        new.rename(ROOT)
    path = f'"${{PYTHONPATH:-{REPOSITORY}}}"'
    emulator = f"qemu-aarch64-static -L {ROOT} -E PYTHONPATH={path} {ROOT}/usr/bin/python3.11"
    PYTHON.write_text(f'#!/bin/sh\nexec {emulator} "$@"\n')
    PYTHON.chmod(PYTHON.stat().st_mode | stat.S_IXUSR)


def start(lane: Lane, log: Path) -> subprocess.Popen[bytes]:
    """One pytest. It finds what this machine has: data sets, loopback, ports."""
    words = [str(PYTHON), "-m", "pytest", "-c", str(HERE / "arm64.ini")]
    words += ["--rootdir", str(REPOSITORY), "--confcutdir", str(REPOSITORY), *lane.tests]
    words += [f"--deselect={path}" for path in lane.leave_out]
    environment = os.environ | {"HAETAE_DATA": str(data_root()), "QEMU_CPU": lane.core}
    environment |= {"HAETAE_HYPOTHESIS": "few", "PYTHONPATH": str(REPOSITORY)}
    with log.open("wb") as file:
        return subprocess.Popen(
            words, stdout=file, stderr=subprocess.STDOUT, cwd=REPOSITORY, env=environment
        )


def ended(process: subprocess.Popen[bytes]) -> int:
    """Its exit code; one that does not end is ended."""
    try:
        return process.wait(LONGEST_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        print(f"{process.pid}: ended after {LONGEST_S} s", flush=True)
        return 124


def report(codes: list[int], logs: list[Path], took_s: float) -> int:
    """Print what failed, and the count of all lanes."""
    counts = dict.fromkeys(("passed", "failed", "error", "skipped"), 0)
    for code, log in zip(codes, logs, strict=True):
        text = log.read_text(errors="replace")
        found = SUMMARY.findall(text)
        for number, word in COUNTED.findall(found[-1] if found else ""):
            counts[word] += int(number)
        if code:
            print(text)
    told = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
    is_good = not any(codes) and counts["passed"] > 0
    print(f"arm64-test {'passed' if is_good else 'FAILED'}: {told} in {took_s:.0f} s")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
