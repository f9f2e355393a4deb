"""A small image that the real tools made: it passes, and every kind of damage is found."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from drivers.board import load_board
from ota.image import root_check
from ota.image.boot_state import SECTOR_BYTES
from ota.image.build import Vendor, assemble
from ota.image.cli import image as image_command
from ota.image.config import BoardImage, find_board
from ota.image.gpt import partitions
from ota.image.layout import MIB, Blob
from ota.image.reproduce import compare
from ota.image.root import OVERLAY, Product, Release, make_plain, pack_root
from ota.image.tools import missing_packages
from ota.image.units import arrange_units
from ota.image.verify import verify_image

MISSING = missing_packages()
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
BOARD = "qemu-virt-arm64"
SETTINGS = BoardImage(format=1, kernel="vendor", console="ttyAMA0", vendor_needs=["kernel"])
SUPERBLOCK, MOUNT_COUNT = 1024, 0x34
"""Of ext4, bytes."""
LOCKED = "root:!*:19000:0:99999:7:::\nnobody:!*:19000:0:99999:7:::\n"
SECRET = (
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIKcdRkOpLVgDrv\n-----END PRIVATE KEY-----\n"
)


def product() -> Product:
    board_file = find_board(BOARD)
    site = board_file.parent / "site/zone_whole_view.toml"
    return Product(load_board(board_file), board_file, SETTINGS, site, "1.2.3")


def tree(folder: Path) -> Path:
    """What `verify` looks at of a root, without Debian."""
    root = folder / "root"
    shutil.copytree(OVERLAY, root)
    made = product()
    arrange_units(root, made.board, made.image)
    release = Release(
        board=BOARD, version=made.version, soc="x", epoch_s=0, kernel="", packages=[], wheels=[]
    )
    files = {
        "etc/passwd": "root:x:0:0:root:/root:/usr/sbin/nologin\n",
        "etc/shadow": LOCKED,
        "etc/gshadow": "root:!*::\n",
        "etc/machine-id": "",
        "etc/haetae/board.toml": made.board_file.read_text(),
        "etc/haetae/release.json": msgspec.json.encode(release).decode(),
        "opt/haetae/bin/haetae": "#!/opt/haetae/bin/python3\n",
        "opt/haetae/big": "haetae\n" * 40_000,
        "usr/share/haetae/site.toml": made.site_file.read_text(),
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for name in ("var", "data", "root"):
        (root / name).mkdir()
    return root


def build(folder: Path, out: Path) -> Path:
    folder.mkdir()
    kernel, loader = folder / "Image", folder / "loader"
    kernel.write_bytes((bytes(56) + b"ARM\x64").ljust(100_000, b"k"))
    loader.write_bytes(b"loader" * 1000)
    root = tree(folder)
    make_plain(root)
    vendor = Vendor(kernel=kernel, loaders=[Blob(loader, 32 << 10)])
    assemble(product(), vendor, root, out, lambda _: None)
    return out


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    return build(folder / "work", folder / "cam.img")


@pytest.fixture
def copy(good, tmp_path) -> Path:
    """One to spoil."""
    made = tmp_path / "cam.img"
    subprocess.run(["cp", "--sparse=always", good, made], check=True)
    return made


def faults(image: Path, board: str = "") -> list[str]:
    return [f"{what}: {problem}" for what, problem in verify_image(image, board) if problem]


def flip(image: Path, part: str, offset: int) -> None:
    flip_at(image, partitions(image)[part].at + offset)


def flip_at(image: Path, at: int) -> None:
    with image.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 0x55]))


def test_a_good_image_has_no_fault(good):
    assert faults(good, BOARD) == []


def test_two_builds_are_the_same_to_the_byte(good, tmp_path):
    again = build(tmp_path / "work", tmp_path / "again.img")
    assert compare(good, again) == []
    flip(again, "root_b", 5000)
    assert compare(good, again) == ["root_b"]


def test_the_loader_is_at_its_place(good):
    with good.open("rb") as file:
        file.seek(32 << 10)
        assert file.read(6) == b"loader"


@pytest.mark.parametrize(
    ("part", "offset"),
    [
        ("boot", 20_000),  # the script itself, after the tables of the vfat
        ("misc", 10),
        ("misc", MIB // 2 + SECTOR_BYTES - 1),
        ("boot_a", 90_000),
        ("boot_b", 150_000),
        ("root_a", 0),
        ("root_a", 3000),
        ("root_b", 200),
        ("data", 1024 + 56),
    ],
)
def test_one_flipped_byte_is_found(copy, part, offset):
    at = partitions(copy)[part].at
    if part.startswith("boot"):
        offset = content_at(copy, at, offset)
    flip(copy, part, offset)
    assert faults(copy) != []


def content_at(image: Path, at: int, least: int) -> int:
    """An offset in a vfat behind its tables where there is something."""
    with image.open("rb") as file:
        file.seek(at + least)
        block = file.read(8 * MIB)
    return least + next(number for number, byte in enumerate(block) if byte)


@pytest.mark.parametrize("at", [512 + 20, 1024 + 5, -512 + 17])
def test_a_flipped_byte_in_either_partition_table_is_found(copy, at):
    flip_at(copy, at if at > 0 else copy.stat().st_size + at)
    assert faults(copy) != []


def test_a_superblock_of_data_that_is_half_old_and_half_new_is_no_loss(copy):
    """As a power cut at a mount leaves it: a new count of mounts, in a sector without its sum."""
    flip(copy, "data", SUPERBLOCK + MOUNT_COUNT)
    assert faults(copy) == []


def test_an_image_that_was_cut_off_is_refused(copy):
    with copy.open("r+b") as file:
        file.truncate(copy.stat().st_size // 2)
    assert "copy it again" in faults(copy)[0]


def test_another_board_is_refused(good):
    assert any("not for radxa-rock-5b" in fault for fault in faults(good, "radxa-rock-5b"))


def shadow(root: Path) -> None:
    (root / "etc/shadow").write_text("root:$6$salt$hash:19000:0:99999:7:::\n")


def no_password(root: Path) -> None:
    (root / "etc/shadow").write_text("root::19000:0:99999:7:::\n")


def ssh_key(root: Path) -> None:
    (root / "etc/ssh_host_ed25519_key").write_text("x")


def pem(root: Path) -> None:
    (root / "etc/haetae/vendor.txt").write_text(SECRET)


def machine(root: Path) -> None:
    (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")


def set_uid(root: Path) -> None:
    (root / "opt/haetae/bin/haetae").chmod(0o4755)


def open_to_all(root: Path) -> None:
    (root / "etc/fstab").chmod(0o666)


def shell(root: Path) -> None:
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")


def lazy_mount(root: Path) -> None:
    (root / "etc/fstab").write_text("PARTLABEL=data /data ext4 nodev,nosuid 0 2\n")


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (shadow, "etc/shadow: root"),
        (no_password, "etc/shadow: root"),
        (ssh_key, "etc/ssh_host_ed25519_key"),
        (pem, "etc/haetae/vendor.txt"),
        (machine, "etc/machine-id"),
        (set_uid, "/opt/haetae/bin/haetae -rwsr-xr-x"),
        (open_to_all, "/etc/fstab -rw-rw-rw-"),
        (shell, "root has a shell"),
        (lazy_mount, "noauto_da_alloc is missing"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_must_not_be_in_a_root_is_found(tmp_path, spoil, complaint):
    assert any(complaint in fault for fault in look_at(tmp_path, spoil))


def look_at(folder: Path, spoil) -> list[str]:
    root = tree(folder)
    make_plain(root)
    spoil(root)
    packed = folder / "root.squashfs"
    pack_root(root, packed)
    return [fault for _, found in root_check.look(root, packed) for fault in found]


def test_a_program_that_only_looks_for_keys_is_no_key(tmp_path):
    def name_only(root: Path) -> None:
        (root / "etc/haetae/x.py").write_text('MARK = "-----BEGIN PRIVATE KEY-----"\n')

    assert look_at(tmp_path, name_only) == []


def test_the_command_says_whether_it_can_be_flashed(good, copy, capsys):
    assert image_command(["verify", str(good), "--board", BOARD]) == 0
    assert "can be flashed" in capsys.readouterr().out
    flip(copy, "root_a", 3000)
    assert image_command(["verify", str(copy)]) == 1
    assert "do not flash it" in capsys.readouterr().out


def test_no_image_at_all(tmp_path, capsys):
    file = tmp_path / "cam.img"
    file.write_bytes(bytes(4096))
    assert image_command(["verify", str(file)]) == 1
    assert image_command(["verify", str(tmp_path / "none.img")]) == 2
