"""The runtime's own Python environment in /opt/haetae: wheels unpacked, everything compiled."""

from __future__ import annotations

import shutil
import sys
import zipfile
from pathlib import Path
from typing import Final

from drivers.board import Board
from ota.image.sources import PYTHON, Sources
from ota.image.tools import run_tool
from ota.refusal import Refused

PLACE: Final = "opt/haetae"
START: Final = f"""#!/{PLACE}/bin/python3 -P
import sys

from runtime.main import main

sys.exit(main())
"""
OFFICE: Final = ("sim", "models/training")
"""Of our own wheel: the simulator and the training stay at home."""
_COMPILE: Final = """
import compileall, sys
good = all([compileall.compile_dir(folder, stripdir=sys.argv[1], prependdir="/", quiet=2, workers=1,
    invalidation_mode=__import__("py_compile").PycInvalidationMode.UNCHECKED_HASH)
    for folder in sys.argv[2:]])
"""


def make_environment(root: Path, sources: Sources, board: Board, wheel: Path | None) -> list[str]:
    """Make /opt/haetae in a root.

    Returns:
        Names of the wheels in it, sorted.

    Raises:
        Refused: "unavailable": pip fails, or this is not the image's version of Python.
    """
    place = root / PLACE
    site = place / f"lib/{PYTHON}/site-packages"
    site.mkdir(parents=True)
    (place / "bin").mkdir()
    (place / "bin/python3").symlink_to(f"/usr/bin/{PYTHON}")
    (place / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    packed = sorted(sources.wheels(*_more(board)).glob("*.whl"))
    packed.append(sources.runtime(wheel))
    for each in packed:
        _unpack(each, site)
    for name in OFFICE:
        shutil.rmtree(site / name, ignore_errors=True)
    command = place / "bin/haetae"
    command.write_text(START)
    command.chmod(0o755)
    link = root / "usr/bin/haetae"
    link.symlink_to(f"/{PLACE}/bin/haetae")
    precompile(root, (f"usr/lib/{PYTHON}", f"{PLACE}/lib/{PYTHON}/site-packages"))
    return [each.name for each in packed]


def precompile(root: Path, folders: tuple[str, ...]) -> None:
    """Compile in one process, in order, without times: so the bytes are the same every time.

    Raises:
        Refused: "unavailable": another version of Python would write what the image's cannot read.
    """
    if sys.version_info[:2] != (3, 11):
        raise Refused("unavailable", f"run this with {PYTHON}, which the image has, too")
    places = [root / folder for folder in folders]
    steady = {"PYTHONHASHSEED": "0"}
    run_tool(sys.executable, "-I", "-c", _COMPILE, root, *places, environment=steady)


def _more(board: Board) -> tuple[str, ...]:
    """Files of what a board's own drivers need beside what every camera has."""
    return ("requirements-rknn.txt",) if board.npu.driver == "rknn" else ()


def _unpack(wheel: Path, site: Path) -> None:
    """As an installer does for wheels without scripts (PyPA, binary distribution format)."""
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    for data in site.glob("*.data"):
        for scheme in ("purelib", "platlib"):
            if (data / scheme).is_dir():
                shutil.copytree(data / scheme, site, dirs_exist_ok=True)
        shutil.rmtree(data)
