"""Commands of this room: run, check, eval. Each prints for people and returns an exit code."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

from drivers.faults import (
    CameraFault,
    CameraGone,
    ModelRefused,
    NpuFault,
    OutputFault,
    StorageFault,
    WatchdogFault,
)

if TYPE_CHECKING:
    from drivers.board import Board
    from runtime.machine import Machine
    from runtime.site import GroundConfig, Site

OK, UNEXPECTED, REFUSED_CONFIG, REFUSED_MODEL, CAMERA_GONE, NPU_FAILED, STORAGE_REFUSED = range(7)
START_ANEW = 1000
"""Not an exit code: the process takes its own place, with a new site file."""
GOES_ON = "HAETAE_GOES_ON"
"""Environment of a process that has taken its own place: event lines are added to those before."""
SHOW_EVERY_FRAMES = 10
T = TypeVar("T")


def run(argv: list[str]) -> int:
    """`haetae run`: be the camera.

    Returns:
        0 planned end, 1 a broken output or watchdog, 2 configuration, 3 model, 4 camera gone,
        5 NPU, 6 storage.
    """
    parser = _run_parser()
    arguments = parser.parse_args(argv)
    if arguments.frames < 0:
        parser.error(f"--frames {arguments.frames}: must be 0 or more")
    from runtime.memory import MemoryRefused, prepare_allocator

    prepare_allocator()
    from drivers.toml_strict import ConfigErrors
    from runtime.hardware import LiveOnly
    from runtime.plugins import UnknownPlugin
    from runtime.provision import take_on

    try:
        board, site = _load(arguments.board, arguments.site)
        board, arguments.site = take_on(board, arguments.site)
        return _run_chosen(arguments, board, site or _load(None, arguments.site)[1])
    except (ConfigErrors, UnknownPlugin, LiveOnly, MemoryRefused) as refused:
        return _refuse(refused, REFUSED_CONFIG)
    except ModelRefused as refused:
        return _refuse(refused, REFUSED_MODEL)
    except CameraGone as gone:
        return _refuse(gone, CAMERA_GONE)
    except CameraFault as fault:
        return _refuse(fault, REFUSED_CONFIG)
    except NpuFault as fault:
        return _refuse(fault, NPU_FAILED)
    except StorageFault as fault:
        return _refuse(fault, STORAGE_REFUSED)
    except (OutputFault, WatchdogFault) as fault:
        return _refuse(fault, UNEXPECTED)


def check(argv: list[str]) -> int:
    """`haetae check`: say everything that is wrong with a board and a site file."""
    parser = argparse.ArgumentParser("haetae check", description=check.__doc__)
    parser.add_argument("--board", help="board file")
    parser.add_argument("--site", help="site file")
    parser.add_argument("--size", default="640x360", help="picture size, WIDTHxHEIGHT in pixels")
    parser.add_argument("--live", action="store_true", help="look at the board's devices, too")
    arguments = parser.parse_args(argv)
    if not (arguments.board or arguments.site):
        parser.error("name a --board, a --site or both")
    if arguments.live and not arguments.board:
        parser.error("--live: name the --board")
    from drivers.toml_strict import ConfigErrors

    try:
        board, site = _load(arguments.board, arguments.site)
        if site is not None:
            if board is not None:
                from runtime.needs import check_needs

                check_needs(board, site, arguments.site)
                _check_classes(board, site, arguments.site)
            from runtime.geometry import resolve_site

            width_px, height_px = _size(parser, arguments.size)
            resolve_site(site, width_px, height_px, arguments.site)
            if site.ground is not None:
                _tell_ground(site.ground)
    except ModelRefused as refused:
        return _refuse(refused, REFUSED_MODEL)
    except ConfigErrors as refused:
        return _refuse(refused, REFUSED_CONFIG)
    print("no mistakes")
    return look(board) if arguments.live and board is not None else OK


def look(board: Board) -> int:
    """Tell what of the board is there. Returns 1 when something is wrong."""
    from runtime.live_check import live_check

    code = OK
    for what, problem in live_check(board):
        print(f"FAULT {what}: {problem}" if problem else f"ok    {what}")
        code = UNEXPECTED if problem else code
    return code


def _check_classes(board: Board, site: Site, site_file: str) -> None:
    """What the detector finds, where a rule asks; its package is read for that alone."""
    from models.package import find_package, read_info
    from runtime.needs import check_classes
    from runtime.site_rules import PpeRuleConfig

    if any(isinstance(rule, PpeRuleConfig) for rule in site.rules):
        info = read_info(find_package(board.models.detector))
        check_classes(site, info.classes, site_file)


def _tell_ground(config: GroundConfig) -> None:
    from runtime.ground import LEAST_PAIRS, fit_ground

    fit, pairs = fit_ground(config), len(config.picture)
    print(
        f"ground: {pairs} pairs fit one plane within {fit.residual_m:.3f} m"
        f" (root mean square; most at pair {fit.worst + 1}: {fit.worst_m:.3f} m)"
    )
    if pairs == LEAST_PAIRS:
        print("ground: four pairs always fit; measure a fifth to know how well")


def evaluate(argv: list[str]) -> int:
    """`haetae eval detect|skeleton|action|track|... ...`: run the loop's own stages over data."""
    what = argv[0] if argv else ""
    if what == "detect":
        from models.cli import detect

        return detect(argv[1:])
    if what == "action":
        from models.action_cli import action

        return action(argv[1:])
    if what == "skeleton":
        from models.skeleton_cli import skeleton

        return skeleton(argv[1:])
    if what == "track":
        from runtime.evaluation import track

        return track(argv[1:])
    if what == "entry":
        from runtime.entry_evaluation import entry

        return entry(argv[1:])
    if what == "falls":
        from runtime.falls_evaluation import falls

        return falls(argv[1:])
    if what == "privacy":
        from runtime.privacy_evaluation import privacy

        return privacy(argv[1:])
    sys.stderr.write("usage: haetae eval detect|skeleton|action|track|entry|falls|privacy --help\n")
    return OK if what in ("-h", "--help") else REFUSED_CONFIG


