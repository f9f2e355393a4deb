"""What the root needs for whole-image updates: RAUC's configuration and the proof of a new image.

RAUC reads /etc/rauc/system.conf (rauc.readthedocs.io, "Reference"); `haetae-boot` is its boot
loader. Its key ring holds the vendor's public certificate: of the image, or provisioned on /data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ota.image.boot_state import SLOTS

RING: Final = "/etc/rauc/ca.pem"
"""The vendor's public certificate, where it is part of the image."""
PROVISIONED_RING: Final = "/data/haetae/image-ca.pem"
"""Where it is not: put there by the vendor's line."""
PYTHON: Final = "/opt/haetae/bin/python3"
PROVE_S: Final = 300
"""A new image has so long, from its boot, to judge pictures; then the camera restarts."""

_SYSTEM: Final = """\
[system]
compatible={compatible}
bootloader=custom
bundle-formats=-plain
mountprefix=/run/rauc
statusfile=/data/haetae/rauc.status

[handlers]
bootloader-custom-backend=/usr/bin/haetae-boot

# A camera may have no clock: a certificate is judged at the time when the bundle was signed.
[keyring]
path={ring}
use-bundle-signing-time=true
"""
_SLOT: Final = """
[slot.rootfs.{number}]
device=/dev/disk/by-partlabel/root_{slot}
type=raw
bootname={slot}

[slot.bootfiles.{number}]
device=/dev/disk/by-partlabel/boot_{slot}
type=raw
parent=rootfs.{number}
"""
_BOOT: Final = f"""\
#!/bin/sh
# Which slot boots; see haetae-boot --help.
exec {PYTHON} -m ota.image.boot_cli "$@"
"""
_GOOD: Final = f"""\
[Unit]
Description=Keeps a new image once the camera is well with it; else restarts, back to the one before
ConditionKernelCommandLine=haetae.slot
After=local-fs.target
FailureAction=reboot

[Service]
Type=exec
ExecStart=/usr/bin/haetae-boot prove --link unix:/run/haetae/link --within-s {PROVE_S}
StandardOutput=journal+console
StandardError=journal+console
Environment=PYTHONDONTWRITEBYTECODE=1

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True)
class RootFile:
    """A file or link of the root.

    Attributes:
        path: without a leading slash.
        data: of a file.
        mode: of a file.
        link: where a symbolic link leads; "": it is a file.
    """

    path: str
    data: bytes = b""
    mode: int = 0o644
    link: str = ""


def compatible(board: str) -> str:
    """What bundles for a board have to say: a bundle of another one is refused."""
    return f"haetae-{board}"


def system_conf(board: str, is_ring_inside: bool) -> str:
    """RAUC's configuration.

    Args:
        board: its name.
        is_ring_inside: the certificate is part of the image, else provisioned.
    """
    head = _SYSTEM.format(
        compatible=compatible(board), ring=RING if is_ring_inside else PROVISIONED_RING
    )
    return head + "".join(
        _SLOT.format(number=number, slot=slot) for number, slot in enumerate(SLOTS)
    )


def root_files(board: str, certificate: bytes | None) -> list[RootFile]:
    """All files.

    Args:
        board: its name.
        certificate: PEM, public: the vendor's own authority for images; None: provisioned.

    Raises:
        ValueError: it is no certificate, or holds a private key.
    """
    unit = "haetae-good.service"
    files = [
        RootFile("etc/rauc/system.conf", system_conf(board, certificate is not None).encode()),
        RootFile("usr/bin/haetae-boot", _BOOT.encode(), 0o755),
        RootFile(f"etc/systemd/system/{unit}", _GOOD.encode()),
        RootFile(f"etc/systemd/system/multi-user.target.wants/{unit}", link=f"../{unit}"),
    ]
    if certificate is not None:
        if b"PRIVATE KEY" in certificate:
            raise ValueError("it holds a private key: give the certificate alone")
        if b"-----BEGIN CERTIFICATE-----" not in certificate:
            raise ValueError("it is no certificate in PEM form")
        files.append(RootFile(RING.lstrip("/"), certificate))
    return files
