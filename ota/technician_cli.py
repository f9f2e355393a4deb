"""`haetae ota push`: bring students to a camera, and watch their trial."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ota.bundle import BundleFile
from ota.link.lost import LinkLost
from ota.link.progress import Progress
from ota.refusal import REASONS, Refused
from ota.status_words import TRIAL, next_step, students
from ota.technician import (
    DONE,
    EPILOG_8,
    REFUSED,
    ROLLED_BACK,
    STOPPED,
    Camera,
    WrongArgument,
    add_link_arguments,
    fail,
    make_parser,
    run,
)
from ota.technician_progress import Meter
from ota.technician_watch import Watch, same, verdict
from ota.technician_words import Table, number, plain, size, span, table, text

PATIENCE_S: Final = 120
"""For a camera that is away: long enough to climb down and put the plug back."""
AGAIN_MS: Final = 1000.0
BROKEN: Final = "the link is broken; trying again. Look at plug and power (Ctrl-C stops)"
BACK: Final = "the camera answers again"
AGAIN: Final = "look at plug and power; the same command again goes on where it stopped"
WATCH_STOPPED: Final = "\nstopped watching; the trial goes on. next: `haetae status`"
FAILED_BEFORE: Final = ("student", "golden", "latency", "agreement", "health", "reset", "operator")
"""A bundle is refused for one of these where its trial has failed on this camera."""


def push(argv: Sequence[str]) -> int:
    """Run `haetae ota push`; `argv` begins after these words.

    Returns:
        0 it is there (and, watched, confirmed), 1 refused, 2 wrong arguments or file, 7 no camera,
        8 rolled back, 130 Ctrl-C.
    """
    parser = make_parser("haetae ota push", "Bring a bundle to a camera.", EPILOG_8)
    parser.add_argument("bundle", metavar="BUNDLE", type=Path)
    parser.add_argument(
        "--allow-older",
        action="store_true",
        help="also where the camera has a newer release; has to be signed",
    )
    parser.add_argument(
        "--again", action="store_true", help="also where its trial failed on this camera before"
    )
    parser.add_argument(
        "--watch",
        action=argparse.BooleanOptionalAction,
        default=sys.stdout.isatty(),
        help="stay until the trial is over (on a terminal that is so by itself)",
    )
    parser.add_argument(
        "--patience", type=_seconds, default=PATIENCE_S, metavar="S",
        help=f"try a broken link for so many seconds (default {PATIENCE_S})",
    )  # fmt: skip
    add_link_arguments(parser)
    return run(parser, argv, _push)


def _seconds(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text}: must be a whole number of seconds")
    return int(text)


def _push(arguments: argparse.Namespace) -> int:
    path: Path = arguments.bundle
    try:
        bundle = BundleFile(path)
    except Refused as refused:
        raise WrongArgument(f"{path}: {refused.detail or REASONS[refused.reason]}") from refused
    except OSError as error:
        raise WrongArgument(f"{path}: {error.strerror or error}") from error
    with bundle, Camera(arguments.link, arguments.key, arguments.passphrase_file) as camera:
        return _Push(camera, bundle, arguments).run()


class _Push:
    """One push, from the first look to the end of the trial."""

    def __init__(self, camera: Camera, bundle: BundleFile, arguments: argparse.Namespace) -> None:
        self._camera, self._bundle, self._arguments = camera, bundle, arguments
        self._digest = bundle.head.digest
        self._patience_ms = arguments.patience * 1e3
        self._meter = Meter(sys.stdout, camera.clock, is_quiet=arguments.json)
        self._lost_ms: float | None = None
        self._sent = 0

    def run(self) -> int:
        """Returns the exit code."""
        before = self._camera.status()
        name = text(before, "device") or "the camera"
        self._meter.say(f"{name} runs {students(table(before, 'students'))}")
        update = table(before, "update")
        is_tried = update.get("phase") in TRIAL and self._is_this(update)
        if not is_tried and same(table(before, "students").get("digest"), self._digest):
            return self._finish("already", "that is this bundle: nothing to do", before)
        if not is_tried:
            done = number(update, "done") if self._is_this(update) else 0
            self._send(size(done) if done else "")
        if self._arguments.watch:
            return self._watch()
        said = "its trial begins by itself\nnext: `haetae status` tells how it goes"
        return self._finish("sent", said, {})

    def _is_this(self, update: Table) -> bool:
        """It is the update that the status tells of."""
        if update.get("digest"):
            return same(update["digest"], self._digest)
        manifest = self._bundle.manifest
        return (
            update.get("release") == manifest.release and update.get("version") == manifest.version
        )

    def _send(self, there: str) -> None:
        camera, meter = self._camera, self._meter
        manifest = self._bundle.manifest
        if self._arguments.again:
            self._forget()
        camera.use_key("offer", is_signed=self._arguments.allow_older)
        client = camera.client
        client.reconnect = camera.reopen
        rest = f": {there} of it are there already" if there else ""
        meter.say(f"pushing version {manifest.version} (release {manifest.release}){rest}")
        began_ms = camera.clock.now_ms()
        try:
            client.push(self._bundle, self._arguments.allow_older, self._show)
        except Refused as refused:
            if refused.reason in FAILED_BEFORE:
                again = "to try it once more: --again"
                raise Refused(refused.reason, f"{refused.detail}; {again}") from refused
            raise
        finally:
            meter.end()
            self._sent = client.talk.sent_bytes
        took = span(camera.clock.now_ms() - began_ms)
        meter.say(f"all of it is there: {size(self._sent)} sent in {took}")

    def _forget(self) -> None:
        """A trial that failed here, or another transfer."""
        try:
            self._camera.ask("abandon")
        except Refused as refused:
            if refused.reason != "nothing":
                raise

    def _show(self, progress: Progress) -> None:
        """Also tells of a link that breaks, and gives up when it stays broken."""
        now_ms = self._camera.clock.now_ms()
        if not progress.is_lost:
            if self._lost_ms is not None:
                self._meter.say(BACK)
            self._lost_ms = None
            self._meter.show(progress)
        elif self._lost_ms is None:
            self._lost_ms = now_ms
            self._meter.say(BROKEN)
        elif now_ms - self._lost_ms > self._patience_ms:
            raise LinkLost(f"the link was broken for {span(now_ms - self._lost_ms)}", AGAIN)

    def _watch(self) -> int:
        try:
            status = Watch(self._look, self._meter, self._camera.clock).run(self._digest)
        except KeyboardInterrupt:
            return fail(self._arguments, STOPPED, "stopped", WATCH_STOPPED)
        told, sentence = verdict(status, self._digest)
        code = {"confirmed": DONE, "waiting": DONE, "rolled_back": ROLLED_BACK}.get(told, REFUSED)
        return self._finish(told, f"{sentence}\nnext: {next_step(status)}", status, code)

    def _look(self) -> Table:
        """The status, also of a camera that is away for a while."""
        while True:
            try:
                status = self._camera.status()
            except LinkLost as lost:
                self._wait(lost)
            else:
                if self._lost_ms is not None:
                    self._meter.say(BACK)
                self._lost_ms = None
                return status

    def _wait(self, lost: LinkLost) -> None:
        now_ms = self._camera.clock.now_ms()
        self._camera.close()
        if self._lost_ms is None:
            self._lost_ms = now_ms
            self._meter.say(BROKEN)
        elif now_ms - self._lost_ms > self._patience_ms:
            raise lost
        self._camera.clock.sleep_until_ms(now_ms + AGAIN_MS)

    def _finish(self, told: str, said: str, status: Table, code: int = DONE) -> int:
        if self._arguments.json:
            answer = {"ok": code == DONE, "outcome": told, "sent_bytes": self._sent}
            print(json.dumps(plain({**answer, "status": status})))
        else:
            self._meter.say(said)
        return code
