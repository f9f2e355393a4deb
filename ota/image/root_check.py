"""A root file system, looked at before it is flashed: nothing secret, nothing loose in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from ota.image.root import Release
from ota.image.tools import run_tool
from ota.refusal import Refused

WANTED: Final = (
    "etc/haetae/board.toml", "etc/fstab", "etc/systemd/system/haetae.service",
    "opt/haetae/bin/haetae", "usr/share/haetae/site.toml",
)  # fmt: skip
LOOSE: Final = re.compile(
    r"(^|/)(id_[a-z0-9]+|ssh_host_[a-z0-9_]+|authorized_keys|\.netrc|\.pgpass|credentials"
    r"|random-seed|device\.toml|ring\.bin|journal\.ring|[^/]+\.(key|p12|pfx|jks|ring))$"
)
"""Names of what belongs to one unit, one person or one vendor."""
_KEY: Final = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=:, -]{20}")
"""Followed by a key: programs that only look for one hold the first line alone."""
_PASSWORD: Final = re.compile(r"^[^:]+:(?![!*]+[^:$]*:)[^:]*:")
"""Of shadow(5): anything but a locked account, no password at all included."""
_MODE: Final = re.compile(
    r"^(?P<mode>[bcdlps-]\S{9}) (?P<owner>\d+/\d+)\s.*? squashfs-root(?P<path>/.*|)$"
)
_SCANNED_BYTES: Final = 1 << 20
"""Key files are small."""
NOT_FILES: Final = "bcps"


def unpack(root: Path, tree: Path) -> None:
    """Unpack a squashfs; owners do not matter. Raises Refused "malformed" where it is damaged."""
    try:
        run_tool("unsquashfs", "-no-progress", "-quiet", "-no-xattrs", "-d", tree, root)
    except Refused as refused:
        raise Refused("malformed", refused.detail) from refused


def read_release(tree: Path) -> Release:
    """What the image says that it is. Raises Refused "malformed"."""
    try:
        return msgspec.json.decode((tree / "etc/haetae/release.json").read_bytes(), type=Release)
    except (OSError, msgspec.MsgspecError) as error:
        raise Refused("malformed", f"etc/haetae/release.json: {error}") from error


def look(tree: Path, root: Path) -> Iterator[tuple[str, list[str]]]:
    """What was looked for, and what is wrong.

    Args:
        tree: the root, unpacked.
        root: the squashfs, which knows owners and permissions.
    """
    yield "its files are there", [name for name in WANTED if not (tree / name).exists()]
    yield "no keys", [*_loose(tree), *_keys(tree)]
    yield "no passwords, nobody can log in", _passwords(tree)
    yield "no identity of one machine", _identity(tree)
    yield "all is root's, nothing is set-uid or open to all", _modes(root)
    yield "data is mounted as it must be", _mount(tree)


def _files(tree: Path) -> Iterator[Path]:
    return (path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())


def _loose(tree: Path) -> list[str]:
    return sorted(n for p in _files(tree) if LOOSE.search(n := str(p.relative_to(tree))))


def _keys(tree: Path) -> list[str]:
    small = (path for path in _files(tree) if path.stat().st_size <= _SCANNED_BYTES)
    return sorted(str(p.relative_to(tree)) for p in small if _KEY.search(p.read_bytes()))


def _passwords(tree: Path) -> list[str]:
    found = []
    for name in ("etc/shadow", "etc/gshadow"):
        file = tree / name
        lines = file.read_text().splitlines() if file.is_file() else [":"]
        found += [f"{name}: {line.split(':')[0]}" for line in lines if _PASSWORD.match(line)]
    passwd = (tree / "etc/passwd").read_text().splitlines()
    found += [f"etc/passwd: {line}" for line in passwd if line.split(":")[1] != "x"]
    shells = (line.split(":") for line in passwd)
    return found + [f"etc/passwd: {s[0]} has a shell" for s in shells if "nologin" not in s[6]]


def _identity(tree: Path) -> list[str]:
    found = [] if (tree / "etc/machine-id").stat().st_size == 0 else ["etc/machine-id"]
    return found + [str(path) for path in (tree / "var").iterdir()]


def _modes(root: Path) -> list[str]:
    found = []
    for line in run_tool("unsquashfs", "-lln", root).splitlines():
        entry = _MODE.match(line)
        if entry is None:
            continue
        mode, owner, path = entry["mode"], entry["owner"], entry["path"] or "/"
        is_open = mode[0] != "l" and mode[8] == "w"
        if owner != "0/0" or mode[0] in NOT_FILES or set("sStT") & set(mode[3:]) or is_open:
            found.append(f"{path} {mode} {owner}")
    return found


def _mount(tree: Path) -> list[str]:
    lines = (line.split() for line in (tree / "etc/fstab").read_text().splitlines())
    options = next((set(w[3].split(",")) for w in lines if len(w) > 3 and w[1] == "/data"), set())
    wanted = ("noauto_da_alloc", "nodev", "nosuid")
    return [f"{word} is missing" for word in wanted if word not in options]
