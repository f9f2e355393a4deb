"""Who there is on a camera: root, who cannot log in, and the programs' own accounts."""

from __future__ import annotations

from pathlib import Path
from typing import Final

NO_LOGIN: Final = "/usr/sbin/nologin"
USERS: Final = (
    ("root", 0, 0, "/root"),
    ("daemon", 1, 1, "/usr/sbin"),
    ("messagebus", 900, 900, "/nonexistent"),
    ("systemd-network", 901, 901, "/"),
    ("haetae", 990, 990, "/nonexistent"),
    ("haetae-carry", 991, 990, "/nonexistent"),
    ("nobody", 65534, 65534, "/nonexistent"),
)
"""Name, user id, group id, home. Names that the distribution's programs look up, and ours."""
GROUPS: Final = {
    "messagebus": 900,
    "systemd-network": 901,
    "systemd-journal": 902,
    "render": 903,
    "kvm": 904,
    "input": 905,
    "sgx": 906,
    "haetae": 990,
}
"""Beside those of Debian's base, which have the devices' groups."""
LOCKED: Final = "!*"
"""A password that nobody has: crypt(5)."""


def write_accounts(root: Path) -> None:
    """Write /etc/passwd, group, shadow and gshadow; no account has a password."""
    base = (root / "usr/share/base-passwd/group.master").read_text().splitlines()
    groups = [line for line in base if line.split(":")[0] not in GROUPS]
    groups += [f"{name}:x:{number}:" for name, number in GROUPS.items()]
    names = [line.split(":")[0] for line in groups]
    etc = root / "etc"
    _write(etc / "group", [":".join([n.split(":")[0], "x", n.split(":")[2], ""]) for n in groups])
    _write(etc / "gshadow", [f"{name}:{LOCKED}::" for name in names])
    _write(etc / "passwd", [f"{n}:x:{u}:{g}:{n}:{home}:{NO_LOGIN}" for n, u, g, home in USERS])
    _write(etc / "shadow", [f"{name}:{LOCKED}:19000:0:99999:7:::" for name, *_ in USERS])


def _write(file: Path, lines: list[str]) -> None:
    file.write_text("\n".join(lines) + "\n")
