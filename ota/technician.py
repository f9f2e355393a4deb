"""What the technician's commands share: the link, the key, exit codes, and errors in words."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from drivers.clock import MonotonicClock
from drivers.closing import Closing
from drivers.faults import LinkFault
from drivers.interfaces import Clock, Serial
from ota.key_files import add_passphrase_option, ask_passphrase, open_key
from ota.link.address import open_port, parse
from ota.link.client import LinkClient
from ota.link.lost import LinkLost
from ota.refusal import REASONS, Refused
from ota.service import COMMANDS
from ota.service import Path as Way
from ota.technician_words import plain, printable

DONE, REFUSED, ARGUMENTS, UNREACHABLE, ROLLED_BACK, STOPPED = 0, 1, 2, 7, 8, 130
EPILOG: Final = """exit codes: 0 done, 1 refused by the camera (it says why), 2 wrong arguments
or file, 7 no camera answers, 130 stopped with Ctrl-C: run the same command again

environment: HAETAE_LINK, HAETAE_KEY and HAETAE_PASSPHRASE_FILE stand for --link, --key and
--passphrase-file"""
EPILOG_8: Final = EPILOG.replace("130", "8 the camera has gone back to what was before,\n130")
STOPPED_TEXT: Final = "stopped. Run the same command again: it goes on where it stopped"
NEXT: Final[dict[str, str]] = {
    "not_signed": "add --key YOUR.key, or set HAETAE_KEY",
    "operator_key": "use a key of the camera's key ring, or bring a newer one: `haetae ota ring`",
    "not_permitted": "ask somebody whose key may do this",
    "nonce": "run the same command again",
    "busy": "look at `haetae status`; when it is idle, run the same command again",
    "too_many": "wait some seconds and run the same command again",
    "nothing": "look at `haetae status`: it tells what runs",
    "storage": "look at `haetae status`; run the same command again",
}
"""Refusal -> what to type next, where its own sentence does not say it."""
TOLD_BY_DETAIL: Final = ("argument", "nothing", "unavailable", "unknown")
"""Refusals of which the camera's own words say more than the table's."""
NOBODY: Final = "no camera answers"
PORT_NAMES: Final = ("ttyUSB*", "ttyACM*")
LOOK: Final = {
    "serial": "look whether the cable sits at both ends, the camera has power, and the speed is"
    " the camera's (serial:/dev/ttyUSB0:115200)",
    "tcp": "look whether the address is right and the camera has power and network",
    "unix": "look whether `haetae run` runs, and its board file names this socket",
}
"""Kind of link -> where to look when nobody answers."""
PATHS: Final = {"serial": Way.CABLE, "tcp": Way.LAN, "unix": Way.LOCAL}
HELLO_MS: Final = 8000.0
"""For a camera that is there, or starts."""
TURNED_AWAY_MS, MOST_TURNED_AWAY_MS = 50.0, 1000.0
"""A camera speaks with one at a time, and takes a moment to see that the last one has gone."""
BUSY_TIMES, BUSY_MS = 10, 1000.0
"""A camera that starts, ends or loads students may have no time to tell its status."""
ANSWER_MS: Final = 10_000
"""A camera answers within 2 s; the line may be slow, and the camera busy with its flash."""


class WrongArgument(Exception):
    """Something on the command line cannot be; the message says what to type instead."""


def make_parser(prog: str, description: str, epilog: str = EPILOG) -> argparse.ArgumentParser:
    """A parser with the exit codes below its help."""
    return argparse.ArgumentParser(
        prog=prog,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_link_arguments(parser: argparse.ArgumentParser, *, is_required: bool = True) -> None:
    """--link, --key, --passphrase-file and --json, with their defaults from the environment."""
    link = os.environ.get("HAETAE_LINK")
    parser.add_argument(
        "--link",
        default=link,
        required=is_required and not link,
        help="serial:/dev/ttyUSB0[:BAUD], tcp:HOST:PORT or unix:/path",
    )
    parser.add_argument(
        "--key", default=os.environ.get("HAETAE_KEY"), help="your operator key, NAME.key"
    )
    add_passphrase_option(parser, "your key")
    parser.add_argument("--json", action="store_true", help="one JSON object, for scripts")


class Camera(Closing):
    """The camera at the other end of a link. Use it as a context manager.

    The key is opened when something is asked that has to be signed, so that reading the status
    over a cable needs no passphrase.

    Args:
        link: address, as --link takes it.
        key: key file, or None.
        passphrase_file: or None: asked for on a terminal.

    Raises:
        WrongArgument: no such address.
    """

    def __init__(
        self, link: str, key: str | None = None, passphrase_file: Path | None = None
    ) -> None:
        try:
            self.address = parse(link)
        except ValueError as error:
            raise WrongArgument(f"--link: {error}") from error
        self.link = link
        self.path = PATHS[link.partition(":")[0]]
        self.clock: Clock = MonotonicClock()
        self._key, self._passphrase_file = key, passphrase_file
        self._seed: bytes | None = None
        self._client: LinkClient | None = None

    def close(self) -> None:
        """Let go of the link. May be called twice."""
        if self._client is not None:
            self._client.close()
            self._client = None

    @property
    def client(self) -> LinkClient:
        """The connection, opened at first use. Raises LinkLost."""
        wait_ms = TURNED_AWAY_MS
        while self._client is None:
            try:
                self._client = LinkClient(open_port(self.address), self.clock, self._seed)
                self._client.hello(HELLO_MS)
            except (LinkFault, LinkLost) as error:
                self.close()
                fault = error if isinstance(error, LinkFault) else error.__cause__
                if not isinstance(fault, LinkFault):
                    raise
                if fault.reason != "gone" or wait_ms > MOST_TURNED_AWAY_MS:
                    raise self._lost(fault) from fault
                self.clock.sleep_until_ms(self.clock.now_ms() + wait_ms)
                wait_ms *= 2
            except BaseException:
                self.close()
                raise
        return self._client

    def _lost(self, fault: LinkFault) -> LinkLost:
        where = self.link.partition(":")[2]
        what = (fault.detail or fault.reason).removeprefix(f"{where}: ")
        if fault.reason == "gone" and self.path is not Way.CABLE:
            return LinkLost("it hangs up", "somebody else is connected; wait until they are done")
        return LinkLost(what, _ports() if fault.reason == "missing" else "")

    def reopen(self) -> Serial:
        """The port once more. Raises LinkFault."""
        return open_port(self.address)

    def ask(self, command: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask for something; signed where the camera wants that on this way.

        Args:
            command: in ota.service.COMMANDS.
            arguments: plain values.

        Raises:
            Refused: as the camera said.
            LinkLost: it does not answer.
            WrongArgument: the key cannot be opened.
        """
        self.use_key(command)
        return self.client.ask(command, arguments or {}, ANSWER_MS)

    def status(self) -> dict[str, Any]:
        """The status; a camera that has no time for it is asked again. Raises as `ask`."""
        for _ in range(BUSY_TIMES):
            try:
                return self.ask("status")
            except Refused as refused:
                if refused.reason != "unavailable":
                    raise
                self.clock.sleep_until_ms(self.clock.now_ms() + BUSY_MS)
        return self.ask("status")

    def use_key(self, command: str, *, is_signed: bool = False) -> None:
        """Open the key, if this command has to be signed here and there is one.

        Args:
            command: in ota.service.COMMANDS.
            is_signed: it has to be, also where the command itself is open.
        """
        is_open = self.path in COMMANDS[command].open_on and not is_signed
        if self._key and not self._seed and not is_open:
            self._seed = _open_key(self._key, self._passphrase_file)
            self.close()
        if is_signed and not self._seed:
            raise Refused("not_signed")


