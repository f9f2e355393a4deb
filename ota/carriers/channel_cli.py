"""`haetae ota channel`: the file that says which update is current: new, add, sign, widen, halt."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from ota.bundle import BundleFile
from ota.carriers import channel_edit as edit
from ota.carriers.channel import (
    MAX_CHANNEL_BYTES,
    ChannelFile,
    Seen,
    check,
    file_bytes,
    parse_file,
)
from ota.carriers.rollout import DEFAULT_STAGES, Reports, Stage, stage_of
from ota.key_files import add_passphrase_option, ask_passphrase, open_key, read_public
from ota.key_ring import MAX_RING_BYTES, advance, trust_first
from ota.keys import DOMAIN_CHANNEL, sign
from ota.refusal import Refused
from ota.run_cli import run_command

HALT = 3
ABOUT: Final = "The signed file on a static server that says which cameras take which release."
EPILOG: Final = """a release, from first to last
  haetae ota channel new haetae.channel --product haetae-cam --ring ring-1.ring
  haetae ota channel add haetae.channel ppe-13.bundle --stages 1,10,100 --key channel-1.key
  # put haetae.channel and ppe-13.bundle beside each other on the server; a day later:
  haetae ota channel widen haetae.channel 13 --confirmed 981 --failed 4 --held-h 24 \\
      --key channel-1.key
  # something is wrong with it: at once
  haetae ota channel halt haetae.channel 13 --why "blind at dusk" --key channel-1.key

Every change raises the file's number and takes its signatures off; --key signs it again in the same
step. Cameras refuse a file with a smaller number than one that they have seen: never go back to a
backup, change the newest file.

