"""The house keeps its order: floors import downwards, pictures leave by one door."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.places import REPOSITORY

FLOORS = ("drivers", "models", "ota", "runtime", "sim")
"""From the ground up."""
MAX_LINES = 350
CONCRETE = tuple(f"drivers.{kind}." for kind in ("camera", "input", "npu", "output", "watchdog"))
PICTURE_WRITERS = {"imwrite", "imencode", "VideoWriter", "imshow"}
EXPORTERS = {"runtime/export.py"}
DRAWN_ONLY = {"sim/dataset/pictures.py", "sim/optics/sensor.py"}
"""The simulator's own pictures, in which nobody real can be."""


def sources() -> list[Path]:
    found = [p for floor in FLOORS for p in (REPOSITORY / floor).rglob("*.py")]
    return [path.relative_to(REPOSITORY) for path in found]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse((REPOSITORY / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def climbs(floor: str, module: str) -> bool:
    root = module.split(".")[0]
    return root in FLOORS and FLOORS.index(root) > FLOORS.index(floor)


@pytest.mark.parametrize("path", sources(), ids=str)
def test_a_floor_imports_only_floors_below(path):
    upward = [name for name in imported(path) if climbs(path.parts[0], name)]
    assert upward == []


def test_the_floor_test_can_fail():
    assert climbs("models", "runtime.track")
    assert not climbs("runtime", "models.tables")


def test_nobody_above_imports_a_concrete_driver():
    """Only the supervised camera and the checks around a session are not devices."""
    shared = {"supervised", "stale", "synthetic_scene", "synthetic_look", "tensors"}
    for path in sources():
        if path.parts[0] in ("ota", "runtime"):
            for name in imported(path):
                if name.startswith(CONCRETE):
                    assert name.split(".")[2] in shared, f"{path} imports {name}"


@pytest.mark.parametrize("path", sources(), ids=str)
def test_one_idea_a_file(path):
    assert len((REPOSITORY / path).read_text().splitlines()) <= MAX_LINES


def test_pictures_leave_the_process_by_one_door():
    """Whoever can write a picture outside of training takes an AnonymisedFrame."""
    writers = set()
    for path in sources():
        if "training" in path.parts:
            continue
        for node in ast.walk(ast.parse((REPOSITORY / path).read_text())):
            if isinstance(node, ast.Attribute) and node.attr in PICTURE_WRITERS:
                writers.add(str(path))
    assert writers == EXPORTERS | DRAWN_ONLY


def test_every_folder_says_what_lives_there():
    for floor in FLOORS:
        for package in (REPOSITORY / floor).rglob("__init__.py"):
            assert ast.get_docstring(ast.parse(package.read_text())), package


def test_top_level_folders_are_the_ones_of_the_design():
    allowed = {*FLOORS, "board_configs", "tests"}
    packages = {path.parent.name for path in REPOSITORY.glob("*/__init__.py")}
    assert packages <= allowed


def test_no_two_tests_have_the_same_name():
    """pytest imports each as a module of its own."""
    names = Counter(path.name for path in (REPOSITORY / "tests").rglob("*.py"))
    assert not {name for name, times in names.items() if times > 1 and name.startswith("test_")}
