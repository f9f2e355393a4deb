"""Reads a source tree and says every way by which a picture could leave the process unseen."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FLOORS = ("drivers", "models", "ota", "runtime", "sim")
DOOR = "runtime/export.py"
MAKER = "runtime/privacy.py"

PICTURE_WRITERS = {
    "imwrite", "imwritemulti", "imwriteanimation", "imencode", "imencodemulti", "imencodeanimation",
    "imshow", "VideoWriter", "VideoWriter_fourcc", "FileStorage",
}  # fmt: skip
ARRAY_WRITERS = {"tofile", "savez", "savez_compressed", "savetxt", "memmap", "open_memmap"}
PICTURE_PACKAGES = {"PIL", "imageio", "skimage", "matplotlib", "av", "tifffile", "imagecodecs"}
BYTES_OUT = {
    "write_bytes", "send", "sendall", "sendto", "sendmsg", "pwrite", "writev", "pwritev",
    "SharedMemory", "mkfifo", "urlopen", "create_connection", "HTTPConnection",
}  # fmt: skip
"""Calls that hand bytes to a file, a socket or another process."""
BYTES_OUT_MODULES = (
    "socket", "http", "urllib.request", "multiprocessing", "asyncio", "mmap", "ftplib", "smtplib",
    "requests", "aiohttp", "zmq", "paho",
)  # fmt: skip
RECORDERS = (
    "runtime/record.py",
    "runtime/journal.py",
    "runtime/event.py",
    "runtime/journal_slot.py",
)
"""They hand bytes to what they are given: a ring, a file of event lines."""

DRAWN = {
    "sim/dataset/pictures.py": "the simulator's own pictures, in which nobody real can be",
    "sim/dataset/skeletons.py": "joints of drawn people",
    "sim/optics/sensor.py": "codes and decodes a drawn picture in memory",
}
FRAME_USERS = {
    "drivers/interfaces.py": "defines it",
    "drivers/camera/": "fills it",
    "sim/board/camera.py": "fills it with a drawn picture",
    "sim/replay/": "puts recorded samples of a drawn picture back",
    "runtime/boot.py": "allocates it",
    "runtime/context.py": "holds the one there is",
    "runtime/stages.py": "hands it to the detector and to the health check",
    "runtime/unit_test/camera.py": "measures its light and sharpness for the unit's test",
    "runtime/closer_look.py": "crops one person into a network's input",
    "runtime/second_look.py": "crops one place into a network's input",
    "runtime/posture_stages.py": "crops it into a network's input",
    "runtime/shadow.py": "puts it into the networks of other students",
    "runtime/warm_up.py": "overwrites it with noise",
    "runtime/health.py": "compares a few samples with those of the last",
    "runtime/view_stage.py": "shows it to the check of the view",
    "runtime/privacy.py": "takes means of cells",
    "runtime/privacy_evaluation.py": "the same, for files of an evaluation",
    "runtime/background.py": "learns the empty room",
    "runtime/counts_background.py": "rehearses that",
}
"""Who may name the Frame or touch `.pixels`: each keeps them in memory."""


Trees = dict[str, ast.Module]


def parse(root: Path) -> Trees:
    """Path in the tree -> its code; without what trains models on a PC."""
    files = [path for floor in FLOORS for path in sorted((root / floor).rglob("*.py"))]
    names = {str(path.relative_to(root)): path for path in files}
    return {
        name: ast.parse(path.read_text())
        for name, path in names.items()
        if not name.startswith("models/training/")
    }


def violations(trees: Trees) -> set[str]:
    """Every way out that is not the door, as `file: what`."""
    found = {f"{name}: {what}" for name, tree in trees.items() for what in _in_file(name, tree)}
    return found | _reach(trees)


@cache
def _in_file(name: str, tree: ast.Module) -> list[str]:
    return list(_leaks(name, tree))


def _leaks(name: str, tree: ast.Module) -> Iterator[str]:
    touches = _touches_frames(tree)
    if touches and not _is_among(name, FRAME_USERS) and name != DOOR:
        yield "touches frames"
    words = _names(tree)
    if name != DOOR and name not in DRAWN:
        for word in sorted(words & (PICTURE_WRITERS | ARRAY_WRITERS)):
            yield f"can write pictures ({word})"
        if _saves_arrays(tree):
            yield "can write arrays (save)"
    for package in sorted(_imports(tree)):
        if package.split(".")[0] in PICTURE_PACKAGES:
            yield f"imports {package}"
    if touches and name != DOOR:
        for way in _ways_out(tree):
            yield f"touches frames and can hand bytes out ({way})"
    if name not in (MAKER, "runtime/annotate.py") and "canvas" in words:
        yield "draws on an anonymised picture"
    if name != MAKER and _above(name) and words & {"_MAKER", "_canvas", "_pixels"}:
        yield "reaches into an anonymised picture"
    if name != MAKER and "runtime.background" in _imports(tree):
        yield "reaches the learned room"
    if name == DOOR:
        yield from _unchecked_writers(tree)
        if _imports_name(tree, "Frame"):
            yield "the door knows frames"
    if name == "runtime/annotate.py" and _reads(tree, "frame", "pixels"):
        yield "draws from a frame"


def _reach(trees: Trees) -> set[str]:
    """Writers of bytes from which code that touches frames can be reached by imports.

    The composition root, the commands and the simulator put everything together and are left out:
    they are held by the other rules.
    """
    modules = {_module(name): name for name in trees}
    found = set()
    for name, tree in trees.items():
        if name.startswith("sim/") or name in (DOOR, *ROOTS):
            continue
        if name not in RECORDERS and not _ways_out(tree):
            continue
        seen, waiting = {name}, [name]
        while waiting:
            for module in _imports(trees[waiting.pop()], typing_only=False):
                other = modules.get(module)
                if other and other not in seen:
                    seen.add(other)
                    waiting.append(other)
        users = {"drivers/interfaces.py"}
        reached = sorted(each for each in seen - users - {name} if _touches_frames(trees[each]))
        found |= {f"{name}: hands bytes out and reaches {each}" for each in reached}
    return found


ROOTS = ("runtime/boot.py", "runtime/cli.py", "runtime/main.py")


def _above(name: str) -> bool:
    """Where an AnonymisedFrame can be known."""
    return name.startswith(("runtime/", "sim/"))


def _module(name: str) -> str:
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _is_among(name: str, places: dict[str, str]) -> bool:
    return any(
        name == place or (place.endswith("/") and name.startswith(place)) for place in places
    )


@cache
def _touches_frames(tree: ast.Module) -> bool:
    return _imports_name(tree, "Frame") or any(
        isinstance(node, ast.Attribute) and node.attr == "pixels" for node in ast.walk(tree)
    )


def _imports_name(tree: ast.Module, wanted: str) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and any(alias.name == wanted for alias in node.names)
        for node in ast.walk(tree)
    )


def _names(tree: ast.Module) -> set[str]:
    """Attributes, imported names, and whole strings: `getattr(cv2, "imwrite")` is seen too."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value)
    return names