def _open_key(file: str, passphrase_file: Path | None) -> bytes:
    try:
        phrase_file = Path(passphrase_file) if passphrase_file else None
        if phrase_file is None and not sys.stdin.isatty():
            raise WrongArgument(f"{file} has a passphrase: add --passphrase-file FILE")
        return open_key(Path(file), ask_passphrase(phrase_file, file))
    except Refused as refused:
        raise WrongArgument(
            f"--key {file}: {refused.detail or REASONS[refused.reason]}"
        ) from refused
    except OSError as error:
        raise WrongArgument(f"{error.filename}: {error.strerror or error}") from error


Action = Callable[[argparse.Namespace], int]


def run(parser: argparse.ArgumentParser, argv: Sequence[str], action: Action) -> int:
    """Read the arguments and act; every error becomes words and an exit code."""
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as leave:  # argparse has said what is wrong
        return ARGUMENTS if leave.code else DONE
    return guarded(action, arguments)


def guarded(action: Action, arguments: argparse.Namespace) -> int:
    """Act; every error becomes words and an exit code."""
    try:
        return action(arguments)
    except WrongArgument as wrong:
        return fail(arguments, ARGUMENTS, "argument", str(wrong))
    except Refused as refused:
        return fail(arguments, REFUSED, refused.reason, refusal(refused), refused.detail)
    except LinkLost as lost:
        return fail(arguments, UNREACHABLE, "unreachable", unreachable(arguments.link, lost))
    except KeyboardInterrupt:
        return fail(arguments, STOPPED, "stopped", f"\n{STOPPED_TEXT}")


def fail(arguments: argparse.Namespace, code: int, reason: str, text: str, detail: str = "") -> int:
    """Say why it did not work: in words, and as JSON for a script that asked for it."""
    if getattr(arguments, "json", False):
        told = {"ok": False, "reason": reason, "detail": detail, "text": text.strip()}
        sys.stdout.write(json.dumps(plain(told)) + "\n")
    sys.stderr.write(text + "\n")
    return code


def refusal(refused: Refused) -> str:
    """What the camera refused, why, and what to do next."""
    detail = printable(refused.detail)
    is_plain = refused.reason in TOLD_BY_DETAIL and detail
    text = f"refused: {detail if is_plain else REASONS[refused.reason]}"
    if detail and not is_plain:
        text += f"\n  the camera says: {detail}"
    if refused.reason in NEXT:
        text += f"\n  next: {NEXT[refused.reason]}"
    return text


def unreachable(link: str, lost: LinkLost) -> str:
    """Nobody answers: where, why, and where to look."""
    kind = link.partition(":")[0]
    why = "" if lost.what == NOBODY else f": {printable(lost.what)}"
    return f"no camera answers at {link}{why}\n  next: {lost.advice or LOOK[kind]}"


def _ports() -> str:
    """Which serial ports there are on this computer; "" where there is none."""
    found = [str(path) for name in PORT_NAMES for path in sorted(Path("/dev").glob(name))]
    return f"these ports are there: {', '.join(found)}" if found else ""
