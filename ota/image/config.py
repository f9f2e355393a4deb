"""The image file of a board: what `haetae image build` needs to know besides the board file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from drivers.toml_strict import Check, Complaint, ConfigErrors, Mistake, load_strict

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+$", max_length=64)]
FOLDER: Final = Path(__file__).parents[2] / "board_configs"


class BoardImage(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole image file."""

    format: Literal[1]
    kernel: Literal["debian", "vendor"]
    """debian: linux-image-arm64 with an initrd of ours; vendor: given on the command line."""
    console: Annotated[str, Meta(pattern=r"^tty[A-Za-z0-9]+(,[0-9]+)?$")]
    """Where kernel and systemd write; nobody can log in there."""
    arguments: list[str] = []
    """More words for the kernel's command line."""
    initrd_modules: list[Name] = []
    """Of Debian's kernel: what finding and mounting the root takes."""
    modules: list[Name] = []
    """Of Debian's kernel: what goes into the root, with what these need."""
    load: list[Name] = []
    """Modules that no device asks for by itself."""
    module_options: dict[str, str] = {}
    vendor_needs: list[Literal["kernel", "dtb", "bootloader"]] = []
    """Options without which there is no image of this board."""
    vendor_help: str = ""
    """What to give for them, and where it comes from."""
    unsupported: str = ""
    """Why there is no image of this board at all."""


def _load(loaded: list[str]) -> Iterator[Complaint]:
    for number, name in enumerate(loaded):
        if loaded.count(name) > 1:
            yield f"load[{number}]", name, "must be named once"


def _vendor(kernel: str, needs: list[str]) -> Iterator[Complaint]:
    if kernel == "vendor" and "kernel" not in needs:
        yield "vendor_needs", needs, 'must hold "kernel", as kernel = "vendor"'


CHECKS: Final = (Check(("load",), _load), Check(("kernel", "vendor_needs"), _vendor))


def find_board(board: str) -> Path:
    """The board file of a name or a path.

    Raises:
        ConfigErrors: there is no such board; the message names those that are shipped.
    """
    path = Path(board) if board.endswith(".toml") else FOLDER / f"{board}.toml"
    if path.is_file():
        return path
    shipped = ", ".join(sorted(file.stem for file in (FOLDER / "image").glob("*.toml")))
    allowed = f"must be a board file, or one of {shipped}"
    raise ConfigErrors([Mistake("--board", "board", board, allowed)])


def load_image_file(board_file: Path, name: str) -> BoardImage:
    """The image file: in the folder `image` beside the board file, or the shipped one of its name.

    Raises:
        ConfigErrors: every mistake in it, or that there is none.
    """
    beside = board_file.parent / "image" / board_file.name
    shipped = FOLDER / "image" / f"{name}.toml"
    return load_strict(beside if beside.is_file() else shipped, BoardImage, CHECKS)
