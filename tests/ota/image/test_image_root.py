"""What a root is put together of: accounts, units, modules, an initrd, pinned wheels."""

from __future__ import annotations

import gzip
import re
import tomllib
from configparser import RawConfigParser
from pathlib import Path

import pytest
from msgspec.structs import replace
from packaging.requirements import Requirement

from drivers.board import load_board
from ota.image import accounts, kernel, stick, units
from ota.image.config import find_board, load_image_file
from ota.image.root import OVERLAY
from ota.refusal import Refused
from tests.places import REPOSITORY

NAME = "qemu-virt-arm64"
IMAGE = REPOSITORY / "ota/image"
VERSION = "6.1.0-1-arm64"
DEPENDS = {
    "kernel/fs/squashfs/squashfs.ko": [],
    "kernel/drivers/virtio_ring.ko": [],
    "kernel/drivers/virtio.ko": ["kernel/drivers/virtio_ring.ko"],
    "kernel/drivers/virtio_blk.ko": [
        "kernel/drivers/virtio.ko",
        "kernel/drivers/virtio_ring.ko",
    ],
}


@pytest.fixture
def tree(tmp_path) -> Path:
    """A kernel's files as a package brings them, after depmod."""
    modules = tmp_path / "kernel" / kernel.MODULES / VERSION
    for name in DEPENDS:
        (modules / name).parent.mkdir(parents=True, exist_ok=True)
        (modules / name).write_bytes(name.encode())
    table = [f"{name}: {' '.join(needs)}" for name, needs in DEPENDS.items()]
    (modules / "modules.dep").write_text("\n".join(table) + "\n")
    (modules / "modules.builtin").write_text("kernel/crypto/sha256_generic.ko\n")
    (tmp_path / "kernel/boot").mkdir()
    (tmp_path / f"kernel/boot/vmlinuz-{VERSION}").write_bytes(b"k")
    (tmp_path / "root/usr/bin").mkdir(parents=True)
    (tmp_path / "root/usr/bin/busybox").write_bytes(b"busybox")
    return tmp_path


def settings(**changes):
    return replace(load_image_file(find_board(NAME), NAME), **changes)


