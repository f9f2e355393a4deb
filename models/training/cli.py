"""`haetae model dataset|train|distill|quantize|export|evaluate|package|card`: making a student.

One shape of command for every student; what they do is in the modules that they call, and options
that they do not know go there as they are. Nothing heavy is imported before a command is checked.
"""

from __future__ import annotations

import argparse
import json
import pickle
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from models.package import find_package, read_info

OK: Final = 0
MISSED: Final = 1
WRONG_ARGUMENTS: Final = 2

STUDENTS: Final = ("detector", "skeleton", "action")
EXTRA: Final = ("torch", "litert_torch", "ai_edge_quantizer", "onnx", "onnxruntime")
MODULES: Final = "models.training."


class Step(NamedTuple):
    """A module of this package to run, and its arguments."""

    module: str
    argv: list[str]


class Wrong(ValueError):
    """The arguments cannot be; the message says which and what is allowed."""


Arguments = argparse.Namespace
Plan = Callable[[Arguments], list[Step]]


def _words(*parts: object) -> list[str]:
    return [str(part) for part in parts]


def _need(given: list[Path], what: str) -> list[Path]:
    if not given:
        raise Wrong(f"--data: must name {what}")
    return given


def _is_cache(folder: Path) -> bool:
    """Both kinds of cache are whole once their index is there: it is written last."""
    return (folder / "index.npz").is_file()


def _caches(arguments: Arguments, made_first: bool = False) -> list[Path]:
    """The caches named, which must be there; the first need not be where it is made first."""
    caches = _need(arguments.data, "what `haetae model dataset` made")
    if arguments.student == "detector" and len(caches) > 1:
        raise Wrong(f"--data: {len(caches)} folders; a detector learns from one")
    for cache in caches[made_first:]:
        if not _is_cache(cache):
            raise Wrong(f"--data: {cache} is no cache; `haetae model dataset` makes one")
    return caches


def _rows(arguments: Arguments) -> list[str]:
    """The action student's own files; the shared skeletons are always read."""
    return _words("--simulated", *arguments.data) if arguments.data else []


def _tflite(model: str) -> tuple[Path, list[str]]:
    """A package's TFLite file with its threshold, or the file named."""
    path = find_package(model)
    if not path.is_dir():
        return path, []
    info = read_info(path)
    file = next((path / t.file for t in info.targets if t.npu == "tflite"), None)
    if file is None:
        raise Wrong(f"{path}: no file for target tflite")
    return file, _words("--score", info.thresholds.score)


def _dataset(a: Arguments) -> list[Step]:
    simulated = _words("--simulated", *a.simulated) if a.simulated else []
    match a.student:
        case "detector":
            return [Step("dataset", _words(a.out, *simulated, *a.more))]
        case "skeleton":
            if len(a.simulated) > 1:
                raise Wrong("--simulated: one folder a cache; training takes several caches")
            return [Step("skeleton_sources", _words(a.out, *simulated, *a.more))]
        case _:
            if a.simulated:
                raise Wrong("--simulated: name those files to train with --data")
            return [Step("action_figures", _words("--out", a.out, *a.more))]


def _train(a: Arguments) -> list[Step]:
    """From labels alone."""
    match a.student:
        case "detector":
            words = _words(_caches(a)[0], a.run_folder, "--no-teacher", "--resume", *a.more)
            return [Step("train", words)]
        case "skeleton":
            return [Step("skeleton_train", _words(a.run_folder, *_caches(a), *a.more))]
        case _:
            return [Step("action_train", _words(a.run_folder, *_rows(a), *a.more))]


def _distill(a: Arguments) -> list[Step]:
    """Beside a teacher; its labels are made first where the (first) cache is not there yet."""
    if a.student == "action":
        if "--teachers" not in a.more:
            raise Wrong("--teachers: must name last.pt of the larger students that teach")
        return _train(a)
    cache = _caches(a, made_first=True)[0]
    first: list[Step] = []
    if a.refresh or not _is_cache(cache):
        simulated = _words("--simulated", *a.simulated) if a.simulated else []
        module = "dataset" if a.student == "detector" else "skeleton_sources"
        first = [Step(module, _words(cache, *simulated))]
    if a.student == "detector":
        return [*first, Step("train", _words(cache, a.run_folder, "--resume", *a.more))]
    if a.simulated:
        raise Wrong("--simulated: simulated people have a cache of their own; name it with --data")
    return [*first, Step("skeleton_train", _words(a.run_folder, *a.data, *a.more))]


