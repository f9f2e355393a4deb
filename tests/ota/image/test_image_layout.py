"""Where things lie on the flash, and what an image file may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.board import load_board
from drivers.toml_strict import ConfigErrors, load_strict
from ota.image.build import Vendor, check_vendor
from ota.image.config import CHECKS, FOLDER, BoardImage, find_board, load_image_file
from ota.image.layout import (
    FIRST_MIB,
    MIB,
    PARTITIONS,
    Blob,
    check_blobs,
    genimage_config,
    identifier,
    parse_blob,
)
from ota.refusal import Refused

SHIPPED = sorted(file.stem for file in (FOLDER / "image").glob("*.toml"))
REAL = [name for name in SHIPPED if name != "qemu-virt-arm64"]


def test_the_partitions_are_those_that_boot_script_and_updates_know():
    names = [each.name for each in PARTITIONS]
    assert names == ["boot", "misc", "boot_a", "boot_b", "root_a", "root_b", "data"]


def test_only_data_may_grow():
    """systemd-repart finds it by its type, so no other one may have that."""
    kinds = [each.kind for each in PARTITIONS]
    assert kinds.count(kinds[-1]) == 1


def test_the_same_board_gives_the_same_identifiers():
    assert genimage_config("a", ()) == genimage_config("a", ())
    assert identifier("a", "data") != identifier("b", "data")


def test_identifiers_are_all_different():
    config = genimage_config("a", ())
    found = [line for line in config.splitlines() if "partition-uuid" in line]
    assert len(set(found)) == len(PARTITIONS)


@pytest.mark.parametrize(
    ("text", "offset"),
    [("u-boot.itb@8M", 8 * MIB), ("a@b@32K", 32 << 10), ("x@0x8000", 0x8000), ("x@512", 512)],
)
def test_a_loader_has_a_place(text, offset):
    blob = parse_blob(text)
    assert blob.offset == offset and str(blob.file) == text.rpartition("@")[0]


@pytest.mark.parametrize("text", ["u-boot.itb", "@8M", "x@", "x@8G", "x@-1", "x@8 M"])
def test_a_loader_without_one_is_refused(text):
    with pytest.raises(Refused, match="FILE@OFFSET"):
        parse_blob(text)


@pytest.mark.parametrize(
    ("places", "complaint"),
    [
        ([0], "partition table"),
        ([33 * 512], "partition table"),
        ([32 << 10, (32 << 10) + 99], "lies on"),
        ([FIRST_MIB * MIB - 50], "beyond"),
    ],
)
def test_loaders_may_lie_on_nothing(tmp_path, places, complaint):
    blobs = []
    for number, place in enumerate(places):
        file = tmp_path / f"loader{number}"
        file.write_bytes(bytes(100))
        blobs.append(Blob(file, place))
    with pytest.raises(Refused, match=complaint):
        check_blobs(blobs)


def test_loaders_side_by_side_are_fine(tmp_path):
    file = tmp_path / "loader"
    file.write_bytes(bytes(100))
    check_blobs([Blob(file, 8 * MIB), Blob(file, 32 << 10), Blob(file, (32 << 10) + 100)])


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_image_file_is_of_a_shipped_board(name):
    board_file = find_board(name)
    assert load_board(board_file).name == name
    load_image_file(board_file, name)


@pytest.mark.parametrize("name", REAL)
def test_a_real_board_needs_its_vendor(name):
    """What was not given is named, with what it is; nobody pretends."""
    image = load_image_file(find_board(name), name)
    with pytest.raises(Refused, match=f"image for {name}") as refused:
        check_vendor(image, Vendor(), name)
    wanted = [image.unsupported] if image.unsupported else ["--kernel", "--dtb", "--bootloader"]
    assert all(
        " ".join(word.split()) in " ".join(str(refused.value.detail).split()) for word in wanted
    )


def test_files_that_are_not_there_are_all_named():
    image = load_image_file(find_board("qemu-virt-arm64"), "qemu-virt-arm64")
    with pytest.raises(Refused, match=r"nokernel, noblob"):
        check_vendor(image, Vendor(kernel=Path("nokernel"), loaders=[Blob(Path("noblob"), 0)]), "x")


def test_an_unknown_board_is_told_which_there_are():
    with pytest.raises(ConfigErrors, match="radxa-rock-5b"):
        find_board("radxa")


def test_all_mistakes_of_an_image_file_at_once(tmp_path):
    file = tmp_path / "board.toml"
    file.write_text(
        'format = 1\nkernel = "vendor"\nconsole = "COM1"\nload = ["vivid", "vivid"]\nmodule = []\n'
    )
    with pytest.raises(ConfigErrors) as errors:
        load_strict(file, BoardImage, CHECKS)
    keys = {mistake.key for mistake in errors.value.mistakes}
    assert keys >= {"console", "load[0]", "module", "vendor_needs"}
