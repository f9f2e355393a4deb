"""The structures of V4L2 are those of the kernel's header, and the real calls fail well."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from drivers.board import CameraConfig
from drivers.camera import v4l2_kernel as v4l2
from drivers.camera.v4l2 import V4l2Camera
from drivers.clock import MonotonicClock
from drivers.faults import CameraFault

STRUCTS = {
    "v4l2_capability": v4l2.Capability,
    "v4l2_pix_format": v4l2.PixFormat,
    "v4l2_format": v4l2.Format,
    "v4l2_captureparm": v4l2.CaptureParm,
    "v4l2_streamparm": v4l2.StreamParm,
    "v4l2_requestbuffers": v4l2.RequestBuffers,
    "v4l2_timecode": v4l2.TimeCode,
    "v4l2_buffer": v4l2.Buffer,
    "v4l2_plane": v4l2.Plane,
    "v4l2_plane_pix_format": v4l2.PlanePixFormat,
    "v4l2_pix_format_mplane": v4l2.PixFormatMplane,
}
NUMBERS = [name for name in vars(v4l2) if name.isupper() and name != "RAW_BYTES"]
OURS_ONLY = {"rest"}


def in_c(name: str) -> str:
    return name if name.startswith("VIDIOC_") else f"V4L2_{name}"


def asked() -> Iterator[tuple[str, int]]:
    """C expressions, and what they must be."""
    for name in NUMBERS:
        if not name.startswith("_"):
            yield in_c(name), getattr(v4l2, name)
    for name, kind in STRUCTS.items():
        yield f"sizeof(struct {name})", ctypes.sizeof(kind)
        for field in (each[0] for each in kind._fields_):
            if field not in OURS_ONLY:
                yield f"offsetof(struct {name}, {field})", getattr(kind, field).offset


MACHINES = {"this": ("cc", ()), "arm64": ("aarch64-linux-gnu-gcc", ("qemu-aarch64-static",))}
"""Compiler, and what runs its programs."""


@pytest.mark.skipif(ctypes.sizeof(ctypes.c_void_p) != 8, reason="the layouts are of 64 bits")
@pytest.mark.parametrize("machine", MACHINES)
def test_the_layouts_are_those_of_the_kernel(tmp_path, machine):
    compiler, emulator = MACHINES[machine]
    if not all(shutil.which(tool) for tool in (compiler, *emulator)):
        pytest.skip(f"no {compiler} here")
    wanted = dict(asked())
    source, binary = tmp_path / "layouts.c", tmp_path / "layouts"
    prints = "\n".join(f'printf("%lu\\n", (unsigned long)({each}));' for each in wanted)
    source.write_text(
        "#include <stdio.h>\n#include <stddef.h>\n#include <linux/videodev2.h>\n"
        f"int main(void) {{ {prints} }}\n"
    )
    built = subprocess.run([compiler, "-static", "-o", binary, source], capture_output=True)
    if b"videodev2.h: No such file" in built.stderr:
        pytest.skip("no header of the kernel for that machine")
    assert built.returncode == 0, built.stderr
    numbers = subprocess.run(
        [*emulator, binary], check=True, capture_output=True, text=True
    ).stdout.split()
    found = dict(zip(wanted, map(int, numbers), strict=True))
    assert found == wanted
    assert len(found) > 90


@pytest.mark.parametrize("word", ["YUYV", "MJPG", "NV12", "BGR3"])
def test_a_fourcc_is_its_letters(word):
    assert v4l2.fourcc_text(v4l2.fourcc(word)) == word


def test_yuyv_is_the_number_that_everybody_knows():
    assert v4l2.fourcc("YUYV") == 0x56595559


@pytest.mark.parametrize(("path", "expected"), [("/dev/null", "no_camera"), ("/dev/nil", "missi")])
def test_what_is_no_camera_is_refused_through_the_real_calls(path, expected):
    config = CameraConfig(driver="v4l2", source=path)
    with pytest.raises(CameraFault, match=expected):
        V4l2Camera(config, path, MonotonicClock()).open()
