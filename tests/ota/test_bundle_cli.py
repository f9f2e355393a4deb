"""`haetae ota build | sign | inspect | verify | golden`, as people and scripts call it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from models.package import STUDENTS, find_package
from ota import cli, key_files
from ota.bundle import BundleFile
from ota.cli import ota
from ota.key_ring import body_bytes, ring_bytes
from ota.keys import DOMAIN_RING, parse_signatures, sign
from ota.manifest import GOLDEN_FILE
from sim.board.students import make
from tests.models.training.test_rknn_header import TOLD
from tests.models.training.test_rknn_header import made as rknn
from tests.ota import vendor

SET = ("ppe_s", "skeleton_s", "action_xs")
VALUES = ("--product", vendor.PRODUCT, "--version", "1.3.0", "--release", "13", "--counter", "4")


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with two bundle keys, a ring that needs both, and a signed bundle."""
    folder = tmp_path_factory.mktemp("office")
    (folder / "phrase").write_text("correct horse\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_files, "COSTS", dict.fromkeys(key_files.KINDS, (1, 8192)))
        keys = []
        for name in ("rel-1", "rel-2"):
            public = key_files.make_key(folder / f"{name}.key", "bundle", name, b"correct horse")
            keys.append(vendor.Key(public=public, name=name))
        key_files.make_key(folder / "kim.key", "operator", "kim", b"correct horse")
    body = vendor.body(1, bundle_keys=())
    body = body_bytes(vendor.Body(**{
        **{name: getattr(body, name) for name in body.__struct_fields__},
        "bundle_keys": keys, "bundle_threshold": 2,
    }))  # fmt: skip
    signatures = [sign(vendor.seed(name), DOMAIN_RING, body) for name in vendor.ROOTS[:2]]
    (folder / "1.ring").write_bytes(ring_bytes(body, signatures))
    (folder / "draft.ring").write_bytes(ring_bytes(body, signatures[:1]))
    ring = ("--ring", str(folder / "1.ring"))
    assert ota(["build", *SET, *VALUES, *ring, "--out", str(folder / "a.bundle")]) == 0
    for name in ("rel-1", "rel-2"):
        assert ota(["sign", str(folder / "a.bundle"), *key(folder, name)]) == 0
    return folder


def key(folder: Path, name: str) -> list[str]:
    return ["--key", str(folder / f"{name}.key"), "--passphrase-file", str(folder / "phrase")]


@pytest.fixture
def bundle(place, tmp_path) -> Path:
    """A copy of the signed bundle."""
    return Path(shutil.copyfile(place / "a.bundle", tmp_path / "a.bundle"))


def verified(capsys, *arguments: str) -> tuple[int, dict[str, list[str]]]:
    """Exit code of `verify`, and the results by check."""
    capsys.readouterr()
    code = ota(["verify", *arguments, "--json"])
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] == (code == 0)
    found: dict[str, list[str]] = {}
    for check in said["checks"]:
        found.setdefault(check["name"], []).append(check["result"])
    return code, found


def test_the_same_packages_give_the_same_file(place, tmp_path, capsys):
    for name in ("1", "2"):
        arguments = ["build", *SET[:: 1 if name == "1" else -1], *VALUES]
        assert ota([*arguments, "--out", str(tmp_path / name), "--json"]) == 0
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    with BundleFile(tmp_path / "1") as bundle:
        made = json.loads(capsys.readouterr().out.splitlines()[0])
        assert made["digest"] == bundle.head.digest.hex()
        assert made["bytes"] == bundle.size
        assert [one["loaded"] for one in made["packages"]] == [["tflite"]] * 3


def test_a_camera_would_take_what_was_built_and_signed(place, bundle, capsys):
    code, checks = verified(capsys, str(bundle), "--ring", str(place / "1.ring"))
    assert code == 0
    assert checks["signature"] == checks["chunk"] == ["ok"]
    assert checks["student"] == ["ok"] * 3
    assert checks["board"] == checks["counter"] == ["not asked"]


@pytest.mark.parametrize(
    ("facts", "refused"),
    [
        (["--product", "other"], "product"),
        (["--target", "rk3588"], "target"),
        (["--runtime", "0.0.9"], "runtime"),
        (["--floor", "5"], "counter"),
        (["--release", "14"], "older"),
        (["--slot-bytes", "1000000"], "size"),
        (["--memory-mb", "5"], "memory"),
    ],
)
def test_a_fact_about_the_camera_is_judged(place, bundle, capsys, facts, refused):
    code, checks = verified(capsys, str(bundle), "--ring", str(place / "1.ring"), *facts)
    assert code == 1
    assert checks[refused] == ["refused"]
    others = [result for name, found in checks.items() if name != refused for result in found]
    assert "refused" not in others or refused == "target"


