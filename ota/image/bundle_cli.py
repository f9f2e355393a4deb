"""`haetae image bundle`: a whole image as one signed file for `rauc install`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from ota.image.bundle import Signer, build_bundle

ABOUT: Final = """Make a signed RAUC bundle of an image: the root and the boot files of its slot a,
for whichever slot of a camera does not run. On the camera: rauc install FILE, then restart."""


def add_bundle(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a parser's."""
    parser = commands.add_parser(
        "bundle", help="a signed update of a whole image", description=ABOUT
    )
    parser.add_argument("--image", type=Path, required=True, help="as `haetae image build` made it")
    parser.add_argument("--cert", required=True, help="certificate of the signer, PEM or PKCS #11")
    parser.add_argument("--key", required=True, help="its private key, PEM or PKCS #11")
    parser.add_argument("--ca", type=Path, help="check the bundle as cameras with this one do")
    parser.add_argument("--version", default="0", help="of the image, for people; %(default)s")
    parser.add_argument("--out", type=Path, required=True, help="the bundle, .raucb")
    parser.set_defaults(run=_bundle)


def _bundle(arguments: argparse.Namespace) -> None:
    signer = Signer(arguments.cert, arguments.key, arguments.ca)
    name = build_bundle(arguments.image, arguments.out, arguments.version, signer)
    size_mb = arguments.out.stat().st_size / 1e6
    print(f"{arguments.out}: {size_mb:.1f} MB for {name}, version {arguments.version}")
    print("next: copy it to the camera, `rauc install FILE`, and restart it")
