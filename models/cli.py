"""`haetae model ...` and `haetae eval detect`. Exit codes: 0 ok, 1 a picture was unreadable or a
figure missed, 2 arguments or configuration, 3 model refused, 4 the NPU failed."""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Final

from drivers.board import NpuConfig, load_board
from drivers.npu.rknn import RknnNpu
from drivers.npu.tflite import TfliteNpu
from drivers.toml_strict import ConfigErrors
from models.evaluation import PictureResult, detect_folder
from models.fit import fit
from models.pack import pack, pack_movenet
from models.package import ModelInfo, find_package, load_package, read_info, shipped_packages
from models.run_cli import OK, PICTURE_UNREADABLE, WRONG_ARGUMENTS, run_command
from models.signature import open_session

DEFAULT_MODEL: Final = "ppe_s"

TRAINING: Final = {
    "dataset": "pictures or poses to learn from",
    "train": "train a student from labels alone",
    "distill": "train a student beside its teacher",
    "quantize": "a checkpoint to full-integer TFLite",
    "export": "the same, and .rknn for Rockchip SoCs",
    "evaluate": "measure a student, and compare with what it must reach",
    "package": "make a package of a student, with its card",
    "card": "write a package's card anew from another report",
}
"""Commands that make students; they need the `train` extra, the others do not."""