def _quantize(a: Arguments) -> list[Step]:
    match a.student:
        case "detector":
            return [Step("quantize", _words(a.checkpoint, _caches(a)[0], a.out, *a.more))]
        case "skeleton":
            return [Step("skeleton_export", _words(a.checkpoint, a.out, *_caches(a), *a.more))]
        case _:
            return [Step("action_export", _words(a.checkpoint, a.out, *_rows(a), *a.more))]


def _export(a: Arguments) -> list[Step]:
    """The TFLite file, and beside it one .rknn file for each SoC named."""
    steps = _quantize(a)
    if a.rknn:
        name = a.out.with_name(a.out.name.removesuffix(".tflite"))
        python = _words("--rknn-python", a.rknn_python) if a.rknn_python else []
        data = _words("--data", *a.data) if a.data else []
        steps.append(
            Step("rknn", _words(a.student, a.checkpoint, name, "--targets", a.rknn, *data, *python))
        )
    return steps


def _evaluate(a: Arguments) -> list[Step]:
    if a.checkpoint is None and a.student != "detector":
        raise Wrong(f"--checkpoint: must name last.pt, to compare the {a.student} with")
    checkpoint = _words("--checkpoint", a.checkpoint) if a.checkpoint else []
    report = _words("--report", a.report)
    match a.student:
        case "detector":
            file, score = _tflite(a.model)
            words = _words(_caches(a)[0], "--int8", file, *score, *checkpoint, *report, *a.more)
            return [Step("evaluate", words)]
        case "skeleton":
            words = _words(a.model, a.checkpoint, a.report, *_caches(a), *a.more)
            return [Step("skeleton_evaluate", words)]
        case _:
            file, _ = _tflite(a.model)
            return [
                Step("action_evaluate", _words(a.checkpoint, file, *_rows(a), *report, *a.more))
            ]


def _package(a: Arguments) -> list[Step]:
    notes = _words("--notes", a.notes) if a.notes else []
    if a.student == "skeleton":
        report = _words("--report", a.report) if a.report else []
        cache = _words("--cache", a.data[0]) if a.data else []
        words = _words(a.file, a.folder, *report, *notes, *cache, *a.more)
        return [Step("skeleton_package", words)]
    if a.report is None:
        raise Wrong(
            f"--report: must name what `evaluate` wrote; the {a.student}'s card is made of it"
        )
    words = _words(a.file, a.report, a.folder, *notes, *a.more)
    if a.student == "action":
        return [Step("action_package", words)]
    score = json.loads(a.report.read_text())["score"]
    picture = _words(_caches(a)[0], a.file, a.folder / "confusion.png", "--score", score)
    return [Step("package", _words(_caches(a)[0], *words)), Step("confusion", picture)]


def _card(a: Arguments) -> list[Step]:
    """The package again, of the file that is in it, with the figures of another report."""
    a.folder = find_package(a.model)
    a.file, _ = _tflite(a.model)
    return _package(a)