def _saves_arrays(tree: ast.Module) -> bool:
    """`np.save`, and `dump` of an array's own."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in ("save", "dump", "dumps")
        and isinstance(node.value, ast.Name)
        and node.value.id in ("np", "numpy", "pickle", "marshal", "shelve")
        for node in ast.walk(tree)
    )


@cache
def _ways_out(tree: ast.Module) -> list[str]:
    """How bytes can leave: files opened for binary writing, sockets, other processes."""
    ways = [
        f"import {module}"
        for module in sorted(_imports(tree))
        if any(module == each or module.startswith(f"{each}.") for each in BYTES_OUT_MODULES)
    ]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        word = called.rpartition(".")[2]
        if word in BYTES_OUT or called == "os.write":
            ways.append(called)
        if word == "open" and any(_is_binary_write(a) for a in (*node.args, *_values(node))):
            ways.append("open for writing bytes")
    return ways


def _values(call: ast.Call) -> list[ast.expr]:
    return [keyword.value for keyword in call.keywords]


def _is_binary_write(node: ast.expr) -> bool:
    if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return False
    mode = node.value
    return len(mode) <= 3 and "b" in mode and bool(set(mode) & set("wax+"))


@cache
def _imports(tree: ast.Module, typing_only: bool = True) -> set[str]:
    """Modules that a file imports; those for type checkers alone only where asked for."""
    skipped = set() if typing_only else {id(n) for n in _typing_blocks(tree)}
    found = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _typing_blocks(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for statement in node.body:
                yield from ast.walk(statement)


def _reads(tree: ast.Module, owner: str, attribute: str) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == attribute
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == owner
        for node in ast.walk(tree)
    )


def _unchecked_writers(tree: ast.Module) -> Iterator[str]:
    """Each `write` of the door takes an AnonymisedFrame and looks whether it is one."""
    for made in tree.body:
        if not isinstance(made, ast.ClassDef) or any(
            "Protocol" in ast.unparse(b) for b in made.bases
        ):
            continue
        for method in made.body:
            if not isinstance(method, ast.FunctionDef) or method.name.startswith("_"):
                continue
            given = {a.arg: ast.unparse(a.annotation) for a in method.args.args if a.annotation}
            if "picture" not in given and method.name != "write":
                continue
            checked = any(
                isinstance(node, ast.Call) and ast.unparse(node) == "_checked(picture)"
                for node in ast.walk(method)
            )
            if given.get("picture") != "AnonymisedFrame" or not checked:
                yield f"{made.name}.{method.name} does not check what it is given"