def test_a_cameras_status_tells_whether_it_would_take_it(place, bundle, tmp_path, capsys):
    status = tmp_path / "status.json"
    asked = [str(bundle), "--ring", str(place / "1.ring"), "--camera", str(status)]
    told = {"product": vendor.PRODUCT, "board": "sim", "runtime": "0.1.0", "floor": 5}
    status.write_text(json.dumps(told | {"students": {"release": 3, "digest": ""}}))
    code, checks = verified(capsys, *asked)
    assert (code, checks["board"], checks["counter"]) == (1, ["ok"], ["refused"])
    assert verified(capsys, *asked, "--floor", "4")[0] == 0
    for junk in ("", "[]", "{}", '{"students": {"digest": "xy"}}'):
        status.write_text(junk)
        assert ota(["verify", *asked]) == 1
        assert capsys.readouterr().err.startswith("malformed: ")


def test_one_of_two_signatures_is_too_few(place, tmp_path, capsys):
    path = tmp_path / "b.bundle"
    assert ota(["build", *SET, *VALUES, "--out", str(path), *key(place, "rel-1")]) == 0
    code, checks = verified(capsys, str(path), "--ring", str(place / "1.ring"))
    assert (code, checks["signature"]) == (1, ["refused"])
    detached = str(tmp_path / "2.sig")
    before = path.read_bytes()
    assert ota(["sign", str(path), *key(place, "rel-2"), "--detached", detached]) == 0
    assert path.read_bytes() == before
    assert ota(["sign", str(path), "--attach", detached]) == 0
    assert verified(capsys, str(path), "--ring", str(place / "1.ring"))[0] == 0


def test_nobody_to_ask_for_a_passphrase_is_told(place, bundle, capsys, monkeypatch):
    def ask(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", ask)
    assert ota(["sign", str(bundle), "--key", str(place / "rel-1.key")]) == 1
    assert "--passphrase-file" in capsys.readouterr().err


def test_signing_twice_with_one_key_is_one_signature(place, bundle):
    before = bundle.read_bytes()
    assert ota(["sign", str(bundle), *key(place, "rel-1")]) == 0
    assert bundle.read_bytes() == before
    with BundleFile(bundle) as opened:
        assert len(parse_signatures(opened.head.signatures)) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "--key or --attach"),
        (["--key", "kim.key", "--passphrase-file", "phrase"], 2, "operator key"),
        (["--key", "rel-1.key", "--passphrase-file", "rel-1.pub"], 1, "passphrase"),
        (["--attach", "phrase"], 1, "malformed"),
        (["--attach", "phrase", "--detached", "x.sig"], 2, "--detached"),
        (["--attach", "nowhere.sig"], 2, "No such file"),
    ],
)
def test_a_wrong_way_to_sign_is_told_and_changes_nothing(
    place, bundle, capsys, arguments, code, words
):
    before = bundle.read_bytes()
    placed = [one if one.startswith("--") else str(place / one) for one in arguments]
    assert ota(["sign", str(bundle), *placed]) == code
    assert words in capsys.readouterr().err
    assert bundle.read_bytes() == before


def test_a_changed_network_is_told(place, bundle, capsys):
    data = bytearray(bundle.read_bytes())
    data[-100_000] ^= 1
    bundle.write_bytes(data)
    code, checks = verified(capsys, str(bundle), "--ring", str(place / "1.ring"))
    assert (code, checks["chunk"], checks["signature"]) == (1, ["refused"], ["ok"])


