"""`haetae ota carry`: a small process on the camera that brings updates from sticks and servers."""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from drivers.clock import MonotonicClock
from drivers.faults import LinkFault
from drivers.interfaces import Clock
from ota.carriers import pace
from ota.carriers.camera import Camera, Carrier
from ota.carriers.carry import LOST_MS, Carry
from ota.carriers.usb import StickCarrier
from ota.key_files import add_passphrase_option, ask_passphrase, open_key
from ota.key_ring import MAX_RING_BYTES, trust_first
from ota.link.address import Address, open_port, parse
from ota.link.client import LinkClient
from ota.link.lost import LinkLost
from ota.refusal import REASONS, Refused

DONE, REFUSED, ARGUMENTS, UNREACHABLE = 0, 1, 2, 7
MAX_TOKEN_CHARS: Final = 512
STATE: Final = "/var/lib/haetae-carry"
MEMORY_FILE: Final = "carry.memory"
ABOUT: Final = """Brings updates to the camera on which it runs: from a stick, from a channel on a
static web server, from hawkBit. The camera decides what it takes. docs/fleet.md says more."""
EPILOG: Final = """examples
  haetae ota carry --link unix:/run/haetae/link --usb /media/usb
  haetae ota carry --link unix:/run/haetae/link --usb /media/usb \\
      --channel https://cdn.example/cam/haetae.channel --ring /etc/haetae/ring-1.ring
  haetae ota carry --link unix:/run/haetae/link \\
      --hawkbit https://hawkbit.example --token-file /etc/haetae/hawkbit.token

A proxy is taken from --proxy alone. Without --once it runs until it is told to end (SIGTERM).
With it, a trial of what it brought is watched to its end, and --wait has patience with a camera
that does not answer yet.

exit codes: 0 ended, or --once: looked everywhere; 1 refused: a key ring or key file is wrong;
2 wrong arguments, an unreadable file, or a missing package; 7 --once: no camera answers"""


def carry(argv: Sequence[str]) -> int:
    """`haetae ota carry`; `argv` begins after the word "carry".

    Returns:
        0, 1, 2 or 7 as EPILOG says.
    """
    parser = _parser()
    try:
        arguments = parser.parse_args(argv)
        address = _checked(parser, arguments)
    except SystemExit as leave:  # argparse has said what is wrong
        return ARGUMENTS if leave.code else DONE
    try:
        return _run(arguments, address, MonotonicClock())
    except Refused as refused:
        print(f"{refused.reason}: {refused.detail or REASONS[refused.reason]}", file=sys.stderr)
        return REFUSED
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return ARGUMENTS
    except ModuleNotFoundError as error:
        print(f"{error.name} is missing: pip install 'haetae[net]'", file=sys.stderr)
        return ARGUMENTS
    except KeyboardInterrupt:
        return DONE


def _run(arguments: argparse.Namespace, address: Address, clock: Clock) -> int:
    key = None
    if arguments.key is not None:
        key = open_key(arguments.key, ask_passphrase(arguments.passphrase_file, arguments.key.name))
    signal.signal(signal.SIGTERM, _end)

    def connect() -> Camera:
        return LinkClient(open_port(address), clock, key, lambda: open_port(address))

    device = _device(connect, clock, waits=arguments.wait or not arguments.once)
    if device is None:
        return UNREACHABLE
    _say(f"camera {device}")
    carriers = list(_carriers(arguments, device, clock))
    work = Carry(connect, carriers, clock, _say)
    while True:
        wait_ms = work.step()
        is_due = any(carrier.is_due(clock.now_ms()) for carrier in carriers)
        if arguments.once and not work.is_watching and not is_due:
            return DONE
        clock.sleep_until_ms(clock.now_ms() + wait_ms)


def _device(connect: Callable[[], Camera], clock: Clock, *, waits: bool) -> str | None:
    """The camera's name, as soon as it answers; None where that is not waited for."""
    is_told = False
    while True:
        try:
            camera = connect()
            try:
                return str(camera.hello().get("device", ""))
            finally:
                camera.close()
        except (LinkFault, LinkLost) as lost:
            if not is_told:
                _say(f"camera: {lost}")
            is_told = True
        if not waits:
            return None
        clock.sleep_until_ms(clock.now_ms() + LOST_MS)


def _carriers(arguments: argparse.Namespace, device: str, clock: Clock) -> Sequence[Carrier]:
    """The stick first: it means that a person is there."""
    carriers: list[Carrier] = []
    if arguments.usb is not None:
        carriers.append(StickCarrier(arguments.usb, _say))
    if arguments.channel:
        carriers.append(_channel(arguments, device, clock))
    if arguments.hawkbit:
        carriers.append(_hawkbit(arguments, device, clock))
    return carriers


