"""A whole image as one signed file for RAUC: what slot a of an image holds, for either slot.

The bundle is of RAUC's "verity" format: a squashfs whose blocks the camera's kernel checks as they
are read (rauc.readthedocs.io, "Bundle formats"). Boot state, data and the boot script stay.
"""

from __future__ import annotations

import configparser
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ota.image.gpt import Part, partitions
from ota.image.tools import run_tool
from ota.refusal import Refused

WANTED: Final = ("boot_a", "root_a")
_SQUASHFS: Final = b"hsqs"
_SIZE_AT, _BLOCK_BYTES = 40, 4096
"""Of a squashfs super block: where its length stands; what file systems are padded to."""
_COPY_BYTES: Final = 1 << 20
_MANIFEST: Final = """\
[update]
compatible={compatible}
version={version}

[bundle]
format=verity

[image.rootfs]
filename=rootfs.img

[image.bootfiles]
filename=bootfiles.img
"""


@dataclass(frozen=True)
class Signer:
    """Who signs.

    Attributes:
        certificate, key: PEM files, or PKCS #11 URIs, as RAUC takes them.
        authority: certificate that the cameras hold; None: the bundle is not checked afterwards.
    """

    certificate: str
    key: str
    authority: Path | None = None


def build_bundle(image: Path, out: Path, version: str, signer: Signer) -> str:
    """Make the bundle of an image.

    Args:
        image: as `haetae image build` makes it.
        out: must not be there.
        version: for people, and for `rauc info`.
        signer: keys.

    Returns:
        What the bundle says it is compatible with.

    Raises:
        Refused: "malformed": no such image; "unavailable": a program is missing or failed.
        FileExistsError: `out` is there.
        OSError: a file cannot be read or written.
    """
    if out.exists():
        raise FileExistsError(17, "is there already", str(out))
    parts = partitions(image)
    missing = [name for name in WANTED if name not in parts]
    if missing:
        raise Refused("malformed", f"{image}: has no partition {', '.join(missing)}")
    with tempfile.TemporaryDirectory(dir=out.resolve().parent, prefix=".bundle-") as folder:
        content = Path(folder) / "content"
        content.mkdir()
        root = content / "rootfs.img"
        copy_part(image, squashfs_part(image, parts["root_a"]), root)
        copy_part(image, parts["boot_a"], content / "bootfiles.img")
        name = compatible_of(root)
        manifest = _MANIFEST.format(compatible=name, version=version)
        (content / "manifest.raucm").write_text(manifest)
        made = Path(folder) / "made.raucb"
        keys = (f"--cert={signer.certificate}", f"--key={signer.key}")
        run_tool("rauc", "bundle", *keys, content, made)
        if signer.authority is not None:
            run_tool("rauc", "info", f"--keyring={signer.authority}", made)
        shutil.move(made, out)
    return name


def squashfs_part(image: Path, part: Part) -> Part:
    """The part of a partition that its squashfs fills. Raises Refused "malformed"."""
    with image.open("rb") as file:
        file.seek(part.at)
        block = file.read(96)
    size = int.from_bytes(block[_SIZE_AT : _SIZE_AT + 8], "little")
    size += -size % _BLOCK_BYTES
    if not block.startswith(_SQUASHFS) or not 0 < size <= part.size:
        raise Refused("malformed", f"{image}: root_a holds no squashfs")
    return Part(part.at, size)


def copy_part(image: Path, part: Part, target: Path) -> None:
    """Copy a part of an image to a file of its own."""
    with image.open("rb") as source, target.open("wb") as copy:
        source.seek(part.at)
        left = part.size
        while left:
            data = source.read(min(left, _COPY_BYTES))
            if not data:
                raise Refused("truncated", f"{image} ends within its partitions")
            copy.write(data)
            left -= len(data)


def compatible_of(root: Path) -> str:
    """What the RAUC configuration inside a root says. Raises Refused "malformed"."""
    parser = configparser.ConfigParser()
    try:
        parser.read_string(run_tool("unsquashfs", "-cat", root, "etc/rauc/system.conf"))
        return parser["system"]["compatible"]
    except (configparser.Error, KeyError) as error:
        raise Refused("malformed", f"its /etc/rauc/system.conf: {error}") from error
