"""The bundle of an image, RAUC's configuration, the boot script: what needs no camera."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ota.image.boot_script import boot_script
from ota.image.bundle import Signer, build_bundle
from ota.image.gpt import partitions
from ota.image.rauc_files import compatible, root_files
from ota.refusal import Refused

MIB = 1 << 20
CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
LAYOUT = """label: gpt
size=1MiB, name=misc
size=1MiB, name=boot_a
size=2MiB, name=root_a
"""
needs_sfdisk = pytest.mark.skipif(not shutil.which("sfdisk"), reason="no sfdisk")
needs_rauc = pytest.mark.skipif(
    not all(map(shutil.which, ("rauc", "mksquashfs", "unsquashfs", "sfdisk", "openssl"))),
    reason="no rauc, squashfs-tools or openssl",
)


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "cam.img"
    with path.open("wb") as file:
        file.truncate(6 * MIB)
    subprocess.run(["sfdisk", "-q", path], input=LAYOUT.encode(), check=True)
    return path


def put(image: Path, at: int, data: bytes) -> None:
    with image.open("r+b") as file:
        file.seek(at)
        file.write(data)


@needs_sfdisk
def test_partitions_are_found_by_name(image):
    assert partitions(image) == {
        "misc": (MIB, MIB),
        "boot_a": (2 * MIB, MIB),
        "root_a": (3 * MIB, 2 * MIB),
    }


@needs_sfdisk
@pytest.mark.parametrize("at", [512, 512 + 20, 512 + 40, 1024 + 56, 1024 + 300])
def test_a_damaged_table_is_refused(image, at):
    with image.open("rb") as file:
        file.seek(at)
        turned = bytes([file.read(1)[0] ^ 0x40])
    put(image, at, turned)
    with pytest.raises(Refused, match="malformed"):
        partitions(image)


def test_what_is_no_image_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"\0" * 100)
    with pytest.raises(Refused, match="no GUID partition table"):
        partitions(tmp_path / "x")


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    key, made = folder / f"{name}.key.pem", folder / f"{name}.cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9"]
    command += ["-subj", f"/CN={name}", "-keyout", str(key), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return made, key


@pytest.fixture
def full(image, tmp_path):
    """An image with a root that holds RAUC's configuration, and nothing else."""
    for file in root_files("sim", CERTIFICATE):
        if not file.link:
            path = tmp_path / "root" / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.data)
    (tmp_path / "root/more").write_bytes(os.urandom(20_000))
    command = ["mksquashfs", tmp_path / "root", tmp_path / "root.sqfs", "-quiet", "-no-progress"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    put(image, 3 * MIB, (tmp_path / "root.sqfs").read_bytes())
    put(image, 2 * MIB, b"kernel" * 100)
    return image


@needs_rauc
def test_a_bundle_of_an_image(full, tmp_path):
    cert, key = certificate(tmp_path, "vendor")
    out = tmp_path / "cam.raucb"
    name = build_bundle(full, out, "7", Signer(str(cert), str(key), cert))
    assert name == "haetae-sim" == compatible("sim")
    told = subprocess.run(
        ["rauc", "info", f"--keyring={cert}", out], check=True, capture_output=True, text=True
    ).stdout
    assert "'haetae-sim'" in told and "'7'" in told and "verity" in told.lower()
    assert "rootfs.img" in told and "bootfiles.img" in told
    with pytest.raises(FileExistsError):
        build_bundle(full, out, "8", Signer(str(cert), str(key)))


@needs_rauc
def test_a_bundle_that_its_own_cameras_would_refuse_is_not_made(full, tmp_path):
    cert, key = certificate(tmp_path, "vendor")
    other, _ = certificate(tmp_path, "other")
    with pytest.raises(Refused, match="rauc failed"):
        build_bundle(full, tmp_path / "out.raucb", "7", Signer(str(cert), str(key), other))
    assert not (tmp_path / "out.raucb").exists()
    assert not list(tmp_path.glob(".bundle-*"))


@needs_rauc
def test_an_image_without_a_root_is_refused(image, tmp_path):
    with pytest.raises(Refused, match="root_a holds no squashfs"):
        build_bundle(image, tmp_path / "out.raucb", "7", Signer("c", "k"))


def test_the_root_gets_the_certificate_or_a_place_for_it():
    inside = {file.path: file for file in root_files("sim", CERTIFICATE)}
    outside = {file.path: file for file in root_files("sim", None)}
    assert inside["etc/rauc/ca.pem"].data == CERTIFICATE
    assert "etc/rauc/ca.pem" not in outside
    assert b"path=/data/haetae/image-ca.pem\n" in outside["etc/rauc/system.conf"].data
    conf = inside["etc/rauc/system.conf"].data.decode()
    assert "compatible=haetae-sim\nbootloader=custom\n" in conf
    for line in ("root_a", "root_b", "boot_a", "boot_b"):
        assert f"device=/dev/disk/by-partlabel/{line}\n" in conf


@pytest.mark.parametrize("wrong", [b"", CERTIFICATE + b"-----BEGIN PRIVATE KEY-----\n"])
def test_no_secret_goes_into_an_image(wrong):
    with pytest.raises(ValueError):
        root_files("sim", wrong)


def test_the_boot_script_is_complete_and_says_no_board():
    text = boot_script("ttyAMA0,115200", "quiet  loglevel=4")
    assert "@" not in text
    assert "console=ttyAMA0,115200 root=PARTLABEL=root_${h_slot} ro" in text
    assert "quiet loglevel=4'" not in text and "quiet loglevel=4;" in text
    assert " gpt fsck.repair=yes " in text, "a power cut may tear the first copy of the table"
    code = [line for line in text.splitlines() if not line.startswith("#")]
    assert not any(word in line for line in code for word in ("virtio", "mmc"))
    assert max(map(len, code)) < 1024, "U-Boot's shell has a buffer (CONFIG_SYS_CBSIZE)"


@pytest.mark.parametrize("word", ["a;reset", "$(x)", "a'b", "", "#"])
def test_words_that_the_shell_would_change_are_refused(word):
    with pytest.raises(ValueError):
        boot_script(word)


def test_a_new_image_that_is_not_proved_restarts():
    files = {file.path: file for file in root_files("sim", None)}
    good = files["etc/systemd/system/haetae-good.service"].data.decode()
    assert "FailureAction=reboot" in good.split("[Service]")[0]
    assert "ExecStart=/usr/bin/haetae-boot prove --link unix:/run/haetae/link" in good
    wants = files["etc/systemd/system/multi-user.target.wants/haetae-good.service"]
    assert wants.link == "../haetae-good.service"
    assert files["usr/bin/haetae-boot"].mode == 0o755