def test_what_is_in_it_is_printed(bundle, capsys):
    assert ota(["inspect", str(bundle)]) == 0
    text = capsys.readouterr().out
    assert "ppe_s_int8.tflite" in text and "release      13" in text
    assert ota(["inspect", str(bundle), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["counter"] == 4 and len(said["files"]) == 9 and said["rings"] == [1]


def package_for_two(folder: Path, source: Path, platform: str = "rk3588") -> Path:
    """A shipped package with a second file, for another NPU."""
    shutil.copytree(source, folder)
    content = rknn(TOLD | {"target_platform": [platform]}, bytes(5000))
    (folder / "other.rknn").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    with (folder / "model.toml").open("a") as file:
        file.write(f'\n[[targets]]\nnpu = "rk3588"\nfile = "other.rknn"\nsha256 = "{digest}"\n')
        file.write(f"bytes = {len(content)}\n")
    return folder


def test_several_targets_in_one_bundle(place, tmp_path, capsys):
    folders = [str(package_for_two(tmp_path / name, find_package(name))) for name in SET]
    out = str(tmp_path / "two.bundle")
    assert ota(["build", *folders, *VALUES, "--out", out, "--json", *key(place, "rel-1")]) == 0
    made = json.loads(capsys.readouterr().out)
    assert set(made["targets"]) == {"tflite", "rk3588"}
    assert made["targets"]["rk3588"] < 120_000 < made["targets"]["tflite"]
    assert [one["unseen"] for one in made["packages"]] == [["rk3588"]] * 3
    assert ota(["build", *folders, *VALUES, "--out", out, "--target", "tflite", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["targets"]) == {"tflite"}


def test_a_network_compiled_for_another_soc_is_not_built(tmp_path, capsys):
    folder = package_for_two(tmp_path / "two", find_package("ppe_s"), platform="rk3566")
    assert ota(["build", str(folder), *VALUES, "--out", str(tmp_path / "x")]) == 1
    assert "is for rk3566, not for rk3588" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("packages", "changes", "reason"),
    [
        (SET[:2], [], "student"),
        ((*SET, "ppe_s"), [], "student"),
        (SET, ["--target", "rk3588"], "student"),
        (SET, ["--min-runtime", "99.0.0"], "runtime"),
        (SET, ["--release", "0"], "malformed"),
        (SET, ["--version", "two words"], "malformed"),
        (SET, ["--ring", "draft.ring"], "ring_signature"),
        (SET, ["--ring", "1.ring", "--product", "other"], "product"),
        (SET, ["--base", "phrase"], "truncated"),
        (("nowhere",), [], "student"),
    ],
)
def test_what_no_camera_would_take_is_not_built(place, tmp_path, capsys, packages, changes, reason):
    placed = [str(place / one) if (place / one).is_file() else one for one in changes]
    out = tmp_path / "x.bundle"
    assert ota(["build", *packages, *VALUES, "--out", str(out), *placed]) == 1
    assert capsys.readouterr().err.startswith(f"{reason}: ")
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_the_ring_does_not_know_signs_nothing(place, tmp_path, capsys):
    ring = ["--ring", str(place / "1.ring"), "--out", str(tmp_path / "x")]
    assert ota(["build", *SET, *VALUES, *ring, *key(place, "kim")]) == 1
    assert "no bundle key of key ring 1" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_no_runtime_loads_is_not_built(tmp_path, capsys):
    bad = str(make("nan", tmp_path / "bad"))
    assert ota(["build", bad, *VALUES, "--out", str(tmp_path / "x")]) == 1
    assert "scale nan" in capsys.readouterr().err


def test_golden_inputs_stay_in_the_package_and_are_asked_again(tmp_path, capsys):
    folder = Path(shutil.copytree(STUDENTS / "ppe_s", tmp_path / "ppe_s"))
    assert ota(["golden", str(folder)]) == 0
    before = (folder / GOLDEN_FILE).read_bytes()
    assert ota(["golden", str(folder)]) == 0
    assert (folder / GOLDEN_FILE).read_bytes() == before
    bad = make("blind", tmp_path / "bad", folder)
    shutil.copyfile(folder / GOLDEN_FILE, bad / GOLDEN_FILE)
    capsys.readouterr()
    assert ota(["build", str(bad), *VALUES, "--out", str(tmp_path / "x")]) == 1
    assert capsys.readouterr().err.startswith("golden: ")


def test_a_delta_is_small_and_verified_against_its_base(place, tmp_path, capsys):
    changed = str(make("good", tmp_path / "good"))
    out, base = str(tmp_path / "delta.bundle"), str(place / "a.bundle")
    made = ["build", changed, *SET[1:], *VALUES[:4], "--release", "14", "--counter", "4"]
    assert ota([*made, "--base", base, "--out", out]) == 0
    for name in ("rel-1", "rel-2"):
        assert ota(["sign", out, *key(place, name)]) == 0
    assert Path(out).stat().st_size < 0.05 * Path(base).stat().st_size
    ring = ("--ring", str(place / "1.ring"))
    code, checks = verified(capsys, out, *ring, "--base", base)
    assert (code, checks["chunk"], checks["student"]) == (0, ["ok"], ["ok"] * 3)
    code, checks = verified(capsys, out, *ring)
    assert (code, checks["chunk"]) == (0, ["not asked"])
    code, checks = verified(capsys, out, *ring, "--base", out)
    assert (code, checks["base"]) == (1, ["not asked", "refused"])
    code, checks = verified(capsys, out, *ring, "--digest", "00" * 32)
    assert (code, checks["base"]) == (1, ["refused"])


def test_help_and_a_wrong_word(capsys):
    assert ota(["verify", "a", "--ring", "b", "--digest", "xy"]) == 2
    capsys.readouterr()
    assert ota(["--help"]) == 0
    assert "exit codes" in capsys.readouterr().out
    assert ota(["frobnicate"]) == 2


def test_other_rooms_commands_are_found_when_asked_for(monkeypatch):
    monkeypatch.setitem(cli.ELSEWHERE, "push", (f"{__name__}:pushed", ""))
    assert ota(["push", "a.bundle", "--link", "unix:/x"]) == 42


def test_what_runs_on_a_camera_does_not_bring_the_office():
    """`haetae ota carry` is a small process beside the runtime."""
    asked = [sys.executable, "-c", "import sys, ota.cli; print(*sys.modules)"]
    loaded = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    assert not {"cv2", "numpy", "ota.build_cli"} & set(loaded)


def pushed(argv: list[str]) -> int:
    assert argv == ["a.bundle", "--link", "unix:/x"]
    return 42