def _parsers() -> dict[str, tuple[Plan, argparse.ArgumentParser]]:
    """A plan and its arguments per command."""
    made: dict[str, tuple[Plan, argparse.ArgumentParser]] = {}

    def command(name: str, plan: Plan, about: str, *positional: str) -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser(
            prog=f"haetae model {name}", description=about, allow_abbrev=False, epilog=EPILOG
        )
        parser.add_argument("student", choices=STUDENTS)
        for dest in positional:
            kind = str if dest == "model" else Path
            parser.add_argument(dest, type=kind, metavar=dest.upper().removesuffix("_FOLDER"))
        parser.add_argument("--data", type=Path, nargs="+", default=[], metavar="CACHE")
        made[name] = plan, parser
        return parser

    one = command("dataset", _dataset, "Pictures or poses to learn from.", "out")
    one.add_argument("--simulated", type=Path, nargs="+", default=[], metavar="FOLDER")
    command("train", _train, "Train from labels alone; resumed with the same run.", "run_folder")
    one = command("distill", _distill, "Train beside a teacher.", "run_folder")
    one.add_argument("--refresh", action="store_true", help="ask the teacher anew")
    one.add_argument("--simulated", type=Path, nargs="+", default=[], metavar="FOLDER")
    command("quantize", _quantize, "A checkpoint to full-integer TFLite.", "checkpoint", "out")
    one = command("export", _export, "TFLite, and .rknn beside it.", "checkpoint", "out")
    one.add_argument("--rknn", metavar="SOC,...", help="rk3588, rk3566, rk3568, rk3576")
    one.add_argument("--rknn-python", type=Path, metavar="PYTHON", help="has Rockchip's converter")
    one = command("evaluate", _evaluate, "Measure, and compare with what is wanted.", "model")
    one.add_argument("--checkpoint", type=Path, help="float weights, to compare with")
    one.add_argument("--report", type=Path, default=Path("report.json"), help="(report.json)")
    one.add_argument("--check", action="store_true", help="exit code 1 where a figure is missed")
    one = command("package", _package, "A package with its card.", "file", "folder")
    one.add_argument("--report", type=Path, help="what evaluate measured, for the card")
    one.add_argument("--notes", type=Path, help="Markdown about known failures, for the card")
    one = command("card", _card, "A package's card anew, from a report.", "model", "report")
    one.add_argument("--notes", type=Path, help="Markdown about known failures")
    return made


EPILOG = "Other options go to the student's own module; `-- --help` shows them."
COMMANDS: Final = tuple(_parsers())


def run(command: str, argv: list[str]) -> int:
    """Run one of COMMANDS.

    Args:
        command: its name.
        argv: what comes after it.

    Returns:
        0, 1 where a figure is missed or a module failed, 2 for wrong arguments or without the
        `train` extra.
    """
    plan, parser = _parsers()[command]
    try:
        arguments, arguments.more = parser.parse_known_args(_named(command, argv))
        arguments.more = [word for word in arguments.more if word != "--"]
        steps = plan(arguments)
    except SystemExit as stop:
        return int(stop.code or OK)
    except Wrong as wrong:
        print(f"haetae model {command}: {wrong}", file=sys.stderr)
        return WRONG_ARGUMENTS
    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing:
        print(
            f"haetae model {command}: {', '.join(missing)} not installed; "
            "making students needs `pip install haetae[train]`",
            file=sys.stderr,
        )
        return WRONG_ARGUMENTS
    return _follow(command, arguments, steps)


def _named(command: str, argv: list[str]) -> list[str]:
    """Put the student's name first where a package is named that says it."""
    if command not in ("evaluate", "card") or not argv or argv[0] in STUDENTS:
        return argv
    folder = find_package(argv[0])
    return [read_info(folder).role, *argv] if folder.is_dir() else argv


def _follow(command: str, arguments: Arguments, steps: list[Step]) -> int:
    for step in steps:
        code = _main(f"haetae model {command}", step)
        if code:
            return code
    if command != "evaluate":
        return OK
    from models.training.goals import judge, lines

    judged = judge(arguments.student, json.loads(arguments.report.read_text()))
    print("\n".join(lines(judged)))
    missed = any(row.reached is False for row in judged)
    return MISSED if arguments.check and missed else OK


def _main(program: str, step: Step) -> int:
    """Call a module's `main` as if it had been typed."""
    before = sys.argv
    sys.argv = [f"{program} ({step.module})", *step.argv]
    try:
        return int(import_module(MODULES + step.module).main() or OK)
    except SystemExit as stop:
        if isinstance(stop.code, str):
            print(f"{program}: {stop.code}", file=sys.stderr)
            return MISSED
        return int(stop.code or OK)
    except (RuntimeError, pickle.UnpicklingError) as error:
        if isinstance(error, RuntimeError) and "loading state_dict" not in str(error):
            raise
        first = str(error).splitlines()[0]
        print(f"{program}: no checkpoint of this student's shape: {first}", file=sys.stderr)
        return WRONG_ARGUMENTS
    finally:
        sys.argv = before