exit codes: 0 done, 1 refused (the line says why; widen: not yet), 2 wrong arguments or a file that
cannot be read, 3 widen: too many cameras failed, halt it"""


def channel(argv: Sequence[str]) -> int:
    """`haetae ota channel new|add|sign|show|widen|halt`; `argv` begins after the word "channel".

    Returns:
        0, 1 (refused), 2 (wrong arguments or files) or 3 (to be halted).
    """
    return run_command(_parser(), argv, {edit.MustHalt: HALT})


def _new(arguments: argparse.Namespace) -> None:
    if arguments.file.exists():
        raise Refused("argument", f"{arguments.file}: is there already; change that one")
    rings = [_bounded(path, MAX_RING_BYTES) for path in arguments.ring]
    made = edit.new(arguments.product, arguments.poll_min * 60, rings)
    _save(arguments, made)


def _add(arguments: argparse.Namespace) -> None:
    with BundleFile(arguments.bundle) as bundle:
        url = arguments.url or arguments.bundle.name
        made = edit.add(_load(arguments), bundle, url, _stages(arguments.stages))
    _save(arguments, made)


def _widen(arguments: argparse.Namespace) -> None:
    file = _load(arguments)
    reports = Reports(arguments.confirmed, arguments.failed, arguments.overdue)
    if not arguments.force:
        edit.check_widen(file, arguments.release, reports, arguments.held_h)
    _save(arguments, edit.widen(file, arguments.release))


def _halt(arguments: argparse.Namespace) -> None:
    _save(arguments, edit.halt(_load(arguments), arguments.release, arguments.why))


def _sign(arguments: argparse.Namespace) -> None:
    _save(arguments, _load(arguments))


def _show(arguments: argparse.Namespace) -> None:
    file = _load(arguments)
    told = edit.told(file)
    if arguments.ring:
        ring = trust_first(_bounded(arguments.ring[0], MAX_RING_BYTES))
        chain = [_bounded(path, MAX_RING_BYTES) for path in arguments.ring[1:]]
        check(arguments.file.read_bytes(), advance(ring, chain), Seen())
        told["verified"] = True
    if arguments.device:
        for release in told["releases"]:
            place = stage_of(arguments.device, release["release"])
            release["device"] = {"place": place, "may_take": place < release["share"]}
    print(json.dumps(told, indent=2) if arguments.json else "\n".join(_lines(told)))


def _lines(told: dict[str, Any]) -> list[str]:
    verified = "verified" if told.get("verified") else "signatures not checked; give --ring"
    signed = f"signed by {', '.join(told['signed_by'])}" if told["signed_by"] else "NOT SIGNED"
    found = [f"channel of {told['product']}, number {told['sequence']}, {signed} ({verified})"]
    for release in told["releases"]:
        state = "HALTED" if release["halted"] else f"open to {release['share']:.1%}"
        why = f": {release['why']}" if release["why"] else ""
        found.append(
            f"  release {release['release']} (version {release['version']}): {state}{why}, "
            f"stage {release['stage'] + 1} of {len(release['stages'])}, "
            f"{release['bytes']:,} bytes, {release['url']}"
        )
        if "device" in release:
            device = release["device"]
            may = "may take it" if device["may_take"] else "waits"
            found.append(f"    this camera: place {device['place']:.3f}, {may}")
    return found


def _stages(text: str) -> list[Stage]:
    try:
        shares = [float(part) / 100.0 for part in text.split(",")]
    except ValueError as error:
        raise Refused("argument", f"--stages {text}: percents, as in 1,10,100") from error
    known = {stage.share: stage for stage in DEFAULT_STAGES}
    return [known.get(share, Stage(share=share)) for share in shares]


def _load(arguments: argparse.Namespace) -> ChannelFile:
    return parse_file(_bounded(arguments.file, MAX_CHANNEL_BYTES))


def _bounded(path: Path, most: int) -> bytes:
    with path.open("rb") as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise Refused("too_long", f"{path}: more than {most} bytes")
    return data


def _save(arguments: argparse.Namespace, file: ChannelFile) -> None:
    """With a signature where a key was given; a reader sees the old file or the new one."""
    signatures = list(file.signatures)
    if arguments.key is not None:
        if read_public(arguments.key).kind != "channel":
            raise Refused("argument", f"{arguments.key}: no channel key")
        phrase = ask_passphrase(arguments.passphrase_file, str(arguments.key))
        made = sign(open_key(arguments.key, phrase), DOMAIN_CHANNEL, file.body)
        signatures = [one for one in signatures if one.key_id != made.key_id] + [made]
    data = file_bytes(file.body, signatures, file.rings)
    parse_file(data)
    beside = arguments.file.with_name(arguments.file.name + ".new")
    beside.write_bytes(data)
    beside.replace(arguments.file)
    names = ", ".join(one.key_id.hex() for one in signatures)
    signed = f"signed by {names}" if names else "not signed yet: haetae ota channel sign"
    print(f"{arguments.file}: number {file.channel.sequence}, {signed}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="haetae ota channel",
        description=ABOUT,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    new = _verb(verbs, "new", _new, "an empty one")
    new.add_argument("--product", required=True)
    new.add_argument("--poll-min", type=int, default=0, help="how often cameras ask; 0: as set")
    new.add_argument("--ring", type=Path, action="append", default=[], help="key rings to bring")
    add = _verb(verbs, "add", _add, "a bundle, in its first stage")
    add.add_argument("bundle", type=Path)
    add.add_argument("--url", help="where cameras find it; default: beside the channel file")
    add.add_argument("--stages", default="1,10,100", help="percent of the cameras")
    _verb(verbs, "sign", _sign, "with a channel key", needs_key=True)
    widen = _verb(verbs, "widen", _widen, "open a release to its next stage")
    widen.add_argument("release", type=int)
    for name in ("confirmed", "failed", "overdue"):
        widen.add_argument(f"--{name}", type=int, default=0, help="cameras that told so")
    widen.add_argument("--held-h", type=float, default=0.0, help="hours since the last stage")
    widen.add_argument("--force", action="store_true", help="without looking at the reports")
    halt = _verb(verbs, "halt", _halt, "no camera takes this release any more")
    halt.add_argument("release", type=int)
    halt.add_argument("--why", default="", help="for people")
    show = verbs.add_parser("show", help="what it says")
    show.add_argument("file", type=Path)
    show.add_argument("--ring", type=Path, action="append", help="check it; oldest first")
    show.add_argument("--device", help="whether this camera may take each release")
    show.add_argument("--json", action="store_true")
    show.set_defaults(run=_show)
    return parser


def _verb(
    verbs: Any, name: str, run: Callable[[argparse.Namespace], None], text: str,
    needs_key: bool = False,
) -> argparse.ArgumentParser:  # fmt: skip
    verb: argparse.ArgumentParser = verbs.add_parser(name, help=text)
    verb.add_argument("file", type=Path, help="the channel file")
    verb.add_argument("--key", type=Path, required=needs_key, help="a channel key: sign it now")
    add_passphrase_option(verb)
    verb.set_defaults(run=run)
    return verb
