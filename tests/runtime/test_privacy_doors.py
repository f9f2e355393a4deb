"""No way out for a picture but one: in the code that is there, and for faults planted in it."""

from __future__ import annotations

import ast

import pytest

from tests.picture_doors import DRAWN, FRAME_USERS, parse, violations
from tests.places import REPOSITORY

LEAKS = {
    "writes a picture": ("import cv2\ncv2.imwrite('a.png', frame.pixels)", "can write pictures"),
    "codes a picture": ("from cv2 import imencode\nimencode('.jpg', x)", "can write pictures"),
    "makes a clip": ("import cv2\nw = cv2.VideoWriter('a.mp4')", "can write pictures"),
    "shows a picture": ("import cv2\ncv2.imshow('a', x)", "can write pictures"),
    "hides the name": ("import cv2\ngetattr(cv2, 'imwrite')('a.png', x)", "can write pictures"),
    "saves an array": ("import numpy as np\nnp.save('a', context.frame.pixels)", "write arrays"),
    "packs arrays": ("import numpy as np\nnp.savez_compressed('a', x)", "can write pictures"),
    "stores an array": ("picture.tofile('raw.bin')", "can write pictures"),
    "pickles": ("import pickle\npickle.dump(context.frame, file)", "can write arrays"),
    "maps a file": ("import numpy as np\nnp.memmap('a')[:] = x", "can write pictures"),
    "uses another package": ("from PIL import Image\nImage.fromarray(x)", "imports PIL"),
    "writes bytes": ("p.write_bytes(context.frame.pixels.tobytes())", "touches frames and can"),
    "opens a file": ("open('a', 'wb').write(context.frame.pixels)", "touches frames and can"),
    "opens a path": ("p.open(mode='r+b').write(f.pixels)", "touches frames and can hand"),
    "sends": ("import socket\ns.sendall(context.frame.pixels)", "touches frames and can hand"),
    "shares memory": ("m = SharedMemory(); m.buf[:] = f.pixels", "touches frames and can"),
    "writes to a descriptor": ("import os\nos.write(1, f.pixels)", "touches frames and can hand"),
    "names the frame": ("from drivers.interfaces import Frame", "touches frames"),
    "takes its pixels": ("x = context.frame.pixels.copy()", "touches frames"),
    "makes its own type": ("from runtime.privacy import _MAKER", "reaches into"),
    "sets the pixels": ("picture._canvas = raw", "reaches into"),
    "draws on it": ("picture.canvas[:] = raw", "draws on an anonymised picture"),
    "takes the room": ("from runtime.background import Background", "reaches the learned room"),
}  # fmt: skip
"""What somebody might add to a file of its own in the runtime."""
CHANGES = {
    "the door lets anything through": (
        "runtime/export.py",
        "self._writer.write(_checked(picture))",
        "self._writer.write(picture.pixels)",
        "VideoFile.write does not check",
    ),
    "a still of anything": (
        "runtime/export.py",
        "pixels = _checked(picture)",
        "pixels = picture",
        "StillFile.write does not check",
    ),
    "the door takes frames": (
        "runtime/export.py",
        "from drivers.interfaces import U8",
        "from drivers.interfaces import U8, Frame",
        "the door knows frames",
    ),
    "the annotator draws from the frame": (
        "runtime/annotate.py",
        "pixels = picture.canvas",
        "pixels = context.frame.pixels",
        "draws from a frame",
    ),
    "the journal learns of frames": (
        "runtime/journal.py",
        "from __future__ import annotations",
        "from __future__ import annotations\nfrom runtime.context import Context",
        "reaches runtime/context.py",
    ),
    "the flash learns of frames": (
        "drivers/storage.py",
        "from __future__ import annotations",
        "from __future__ import annotations\nimport drivers.camera.pacing",
        "reaches drivers/camera/pacing.py",
    ),
    "the records learn of frames": (
        "runtime/record.py",
        "from __future__ import annotations",
        "from __future__ import annotations\nfrom runtime.health import Health",
        "reaches runtime/health.py",
    ),
    "the health check writes its samples": (
        "runtime/health.py",
        "self._last = sample",
        "self._last = sample; Path('a').write_bytes(sample)",
        "touches frames and can hand bytes out",
    ),
}


@pytest.fixture(scope="module")
def trees():
    return parse(REPOSITORY)


def test_there_is_one_door_and_every_list_of_exceptions_is_used(trees):
    assert violations(trees) == set()
    for place in (*FRAME_USERS, *DRAWN):
        assert any(name.startswith(place) for name in trees), place


@pytest.mark.parametrize("leak", LEAKS)
def test_a_new_way_out_is_seen(tmp_path, leak):
    code, complaint = LEAKS[leak]
    (tmp_path / "runtime").mkdir()
    (tmp_path / "runtime" / "leak.py").write_text(code)
    found = violations(parse(tmp_path))
    assert any(complaint in each for each in found), found


@pytest.mark.parametrize("change", CHANGES)
def test_a_hole_in_what_is_there_is_seen(trees, change):
    name, old, new, complaint = CHANGES[change]
    code = (REPOSITORY / name).read_text()
    assert old in code, "the fault could not be planted"
    planted = ast.parse(code.replace(old, new, 1))
    found = violations({**trees, name: planted})
    assert any(complaint in each for each in found), found