def unpacked(initrd: Path) -> dict[str, tuple[int, bytes]]:
    """Name -> mode and content of a newc archive, as the kernel reads it."""
    archive, at, found = gzip.decompress(initrd.read_bytes()), 0, {}
    while True:
        assert archive[at : at + 6] == b"070701"
        fields = [int(archive[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = archive[at + 110 : at + 110 + name_size - 1].decode()
        start = at + -(-(110 + name_size) // 4) * 4
        if name == "TRAILER!!!":
            return found
        found[name] = (mode, archive[start : start + size])
        at = start + -(-size // 4) * 4


def test_the_initrd_loads_modules_after_what_they_need(tree):
    image = settings(initrd_modules=["virtio_blk", "squashfs"])
    kernel.make_initrd(tree / "kernel", tree / "root", image, tree / "initrd")
    found = unpacked(tree / "initrd")
    order = found["modules/order"][1].decode().split()
    assert order == ["virtio_ring.ko", "virtio.ko", "virtio_blk.ko", "squashfs.ko"]
    assert all(f"modules/{name}" in found for name in order)
    assert found["init"] == (0o100755, kernel.INIT.read_bytes())
    assert found["bin/busybox"] == (0o100755, b"busybox")


def test_two_initrds_are_the_same(tree):
    image = settings(initrd_modules=["squashfs"])
    for name in ("one", "other"):
        kernel.make_initrd(tree / "kernel", tree / "root", image, tree / name)
    assert (tree / "one").read_bytes() == (tree / "other").read_bytes()


def test_what_is_built_into_the_kernel_needs_no_file(tree):
    image = settings(initrd_modules=["sha256_generic", "squashfs"])
    kernel.make_initrd(tree / "kernel", tree / "root", image, tree / "initrd")
    assert unpacked(tree / "initrd")["modules/order"][1] == b"squashfs.ko\n"


def test_a_module_that_does_not_exist_is_refused(tree):
    with pytest.raises(Refused, match="no module vivd"):
        kernel.make_initrd(
            tree / "kernel", tree / "root", settings(initrd_modules=["vivd"]), tree / "initrd"
        )


def test_the_initrd_script_restarts_where_anything_fails():
    """A restart is one try less: so a broken root ends in the other slot."""
    script = kernel.INIT.read_text()
    assert re.search(r"fail\(\) \{[^}]*reboot -f", script)
    for step in ("mount -t squashfs", "-x /newroot/usr/lib/systemd/systemd"):
        line = next(line for line in script.splitlines() if step in line)
        assert "|| fail" in line


def test_nobody_has_a_password_or_a_shell(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "usr/share/base-passwd").mkdir(parents=True)
    base = "root:*:0:\ntty:*:5:\nvideo:*:44:\ndialout:*:20:\ninput:*:101:\n"
    (tmp_path / "usr/share/base-passwd/group.master").write_text(base)
    accounts.write_accounts(tmp_path)
    read = {
        name: [line.split(":") for line in (tmp_path / "etc" / name).read_text().splitlines()]
        for name in ("passwd", "shadow", "group", "gshadow")
    }
    assert all(fields[1] == accounts.LOCKED for fields in read["shadow"] + read["gshadow"])
    assert all(fields[6] == accounts.NO_LOGIN for fields in read["passwd"])
    assert {fields[0] for fields in read["passwd"]} == {fields[0] for fields in read["shadow"]}
    numbers = [fields[2] for fields in read["group"]]
    assert len(set(numbers)) == len(numbers)
    assert {"video", "dialout", "haetae", "render"} <= {fields[0] for fields in read["group"]}


def arranged(tmp_path: Path, driver: str) -> Path:
    board = load_board(find_board(NAME))
    board = replace(board, watchdog=replace(board.watchdog, driver=driver, timeout_ms=4000))
    units.arrange_units(tmp_path, board, settings())
    return tmp_path / "etc/systemd"


@pytest.mark.parametrize("driver", ["linux", "systemd"])
def test_systemd_waits_no_longer_than_the_board_file_says(tmp_path, driver):
    system = arranged(tmp_path, driver)
    text = (system / "system/haetae.service.d/10-board.conf").read_text()
    assert "WatchdogSec=4000ms" in text
    feeds = (system / "system.conf.d/10-board.conf").is_file()
    assert feeds == (driver == "systemd"), "only one may feed the board's watchdog"


def test_the_camera_starts_and_no_login_does(tmp_path):
    system = arranged(tmp_path, "linux") / "system"
    wanted = system / "multi-user.target.wants/haetae.service"
    assert str(wanted.readlink()) == "/etc/systemd/system/haetae.service"
    for unit in ("getty.target", "serial-getty@.service", "debug-shell.service"):
        assert str((system / unit).readlink()) == "/dev/null"
    assert (tmp_path / "etc/modules-load.d/haetae.conf").read_text() == "i6300esb\nvivid\n"


def unit(name: str) -> RawConfigParser:
    parser = RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read(OVERLAY / "etc/systemd/system" / name)
    return parser


def test_the_unit_of_the_camera():
    service = unit("haetae.service")["Service"]
    assert service["Type"] == "notify"
    assert service["LimitMEMLOCK"] == "infinity"
    assert service["Restart"] == "always"
    assert service["User"] == "haetae" and service["CapabilityBoundingSet"] == ""
    assert service["ProtectSystem"] == "strict" and service["ReadWritePaths"] == "/data/haetae"
    assert "/data/haetae/site.toml" in service["ExecStart"]


def test_a_stick_is_taken_by_itself():
    rule = (OVERLAY / "etc/udev/rules.d/90-haetae-stick.rules").read_text()
    assert 'ENV{ID_BUS}=="usb"' in rule and "haetae-stick@%k.service" in rule
    service = unit("haetae-stick@.service")["Service"]
    assert service["ExecStart"] == "/usr/bin/haetae-boot stick /dev/%I"
    assert service["Type"] == "exec", "students are on trial for days; no start may take so long"


def test_what_reads_bundles_from_a_stick_owns_nothing():
    carry = unit("haetae-carry@.service")
    program = (
        f"/opt/haetae/bin/haetae ota carry --link unix:/run/haetae/link --usb {stick.PLACE}/%i"
    )
    assert carry["Service"]["ExecStart"].startswith(program)
    assert stick.CARRY.format("%k") == "haetae-carry@%k.service"
    assert carry["Unit"]["BindsTo"] == carry["Unit"]["After"] == "dev-%i.device"
    service = carry["Service"]
    assert service["User"] in {user[0] for user in accounts.USERS} - {"root", "haetae"}
    assert service["Group"] == "haetae", "which may write to the camera's socket"
    assert service["InaccessiblePaths"] == "/data" and service["CapabilityBoundingSet"] == ""


def test_data_is_mounted_so_that_a_missing_fsync_shows():
    lines = [line.split() for line in (OVERLAY / "etc/fstab").read_text().splitlines()]
    data = next(words for words in lines if words[1] == "/data")
    assert {"noauto_da_alloc", "nodev", "nosuid"} <= set(data[3].split(","))


def pinned(name: str) -> dict[str, str]:
    """Requirement -> its sum."""
    text = (IMAGE / name).read_text()
    return dict(re.findall(r"^(\S+==\S+) \\\n    --hash=sha256:([0-9a-f]{64})$", text, re.M))


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-rknn.txt"])
def test_every_wheel_is_pinned_by_its_sum(name):
    text = (IMAGE / name).read_text()
    wanted = [line for line in text.splitlines() if line[:1].isalpha()]
    assert len(pinned(name)) == len(wanted) > 0


def test_what_the_runtime_depends_on_is_in_the_image():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    versions = dict(line.lower().split("==") for line in pinned("requirements.txt"))
    for text in (*project["dependencies"], *extras["net"], *extras["modbus"], *extras["delta"]):
        wanted = Requirement(text)
        assert wanted.specifier.contains(versions[wanted.name.lower()]), text
