"""Keys as files on a person's machine: `NAME.key`, sealed with a passphrase, and `NAME.pub`.

The sealed file is msgpack: format, kind, name, public, salt, ops, memory (of Argon2id), sealed (the
seed in an XSalsa20-Poly1305 secretbox). The public one is text that can be read over a telephone.

Source: RFC 9106 (Argon2id), https://doc.libsodium.org/secret-key_cryptography/secretbox
"""

from __future__ import annotations

import argparse
import getpass
import os
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple, get_args

import msgspec
from msgspec import Meta, Struct
from nacl import pwhash, utils
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from ota import wire
from ota.key_ring import Public
from ota.keys import SEED_BYTES, key_id, public_of
from ota.manifest import Word
from ota.refusal import Refused

FORMAT: Final = 1
Kind = Literal["root", "bundle", "channel", "operator"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
MAX_KEY_FILE_BYTES: Final = 4096
MAX_PASSPHRASE_BYTES: Final = 1024

_SLOW: Final = pwhash.argon2id.OPSLIMIT_MODERATE, pwhash.argon2id.MEMLIMIT_MODERATE
_QUICK: Final = pwhash.argon2id.OPSLIMIT_INTERACTIVE, pwhash.argon2id.MEMLIMIT_INTERACTIVE
COSTS: Final[dict[Kind, tuple[int, int]]] = {
    "root": _SLOW,
    "bundle": _SLOW,
    "channel": _SLOW,
    "operator": _QUICK,
}
"""Passes and bytes of Argon2id for a new key: 0.7 s and 256 MiB, or 0.1 s and 64 MiB on a laptop in
the field."""

_FIRST_LINE: Final = "haetae public key 1"


class PublicKey(NamedTuple):
    """What a `NAME.pub` says."""

    kind: Kind
    name: str
    public: bytes


class _Sealed(Struct, frozen=True, kw_only=True):
    format: Literal[1]
    kind: Kind
    name: Word
    public: Public
    salt: Annotated[bytes, Meta(min_length=16, max_length=16)]
    ops: Annotated[int, Meta(ge=1, le=pwhash.argon2id.OPSLIMIT_SENSITIVE)]
    memory: Annotated[int, Meta(ge=8192, le=pwhash.argon2id.MEMLIMIT_SENSITIVE)]
    sealed: Annotated[bytes, Meta(max_length=256)]


def make_key(path: Path, kind: Kind, name: str, passphrase: bytes) -> bytes:
    """Make a key pair: `path` for its owner alone, and `.pub` beside it for everybody.

    Args:
        path: ends in `.key`; neither file may be there.
        kind: what it will be used for.
        name: a word for people.
        passphrase: that opens the file again; what is lost with it cannot be got back.

    Returns:
        The public key.

    Raises:
        Refused: "argument".
        FileExistsError: a file is there; nothing is ever overwritten.
        OSError: it cannot be written.
    """
    if path.suffix != ".key":
        raise Refused("argument", f"{path.name}: the file of a private key ends in .key")
    seed = utils.random(SEED_BYTES)
    public, salt = public_of(seed), utils.random(pwhash.argon2id.SALTBYTES)
    ops, memory = COSTS[kind]
    sealed = _box(passphrase, salt, ops, memory).encrypt(seed)
    file = _Sealed(
        format=1, kind=kind, name=name, public=public, salt=salt, ops=ops, memory=memory,
        sealed=bytes(sealed),
    )  # fmt: skip
    data = wire.pack(msgspec.to_builtins(file, builtin_types=(bytes,)))
    _parse(data)
    beside = path.with_suffix(".pub")
    write_new(beside, public_text(PublicKey(kind, name, public)).encode(), 0o644)
    try:
        write_new(path, data, 0o600)
    except OSError:
        beside.unlink()
        raise
    return public


def open_key(path: Path, passphrase: bytes) -> bytes:
    """The private key in a `.key`, its seed.

    Raises:
        Refused: "malformed", "too_long" or "passphrase".
        OSError: it cannot be read.
    """
    file = _read(path)
    try:
        seed = _box(passphrase, file.salt, file.ops, file.memory).decrypt(file.sealed)
    except CryptoError as error:
        raise Refused("passphrase", f"{path}: wrong passphrase") from error
    if len(seed) != SEED_BYTES or public_of(seed) != file.public:
        raise Refused("malformed", f"{path}: its private and public key do not belong together")
    return seed


def read_public(path: Path) -> PublicKey:
    """The public key in a `.pub`, or in a `.key` without opening it.

    Raises:
        Refused: "malformed", "too_long" or "newer_format".
        OSError: it cannot be read.
    """
    if path.suffix == ".key":
        file = _read(path)
        return PublicKey(file.kind, file.name, file.public)
    return parse_public(_limited(path), path.name)


def public_text(key: PublicKey) -> str:
    """As it lies in a `.pub`."""
    id_ = key_id(key.public).hex()
    fields = f"kind: {key.kind}\nname: {key.name}\npublic: {key.public.hex()}\nid: {id_}\n"
    return f"{_FIRST_LINE}\n{fields}"


def parse_public(data: bytes, what: str) -> PublicKey:
    """Read the text of a `.pub`.

    Raises:
        Refused: "malformed" or "newer_format".
    """
    text = data.decode("ascii", "replace").replace("\r\n", "\n")
    first, _, rest = text.partition("\n")
    if first.startswith(_FIRST_LINE[:-1]) and first != _FIRST_LINE:
        raise Refused("newer_format", f"{what}: {first!r}; known: {_FIRST_LINE!r}")
    fields = dict(line.split(": ", 1) for line in rest.splitlines() if ": " in line)
    try:
        public = bytes.fromhex(fields.get("public", ""))
        raw = {"kind": fields.get("kind"), "name": fields.get("name"), "public": public}
        checked = msgspec.convert(raw, _Public)
    except ValueError as error:  # msgspec.ValidationError is one
        raise Refused("malformed", f"{what}: no public key: {error}") from error
    if first != _FIRST_LINE or fields.get("id") != key_id(public).hex():
        raise Refused("malformed", f"{what}: no public key: its id is another, or it is damaged")
    return PublicKey(checked.kind, checked.name, checked.public)


def add_passphrase_option(parser: argparse.ArgumentParser, what: str = "the key") -> None:
    """`--passphrase-file`; HAETAE_PASSPHRASE_FILE stands for it."""
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        default=os.environ.get("HAETAE_PASSPHRASE_FILE"),
        help=f"its first line is the passphrase of {what}; without it you are asked",
    )