def _run_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("haetae run", description="Watch: frame in, siren out.")
    parser.add_argument("--board", required=True, help="board file, e.g. board_configs/sim.toml")
    parser.add_argument(
        "--site", help="site file; default: the one that the unit was provisioned with"
    )
    parser.add_argument(
        "--source",
        default="",
        help="video file, folder of pictures, rtsp:// or http:// URL, or synthetic:seed=1,...;"
        " default: the board's camera",
    )
    parser.add_argument("--model", default="", help="folder of a detector package")
    parser.add_argument("--skeleton", default="", help="folder of a skeleton package")
    parser.add_argument("--action", default="", help="folder of an action package")
    parser.add_argument("--frames", type=int, default=0, help="stop after this many; 0 = never")
    parser.add_argument("--fast", action="store_true", help="virtual time: as fast as the machine")
    parser.add_argument("--events", type=Path, help="write event lines (JSON) here")
    parser.add_argument("--metrics", type=Path, help="write figures (JSON) here")
    parser.add_argument("--video", type=Path, help="write an annotated, anonymised MP4 here")
    parser.add_argument("--still", type=Path, help="keep a picture of the empty room here (JPEG)")
    parser.add_argument("--journal", default="", help="journal ring; default: the board's")
    parser.set_defaults(is_pushed=False)
    return parser


def _load(board_file: str | None, site_file: str | None) -> tuple[Board, Site]:
    """Both files, and the mistakes of both at once."""
    from drivers.board import load_board
    from drivers.toml_strict import ConfigErrors, Mistake
    from runtime.site_check import load_site

    mistakes: list[Mistake] = []

    def attempt(load: Callable[[str], T], file: str | None) -> T | None:
        try:
            return load(file) if file else None
        except ConfigErrors as errors:
            mistakes.extend(errors.mistakes)
            return None

    board, site = attempt(load_board, board_file), attempt(load_site, site_file)
    if mistakes:
        raise ConfigErrors(mistakes)
    return board, site  # type: ignore[return-value]  # None only where no file was named


def _run_chosen(arguments: argparse.Namespace, board: Board, given: Site) -> int:
    """By the site file that was pushed, where one was; the camera starts anew for another."""
    from drivers.toml_strict import ConfigErrors

    if board.updates is None:
        return _run(arguments, board, given)
    from runtime.site_choice import choose_site, drop_pushed

    site, file, is_pushed = choose_site(board, given, arguments.site)
    arguments.is_pushed, arguments.site = is_pushed, file
    try:
        code = _run(arguments, board, site)
    except ConfigErrors as errors:
        if not (is_pushed and drop_pushed(board, str(errors))):
            raise
        sys.stderr.write(f"the pushed site file was given up: {errors}\n")
        code = START_ANEW
    if code == START_ANEW:
        os.environ[GOES_ON] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    return code


def _run(arguments: argparse.Namespace, board: Board, site: Site) -> int:
    from runtime.boot import boot
    from runtime.options import Options

    with ExitStack() as stack:
        events = _open(stack, arguments.events)
        options = Options(
            site_file=arguments.site,
            source=arguments.source,
            model=arguments.model,
            skeleton=arguments.skeleton,
            action=arguments.action,
            fast=arguments.fast,
            journal=arguments.journal,
            events=events,
            video=arguments.video,
            still=arguments.still,
            is_pushed=arguments.is_pushed,
        )
        with boot(board, site, options) as machine:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: machine.loop.stop())
            if sys.stderr.isatty():
                machine.loop.on_frame = _Progress(machine)
            try:
                machine.loop.run(arguments.frames)
            finally:
                _report(machine, arguments.metrics)
            updates = machine.updates
    return START_ANEW if updates is not None and updates.restarts else OK


def _report(machine: Machine, path: Path | None) -> None:
    dropped_frames, dropped_events = machine.camera.dropped_frames, machine.context.dropped_events
    report = machine.metrics.report(machine.seal, dropped_frames, dropped_events)
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    if path is not None:
        with _writable(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(report, indent=1) + "\n")


def _open(stack: ExitStack, path: Path | None) -> IO[bytes] | None:
    if path is None:
        return None
    with _writable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = "ab" if os.environ.pop(GOES_ON, "") else "wb"
        return stack.enter_context(path.open(mode, buffering=0))


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    """Names the file of the command line that cannot be written. Raises StorageFault."""
    try:
        yield
    except OSError as error:
        raise StorageFault("cannot_write", f"{path}: {error.strerror}") from error


class _Progress:
    """One line on a terminal, rewritten now and then."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def __call__(self, _: object) -> None:
        """Show where the run is."""
        machine = self._machine
        frames = machine.metrics.frames
        if frames % SHOW_EVERY_FRAMES:
            return
        people = machine.context.tracks.live.size
        sound = machine.alarms.sound.pattern or "quiet"
        seconds = machine.context.t_ms / 1000
        sys.stderr.write(f"\r{seconds:8.1f} s  frame {frames}  people {people}  siren {sound:<12}")


def _size(parser: argparse.ArgumentParser, text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        parser.error(f"--size {text}: must be WIDTHxHEIGHT in pixels, e.g. 768x432")
    return int(width), int(height)


def _refuse(refused: Exception, code: int) -> int:
    sys.stderr.write(f"{refused}\n")
    return code
