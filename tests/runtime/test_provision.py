"""`haetae provision`: once, all or nothing, all mistakes at once; and the camera is that unit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from drivers import durable
from drivers.board import load_board
from drivers.toml_strict import ConfigErrors
from drivers.update_config import UpdatesConfig
from runtime import cli
from runtime.provision import Provision, read_identity, take_on, write_provision
from runtime.provision_cli import ARGUMENTS, DONE, REFUSED, STORAGE, provision
from tests.file_cuts import FileCuts
from tests.ota import vendor
from tests.places import REPOSITORY

SITE = REPOSITORY / "board_configs/site/zone_whole_view.toml"
GIVEN = Provision("cam-0017", "sim", b"ring " * 100, b"site " * 100)


@pytest.fixture
def board_file(tmp_path: Path) -> Path:
    """The simulated board, with its journal in a folder of the test."""
    text = (REPOSITORY / "board_configs/sim.toml").read_text()
    file = tmp_path / "board.toml"
    file.write_text(text.replace("build/journal.ring", str(tmp_path / "unit/journal.ring")))
    return file


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    file = tmp_path / "ring-1.ring"
    file.write_bytes(vendor.ring(1))
    return file


def words(board: Path, ring: Path, *more: str, device: str = "cam-0017") -> list[str]:
    return ["--board", str(board), "--id", device, "--ring", str(ring), "--site", str(SITE), *more]


def test_a_unit_gets_its_name_its_keys_and_its_site(board_file, ring, tmp_path, capsys):
    assert provision(words(board_file, ring)) == DONE
    folder = tmp_path / "unit"
    assert sorted(path.name for path in folder.iterdir()) == [
        "device.toml",
        "ring.bin",
        "site.toml",
    ]
    assert (folder / "ring.bin").read_bytes() == ring.read_bytes()
    assert (folder / "site.toml").read_bytes() == SITE.read_bytes()
    assert "cam-0017, board sim" in capsys.readouterr().out


def test_a_provisioned_unit_is_never_changed(board_file, ring, tmp_path, capsys):
    provision(words(board_file, ring))
    before = {path: path.read_bytes() for path in (tmp_path / "unit").iterdir()}
    assert provision(words(board_file, ring, device="cam-0018")) == REFUSED
    assert "once and for all" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (tmp_path / "unit").iterdir()} == before


def test_show_tells_what_a_unit_was_given(board_file, ring, tmp_path, capsys):
    assert provision(["--show", "--board", str(board_file)]) == REFUSED
    assert "has not been provisioned" in capsys.readouterr().err
    provision(words(board_file, ring))
    capsys.readouterr()
    assert provision(["--show", "--json", "--folder", str(tmp_path / "unit")]) == DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["device"], told["board"], told["ring"]) == (True, "cam-0017", "sim", 1)


@pytest.mark.parametrize("name", ["ring.bin", "site.toml"])
def test_show_finds_a_file_that_was_changed(board_file, ring, tmp_path, capsys, name):
    provision(words(board_file, ring))
    with (tmp_path / "unit" / name).open("ab") as file:
        file.write(b"#")
    assert provision(["--show", "--board", str(board_file)]) == STORAGE
    assert name in capsys.readouterr().err


def test_all_mistakes_are_told_at_once_and_nothing_is_written(board_file, tmp_path, capsys):
    site, unsigned = tmp_path / "site.toml", tmp_path / "unsigned.ring"
    site.write_text('format = 1\nname = "x"\nunits = "furlong"\nrules = []\n')
    unsigned.write_bytes(vendor.ring(1, signed_by=("root 1",)))
    line = ["--board", str(board_file), "--id", "a b", "--ring", str(unsigned), "--site", str(site)]
    assert provision(line) == ARGUMENTS
    told = capsys.readouterr().err
    assert "--id" in told
    assert "not signed by enough root keys" in told
    assert "units" in told
    assert not (tmp_path / "unit").exists()


def test_what_is_missing_is_told_at_once(capsys):
    assert provision([]) == ARGUMENTS
    told = capsys.readouterr().err
    assert all(f"--{name}: is missing" in told for name in ("board", "id", "ring", "site"))


def test_a_ring_of_another_product_is_refused(board_file, ring, tmp_path, capsys):
    with board_file.open("a") as file:
        file.write(f'[updates]\npath = "{tmp_path}/slots"\nring = "-"\nproduct = "kettle"\n')
    assert provision(words(board_file, ring)) == ARGUMENTS
    assert "must be 'kettle'" in capsys.readouterr().err


def test_a_folder_that_takes_nothing_leaves_the_unit_unprovisioned(
    board_file, ring, tmp_path, capsys
):
    file = tmp_path / "file"
    file.write_text("")
    assert provision([*words(board_file, ring), "--folder", str(file / "unit")]) == STORAGE
    assert "is not provisioned" in capsys.readouterr().err


def cuts(folder: Path, work: Path, monkeypatch) -> int:
    """Provision with a power cut after each step; returns how many states were looked at."""
    heard = FileCuts(folder)
    folder.mkdir()
    with monkeypatch.context() as patch:
        heard.listen(patch)
        write_provision(folder, GIVEN)
    seen = 0
    for done in range(len(heard.steps) + 1):
        for state in heard.states(done):
            place = work / f"{done}-{seen}"
            place.mkdir(parents=True)
            for name, content in state.items():
                (place / name).write_bytes(content)
            check_after_cut(place, is_done=done == len(heard.steps))
            seen += 1
    return seen


def check_after_cut(folder: Path, is_done: bool) -> None:
    """Provisioned with everything, or not at all; then it can be done."""
    identity = read_identity(folder)
    assert identity is not None or not is_done, "told as done, and gone"
    if identity is None:
        identity = write_provision(folder, GIVEN)
    assert identity.device == GIVEN.device
    assert (folder / "ring.bin").read_bytes() == GIVEN.ring
    assert (folder / "site.toml").read_bytes() == GIVEN.site


def test_a_power_cut_leaves_a_unit_provisioned_or_not(tmp_path, monkeypatch):
    assert cuts(tmp_path / "unit", tmp_path / "states", monkeypatch) >= 5


def test_the_cuts_catch_a_name_that_is_given_before_its_file_is_durable(tmp_path, monkeypatch):
    def careless(path: Path, data: bytes) -> None:
        beside = path.with_name(path.name + ".new")
        beside.write_bytes(data)
        beside.replace(path)
        durable.sync_folder(path.parent)

    monkeypatch.setattr("runtime.provision.write_file", careless)
    with pytest.raises((AssertionError, ConfigErrors)):
        cuts(tmp_path / "unit", tmp_path / "states", monkeypatch)


def test_the_cuts_catch_a_folder_that_is_not_synced(tmp_path, monkeypatch):
    monkeypatch.setattr(durable, "sync_folder", lambda folder: None)
    with pytest.raises(AssertionError):
        cuts(tmp_path / "unit", tmp_path / "states", monkeypatch)


def test_the_name_comes_last(tmp_path, monkeypatch):
    folder = tmp_path / "unit"
    folder.mkdir()
    heard = FileCuts(folder)
    heard.listen(monkeypatch)
    write_provision(folder, GIVEN)
    names = [step.name for step in heard.steps]
    assert names[-1] == "device.toml"
    assert heard.order[-1] == "sync folder"
    assert len([one for one in heard.order if one.startswith("sync ")]) == 6


def test_the_camera_is_the_unit(board_file, ring, tmp_path):
    provision(words(board_file, ring))
    updates = UpdatesConfig(path=str(tmp_path / "slots"), ring="elsewhere", device="camera")
    board = replace(load_board(board_file), updates=updates)
    taken, site = take_on(board, None)
    assert taken.updates is not None
    assert taken.updates.device == "cam-0017"
    assert taken.updates.ring == str(tmp_path / "unit/ring.bin")
    assert site == str(tmp_path / "unit/site.toml")
    assert take_on(board, "mine.toml")[1] == "mine.toml"


def test_the_camera_does_not_start_without_a_site(board_file, capsys):
    assert cli.run(["--board", str(board_file)]) == cli.REFUSED_CONFIG
    assert "haetae provision" in capsys.readouterr().err


def test_a_spoilt_name_is_told(board_file, ring, tmp_path, capsys):
    provision(words(board_file, ring))
    (tmp_path / "unit/device.toml").write_text('format = 1\ndevice = ""\n')
    assert cli.run(["--board", str(board_file)]) == cli.REFUSED_CONFIG
    told = capsys.readouterr().err
    assert "device" in told
    assert "ring_sha256" in told