def ask_passphrase(file: Path | None, what: str, is_new: bool = False) -> bytes:
    """A passphrase: the first line of a file, or asked for without being shown.

    Args:
        file: None to ask.
        what: whose, for the prompt.
        is_new: asked for twice.

    Raises:
        Refused: "passphrase": empty, or two different ones.
        OSError: the file cannot be read.
    """
    if file is not None:
        phrase = _limited(file, MAX_PASSPHRASE_BYTES).split(b"\n")[0].rstrip(b"\r")
    else:
        phrase = _ask(f"Passphrase for {what}: ")
        if is_new and _ask("Once more: ") != phrase:
            raise Refused("passphrase", "these were two different ones")
    if not phrase:
        raise Refused("passphrase", "an empty passphrase protects nothing")
    return phrase


def _ask(prompt: str) -> bytes:
    try:
        return getpass.getpass(prompt).encode()
    except EOFError as error:
        raise Refused("passphrase", "nobody is there to ask; give --passphrase-file") from error


def write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that is not there yet, and have it on the disk.

    Raises:
        FileExistsError: it is there.
        OSError: it cannot be written; nothing is left of it.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(fd, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        path.unlink()
        raise


class _Public(Struct, frozen=True, kw_only=True):
    kind: Kind
    name: Word
    public: Public


def _limited(path: Path, most: int = MAX_KEY_FILE_BYTES) -> bytes:
    with path.open("rb") as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise Refused("too_long", f"{path}: more than {most} bytes")
    return data


def _read(path: Path) -> _Sealed:
    try:
        return _parse(_limited(path))
    except Refused as refused:
        raise Refused(refused.reason, f"{path}: {refused.detail}") from refused


def _parse(data: bytes) -> _Sealed:
    try:
        return msgspec.convert(wire.unpack(data, MAX_KEY_FILE_BYTES, "private key"), _Sealed)
    except msgspec.ValidationError as error:
        raise Refused("malformed", f"no private key: {error}") from error


def _box(passphrase: bytes, salt: bytes, ops: int, memory: int) -> SecretBox:
    return SecretBox(pwhash.argon2id.kdf(SecretBox.KEY_SIZE, passphrase, salt, ops, memory))