def model(argv: list[str]) -> int:
    """`haetae model list | show DIR | pack DESCRIPTION.json --out DIR | fit ...`, and TRAINING."""
    parser = argparse.ArgumentParser(prog="haetae model", description="Model packages.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="the packages that come with the runtime")
    listing.set_defaults(run=_list)
    showing = commands.add_parser("show", help="check a package and print what it says")
    showing.add_argument("model", help="package folder, or the name of a shipped one")
    showing.set_defaults(run=_show)
    packing = commands.add_parser("pack", help="make a package of a model and its description")
    packing.add_argument("description", type=Path, help="JSON file with the model file beside it")
    packing.add_argument("--family", choices=("movenet",), help="the file is a bare .tflite of it")
    packing.add_argument("--out", type=Path, required=True, help="package folder to write")
    packing.add_argument("--score", type=_fraction, default=0.3, help="score threshold (0.3)")
    packing.add_argument("--nms-iou", type=_fraction, default=0.6, help="overlap (0.6)")
    packing.set_defaults(run=_pack)
    fitting = commands.add_parser("fit", help="make a package for this board's NPU, on the board")
    fitting.add_argument("model", help="the package whose network was compiled")
    fitting.add_argument(
        "file", type=Path, help="what the converter made of it, e.g. X.rk3588.rknn"
    )
    fitting.add_argument("--board", type=Path, required=True, help="board file, driver rknn")
    fitting.add_argument("--out", type=Path, required=True, help="package folder to write")
    fitting.set_defaults(run=_fit)
    for name, about in TRAINING.items():
        making = commands.add_parser(name, help=about, add_help=False, prefix_chars="\0")
        making.add_argument("words", nargs=argparse.REMAINDER)
        making.set_defaults(run=_make, command=name)
    return run_command(parser, argv)


def detect(argv: list[str]) -> int:
    """`haetae eval detect --images DIR --out F.jsonl [--model DIR] [--npu R] [--score S]`."""
    parser = argparse.ArgumentParser(
        prog="haetae eval detect", description="Detect in every picture of a folder."
    )
    parser.add_argument("--images", type=Path, required=True, help="folder of pictures")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines, one per picture")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="package folder or shipped name")
    parser.add_argument("--npu", choices=("litert", "tflite"), help="TFLite runtime to use")
    parser.add_argument("--score", type=_fraction, help="instead of the package's threshold")
    parser.set_defaults(run=_detect)
    return run_command(parser, argv)


def _list(_: argparse.Namespace) -> int:
    print(
        f"{'name':<16} {'version':<9} {'role':<9} {'input':<9} {'parameters':>10}  targets  score"
    )
    for folder in shipped_packages():
        info = read_info(folder)
        targets = ",".join(target.npu for target in info.targets)
        print(
            f"{info.name:<16} {info.version:<9} {info.role:<9} {_size(info):<9} "
            f"{info.parameters:>10}  {targets:<7}  {info.thresholds.score:g}"
        )
    return OK


def _show(arguments: argparse.Namespace) -> int:
    folder = find_package(arguments.model)
    info = read_info(folder)
    for target in info.targets:
        load_package(folder, target.npu)
    print(f"{info.name} {info.version}  ({info.role}, {info.family}, {info.licence})")
    print(f"  folder      {folder}")
    print(f"  input       {_size(info)} {info.input.dtype} {info.input.colour}")
    print(f"  classes     {', '.join(info.classes)}")
    print(f"  decode      {info.decode.box}, {info.decode.score}")
    print(f"  thresholds  score {info.thresholds.score:g}, nms_iou {info.thresholds.nms_iou:g}")
    print(f"  strides     {', '.join(str(s) for s in sorted({o.stride for o in info.outputs}))}")
    print(f"  parameters  {info.parameters or 'not stated'}")
    print(f"  teacher     {info.teacher or 'not stated'}")
    for target in info.targets:
        print(f"  target      {target.npu}: {target.file}, {target.bytes} bytes, {target.sha256}")
    for name, value in info.accuracy.items():
        print(f"  accuracy    {name} = {value:g}")
    for data in info.training_data:
        print(f"  trained on  {data.name} ({data.licence}), {data.images} pictures")
    return OK


def _make(arguments: argparse.Namespace) -> int:
    """Hand over to the room that makes students; its name is not known to a camera."""
    code: int = import_module("models.training.cli").run(arguments.command, arguments.words)
    return code


def _pack(arguments: argparse.Namespace) -> int:
    source, out = arguments.description, arguments.out
    if arguments.family == "movenet":
        package = pack_movenet(source, out, arguments.score)
    else:
        package = pack(source, out, arguments.score, arguments.nms_iou)
    print(f"{package.folder}: {package.info.name} {package.info.version}, {_size(package.info)}")
    return OK


def _fit(arguments: argparse.Namespace) -> int:
    try:
        config = load_board(arguments.board).npu
    except ConfigErrors as errors:
        print(errors, file=sys.stderr)
        return WRONG_ARGUMENTS
    if config.driver != "rknn":
        print(f'{arguments.board}: npu.driver must be "rknn"', file=sys.stderr)
        return WRONG_ARGUMENTS
    package = fit(find_package(arguments.model), arguments.file, RknnNpu(config), arguments.out)
    print(f"{package.folder}: {package.info.name} for {package.info.targets[0].npu}")
    print(f"next: see what it finds, then haetae ota golden {package.folder}")
    return OK


def _detect(arguments: argparse.Namespace) -> int:
    if not arguments.images.is_dir():
        print(f"--images {arguments.images}: must be a folder", file=sys.stderr)
        return WRONG_ARGUMENTS
    npu = TfliteNpu(NpuConfig(driver="npu.tflite", runtime=arguments.npu or "auto"))
    package = load_package(find_package(arguments.model), npu.target)
    session = open_session(package, npu)
    unreadable = 0
    with arguments.out.open("w", encoding="utf-8") as out:
        for result in detect_folder(arguments.images, package, session, arguments.score):
            if result.error:
                unreadable += 1
                print(f"{arguments.images / result.image}: {result.error}", file=sys.stderr)
            else:
                out.write(_line(result))
    session.close()
    return PICTURE_UNREADABLE if unreadable else OK


def _line(result: PictureResult) -> str:
    row = {name: getattr(result, name) for name in ("image", "boxes", "scores", "classes")}
    return json.dumps(row, ensure_ascii=False) + "\n"


def _size(info: ModelInfo) -> str:
    return f"{info.input.shape[2]}x{info.input.shape[1]}"


def _fraction(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value