def _channel(arguments: argparse.Namespace, device: str, clock: Clock) -> Carrier:
    ring = trust_first(_read(arguments.ring, MAX_RING_BYTES))
    web = _web(arguments)
    reporter = None
    if arguments.report:
        token = _token(arguments.report_token_file)
        header = f"Bearer {token}" if token else ""
        told = _web(arguments, header, arguments.report)
        reporter = _find("ota.carriers.report", "Reporter")(told, arguments.report, _say)
    made: Carrier = _find("ota.carriers.http_pull", "ChannelCarrier")(
        web, arguments.channel, device, ring, arguments.state / MEMORY_FILE, clock, _random, _say,
        arguments.poll_min * 60_000.0, _spread_ms(arguments), reporter,
    )  # fmt: skip
    return made


def _hawkbit(arguments: argparse.Namespace, device: str, clock: Clock) -> Carrier:
    kind = "GatewayToken" if arguments.gateway_token else "TargetToken"
    token = _token(arguments.token_file)
    web = _web(arguments, f"{kind} {token}" if token else "", arguments.hawkbit)
    name = arguments.controller or device
    ddi = _find("ota.carriers.ddi", "Ddi")(web, arguments.hawkbit, arguments.tenant, name)
    made: Carrier = _find("ota.carriers.hawkbit", "HawkbitCarrier")(
        web, ddi, device, clock, _random, _say, _spread_ms(arguments)
    )
    return made


def _web(arguments: argparse.Namespace, token: str = "", token_for: str = "") -> Any:
    ca_file = str(arguments.ca) if arguments.ca is not None else None
    if ca_file is not None:
        _read(arguments.ca, 1 << 22)
    return _find("ota.carriers.web", "Web")(
        MonotonicClock().now_ms, ca_file, arguments.proxy, token, token_for
    )


def _find(module: str, name: str) -> Any:
    """What needs the extra `net` is imported only where it is asked for."""
    return getattr(import_module(module), name)


def _spread_ms(arguments: argparse.Namespace) -> float:
    return 0.0 if arguments.once else pace.BOOT_SPREAD_MS


def _random() -> float:
    return secrets.randbelow(1 << 53) / 2.0**53


def _read(path: Path, most: int) -> bytes:
    with path.open("rb") as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise Refused("too_long", f"{path}: more than {most} bytes")
    return data


def _token(path: Path | None) -> str:
    """The first line; a token in an argument could be seen by everybody on the camera."""
    if path is None:
        return ""
    token = _read(path, MAX_TOKEN_CHARS).decode("ascii", "replace").strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Refused("malformed", f"{path}: no token")
    return token


def _say(line: str) -> None:
    printable = "".join(char if char.isprintable() else "?" for char in line)
    print(printable, flush=True)


def _end(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _checked(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> Address:
    if not (arguments.usb or arguments.channel or arguments.hawkbit):
        parser.error("nowhere to look: give --usb, --channel or --hawkbit")
    if arguments.channel and arguments.ring is None:
        parser.error("--channel needs --ring: the key ring that came with the camera's image")
    if arguments.channel and not arguments.state.is_dir():
        parser.error(f"--state {arguments.state}: no such folder; make it, or name another")
    for name in ("channel", "hawkbit", "report", "proxy"):
        url = getattr(arguments, name)
        if url and not url.startswith(("http://", "https://")):
            parser.error(f"--{name} {url}: must begin with https:// (or http://)")
    try:
        return parse(arguments.link)
    except ValueError as error:
        parser.error(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="haetae ota carry",
        description=ABOUT,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--link", required=True, help="the camera's Unix socket, as unix:/run/haetae/link")
    add("--usb", type=Path, metavar="DIR", help="where sticks are mounted, read-only")
    add("--channel", metavar="URL", help="of a channel file on any web server")
    add("--ring", type=Path, metavar="FILE", help="the key ring that came with the image")
    add("--state", type=Path, default=Path(STATE), metavar="DIR", help=f"default: {STATE}")
    add("--poll-min", type=float, default=pace.POLL_MS / 60_000, help="default: %(default)g")
    add("--report", metavar="URL", help="the vendor's server: told who began, confirmed, failed")
    add("--report-token-file", type=Path, metavar="FILE", help="sent as a bearer token")
    add("--hawkbit", metavar="URL", help="of a hawkBit")
    add("--tenant", default="DEFAULT", help="of hawkBit; default: %(default)s")
    add("--controller", help="the camera's name in hawkBit; default: its own")
    add("--token-file", type=Path, metavar="FILE", help="holds the target's security token")
    add("--gateway-token", action="store_true", help="it is the gateway's token")
    add("--ca", type=Path, metavar="FILE", help="trust these authorities instead of the system's")
    add("--proxy", metavar="URL", help="of an HTTP proxy")
    add("--key", type=Path, metavar="FILE", help="an operator's key; needed over tcp: links only")
    add_passphrase_option(parser)
    add("--once", action="store_true", help="look everywhere once, and end")
    add("--wait", action="store_true", help="with --once: until the camera answers")
    return parser
