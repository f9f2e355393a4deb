"""A GPIO chip by its label: numbers of chips change with the kernel, labels do not.

`gpiodetect` prints them in brackets: "gpio3", "pinctrl-rp1", "30240000.gpio".
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

DEVICES = Path("/dev")


def chip_path(name: str, open_chip: Callable[[str], Any], devices: Path = DEVICES) -> str:
    """The device file of a chip.

    Args:
        name: a device file, given back as it is, or a label.
        open_chip: `gpiod.Chip`.
        devices: where the device files are.

    Raises:
        FileNotFoundError: no chip has this label; the text says which there are.
    """
    if name.startswith("/"):
        return name
    labels: dict[str, str] = {}
    for path in _chips(devices):
        try:
            chip = open_chip(path)
        except (OSError, ValueError):  # of another user, or no chip at all
            continue
        labels.setdefault(str(chip.get_info().label), path)
        chip.close()
    if name in labels:
        return labels[name]
    text = f"no chip is labelled {name!r}; there are: {', '.join(sorted(labels)) or 'none'}"
    raise FileNotFoundError(errno.ENOENT, text)


def _chips(devices: Path) -> Iterable[str]:
    """In the order of their numbers; links are other names of a chip."""
    found = [path for path in devices.glob("gpiochip[0-9]*") if not path.is_symlink()]
    return [os.fspath(path) for path in sorted(found, key=_number)]


def _number(path: Path) -> int:
    digits = path.name.removeprefix("gpiochip")
    return int(digits) if digits.isdecimal() else 0
