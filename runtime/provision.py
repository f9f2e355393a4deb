"""What a unit is given once, on the line: its name, the vendor's key ring, the site it starts with.

Three files lie in the folder of the journal. `device.toml` is written last and says what the other
two must be: where it is, the unit is provisioned; where a power cut left it out, it is not, and the
whole is done again. `haetae run` takes all three on.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

from msgspec import UNSET, Meta, Struct
from msgspec.structs import replace

from drivers.board import Board
from drivers.durable import make_folders, write_file
from drivers.toml_strict import ConfigErrors, Mistake, load_strict
from drivers.update_config import Word

DEVICE_FILE, RING_FILE, SITE_FILE = "device.toml", "ring.bin", "site.toml"
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
NO_SITE: Final = "must be named, or the unit provisioned: haetae provision --help"


class Identity(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`device.toml`: a unit's own name, and what it was provisioned with."""

    format: Literal[1]
    device: Word
    """Operators sign their commands for it."""
    board: str
    """Name of the board file that it was provisioned for."""
    ring_sha256: Digest
    site_sha256: Digest


class AlreadyProvisioned(Exception):
    """This unit has a name; it gets no other one."""


class Provision(NamedTuple):
    """What a unit is given.

    Attributes:
        device: its name.
        board: name of its board.
        ring, site: both files; whoever calls has checked them.
    """

    device: str
    board: str
    ring: bytes
    site: bytes


def unit_folder(board: Board) -> Path:
    """Where the unit's own files lie: beside its journal."""
    return Path(board.storage.path).parent


def read_identity(folder: Path) -> Identity | None:
    """Who this unit is; None where it has not been provisioned.

    Raises:
        ConfigErrors: `device.toml` was spoilt by hand.
    """
    path = folder / DEVICE_FILE
    return load_strict(path, Identity) if path.exists() else None


def damage(folder: Path, identity: Identity) -> list[str]:
    """Files that are no longer those that the unit was provisioned with."""
    wanted = {RING_FILE: identity.ring_sha256, SITE_FILE: identity.site_sha256}
    return [name for name, digest in wanted.items() if _digest_of(folder / name) != digest]


def write_provision(folder: Path, given: Provision) -> Identity:
    """Provision a unit, once; durable on return, all of it or nothing.

    Args:
        folder: of the unit; made where it is missing.
        given: checked.

    Raises:
        AlreadyProvisioned: nothing was changed.
        OSError: it cannot be written, and the unit is not provisioned.
    """
    make_folders(folder)
    with _alone(folder):
        if (folder / DEVICE_FILE).exists():
            raise AlreadyProvisioned(str(folder / DEVICE_FILE))
        ring_sha256, site_sha256 = _digest(given.ring), _digest(given.site)
        identity = Identity(
            format=1, device=given.device, board=given.board,
            ring_sha256=ring_sha256, site_sha256=site_sha256,
        )  # fmt: skip
        write_file(folder / RING_FILE, given.ring)
        write_file(folder / SITE_FILE, given.site)
        write_file(folder / DEVICE_FILE, _text(identity).encode())
    return identity


def take_on(board: Board, site_file: str | None) -> tuple[Board, str]:
    """The board as this very unit, and the site file that it runs by.

    Args:
        board: as its file says.
        site_file: of the command line; None: the one that the unit was provisioned with.

    Raises:
        ConfigErrors: no site file, or a spoilt `device.toml`.
    """
    folder = unit_folder(board)
    identity = read_identity(folder)
    if identity is None:
        if site_file is None:
            raise ConfigErrors([Mistake("", "--site", UNSET, NO_SITE)])
        return board, site_file
    if board.updates is not None:
        ring = str(folder / RING_FILE)
        updates = replace(board.updates, device=identity.device, ring=ring)
        board = replace(board, updates=updates)
    return board, str(folder / SITE_FILE) if site_file is None else site_file


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two lines that provision one unit do so one after the other; the second is refused."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _text(identity: Identity) -> str:
    names = Identity.__struct_fields__
    lines = [f"{name} = {_quoted(getattr(identity, name))}" for name in names]
    return "# Written once by `haetae provision`.\n" + "\n".join(lines) + "\n"


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest_of(path: Path) -> str:
    try:
        return _digest(path.read_bytes())
    except OSError:
        return ""
