"""The script with which U-Boot chooses a slot: text for `mkimage -T script`.

It lies alone in partition `boot`, and no update writes there: what it reads and writes has to stay
as `ota.image.boot_state` says.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

from ota.image.boot_state import COPIES_AT, NAMES, SECTOR_BYTES, TEXT_BYTES, TRIES

_WORD: Final = re.compile(r"[A-Za-z0-9_.,=:/@+-]+")


def boot_script(console: str, extra: str = "") -> str:
    """The text of boot.cmd for one board.

    Args:
        console: of the kernel, "ttyAMA0,115200".
        extra: more words for the kernel's command line.

    Raises:
        ValueError: a word that U-Boot's shell would not pass on as it stands.
    """
    for word in (console, *extra.split()):
        if not _WORD.fullmatch(word):
            raise ValueError(f"{word!r}: a word of the kernel's command line is {_WORD.pattern}")
    text = files("ota.image").joinpath("boot.cmd").read_text()
    values = {
        "CONSOLE": console,
        "EXTRA": " ".join(extra.split()),
        "NAMES": " ".join(NAMES),
        "TRIES": f"{TRIES:x}",
        "TEXT_BYTES": f"{TEXT_BYTES:x}",
        "SECTOR_BYTES": f"{SECTOR_BYTES:x}",
        "FIRST_BLOCK": f"{COPIES_AT[0] // SECTOR_BYTES:x}",
        "SECOND_BLOCK": f"{COPIES_AT[1] // SECTOR_BYTES:x}",
    }
    return re.sub(r"@([A-Z_]+)@", lambda found: values[found[1]], text)
