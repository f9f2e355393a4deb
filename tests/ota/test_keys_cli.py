"""`haetae keys` as a vendor types it: day one, a leak, a lost root."""

from __future__ import annotations

import json
import shlex
import shutil

import pytest

from ota import key_files
from ota.key_ring import advance, trust_first
from ota.keys_cli import keys
from ota.run_cli import ARGUMENTS, OK, REFUSED
from ota.service import Rank


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A vendor's desk, with all keys on it; their costs are small."""
    monkeypatch.setattr(key_files, "COSTS", dict.fromkeys(key_files.KINDS, (1, 8192)))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "phrase").write_text("correct horse\n")
    return tmp_path


def new(name: str, kind: str) -> int:
    return keys(["new", name, "--kind", kind, "--passphrase-file", "phrase"])


def day_one() -> None:
    for number in (1, 2, 3):
        assert new(f"root-{number}", "root") == OK
    for name, kind in (("release-1", "bundle"), ("channel-1", "channel"), ("kim", "operator")):
        assert new(name, kind) == OK
    roots = [word for number in (1, 2, 3) for word in ("--root", f"root-{number}.pub")]
    more = ["--bundle", "release-1.pub", "--channel", "channel-1.pub", "--technician", "kim.pub"]
    assert keys(["ring", "new", "--product", "cam", *roots, *more, "--out", "ring-1.ring"]) == OK


def sign(ring: str, root: str, *more: str) -> int:
    words = ["--key", f"{root}.key", "--passphrase-file", "phrase", "--yes", *more]
    return keys(["ring", "sign", ring, *words])


def first_ring() -> None:
    day_one()
    assert sign("ring-1.ring", "root-1") == sign("ring-1.ring", "root-2") == OK


def rings(desk, *numbers: int) -> list[bytes]:
    return [(desk / f"ring-{number}.ring").read_bytes() for number in numbers]


def test_day_one_ends_with_a_ring_that_a_camera_trusts(desk, capsys):
    first_ring()
    assert keys(["ring", "verify", "ring-1.ring"]) == OK
    ring = trust_first(rings(desk, 1)[0])
    assert (ring.version, ring.product, ring.threshold) == (1, "cam", 2)
    assert [one.rank for one in ring.operators.values()] == [Rank.TECHNICIAN]
    said = capsys.readouterr().out
    assert "1 more of its own roots must sign" in said
    assert "enough of its own roots signed" in said


def test_no_private_key_is_ever_printed(desk, capsys):
    first_ring()
    keys(["show", "root-1.key", "root-1.pub", "ring-1.ring"])
    printed = "".join(capsys.readouterr())
    for path in desk.glob("*.key"):
        assert key_files.open_key(path, b"correct horse").hex() not in printed


def test_one_signature_is_not_enough(desk, capsys):
    day_one()
    assert sign("ring-1.ring", "root-3") == OK
    assert sign("ring-1.ring", "root-3") == OK
    assert keys(["ring", "verify", "ring-1.ring"]) == REFUSED
    assert "ring_signature" in capsys.readouterr().err


def test_two_copies_are_signed_apart_and_merged(desk):
    day_one()
    for number in (1, 2):
        shutil.copy("ring-1.ring", f"stick-{number}.ring")
        assert sign(f"stick-{number}.ring", f"root-{number}") == OK
        assert keys(["ring", "verify", f"stick-{number}.ring"]) == REFUSED
    assert keys(["ring", "merge", "stick-1.ring", "stick-2.ring", "--out", "both.ring"]) == OK
    assert keys(["ring", "verify", "both.ring"]) == OK


def test_copies_of_different_drafts_are_not_merged(desk, capsys):
    first_ring()
    assert keys(["ring", "new", "--last", "ring-1.ring", "--out", "ring-2.ring"]) == OK
    assert keys(["ring", "merge", "ring-1.ring", "ring-2.ring", "--out", "x.ring"]) == REFUSED
    assert "ring_conflict" in capsys.readouterr().err
    assert not (desk / "x.ring").exists()


def test_a_leaked_bundle_key_is_replaced(desk, capsys):
    first_ring()
    assert new("release-2", "bundle") == OK
    words = ["--last", "ring-1.ring", "--bundle", "release-2.pub", "--out", "ring-2.ring"]
    assert keys(["revoke", "release-1", *words]) == OK
    assert sign("ring-2.ring", "root-2") == sign("ring-2.ring", "root-3") == OK
    assert keys(["ring", "verify", "ring-1.ring", "ring-2.ring"]) == OK
    first, second = rings(desk, 1, 2)
    ring = advance(trust_first(first), [second])
    assert ring.revoked == set(trust_first(first).bundle_keys)
    assert [ring.names[id_] for id_ in ring.bundle_keys] == ["release-2"]
    capsys.readouterr()
    assert keys(["ring", "show", "ring-2.ring", "--last", "ring-1.ring"]) == OK
    shown = capsys.readouterr().out
    assert any("release-1" in line and "new" in line for line in shown.splitlines())


def test_what_was_revoked_cannot_be_listed_again(desk, capsys):
    first_ring()
    assert keys(["revoke", "kim", "--last", "ring-1.ring", "--out", "ring-2.ring"]) == OK
    again = ["--last", "ring-2.ring", "--technician", "kim.pub", "--out", "ring-3.ring"]
    assert keys(["ring", "new", *again]) == REFUSED
    assert "listed and revoked" in capsys.readouterr().err
    assert not (desk / "ring-3.ring").exists()


def test_a_lost_root_is_replaced_by_old_and_new_roots(desk):
    first_ring()
    assert new("root-4", "root") == OK
    words = ["--last", "ring-1.ring", "--root", "root-4.pub", "--out", "ring-2.ring"]
    assert keys(["revoke", "root-1", *words]) == OK
    for root in ("root-2", "root-4"):
        assert sign("ring-2.ring", root, "--last", "ring-1.ring") == OK
    assert keys(["ring", "verify", "ring-1.ring", "ring-2.ring"]) == REFUSED
    assert sign("ring-2.ring", "root-3", "--last", "ring-1.ring") == OK
    assert keys(["ring", "verify", "ring-1.ring", "ring-2.ring"]) == OK


def test_an_old_root_that_leaves_may_sign_the_ring_without_it(desk, capsys):
    first_ring()
    assert new("root-4", "root") == OK
    words = ["--last", "ring-1.ring", "--root", "root-4.pub", "--out", "ring-2.ring"]
    assert keys(["revoke", "root-1", *words]) == OK
    assert sign("ring-2.ring", "root-1") == REFUSED
    assert "--last" in capsys.readouterr().err
    assert sign("ring-2.ring", "root-1", "--last", "ring-1.ring") == OK


def test_who_is_no_root_signs_no_ring(desk, capsys):
    day_one()
    assert sign("ring-1.ring", "release-1") == REFUSED
    assert "not_permitted" in capsys.readouterr().err


def test_nobody_signs_by_accident(desk, monkeypatch, capsys):
    day_one()
    before = rings(desk, 1)
    monkeypatch.setattr("builtins.input", lambda prompt: "y")
    words = ["--key", "root-1.key", "--passphrase-file", "phrase"]
    assert keys(["ring", "sign", "ring-1.ring", *words]) == REFUSED
    assert rings(desk, 1) == before
    monkeypatch.setattr("builtins.input", lambda prompt: "yes")
    assert keys(["ring", "sign", "ring-1.ring", *words]) == OK


def test_verify_takes_rings_oldest_first_without_gaps(desk, capsys):
    first_ring()
    for number in (2, 3):
        last, out = f"ring-{number - 1}.ring", f"ring-{number}.ring"
        assert keys(["ring", "new", "--last", last, "--out", out]) == OK
        assert sign(out, "root-1") == sign(out, "root-2") == OK
    names = [f"ring-{number}.ring" for number in (1, 2, 3)]
    assert keys(["ring", "verify", *names]) == OK
    assert keys(["ring", "verify", names[0], names[2]]) == REFUSED
    assert keys(["ring", "verify", names[1], names[0]]) == REFUSED
    assert "ring_gap" in (said := capsys.readouterr().err) and "ring_old" in said


@pytest.mark.parametrize(
    "words",
    [
        ["ring", "new", "--out", "x"],
        ["ring", "new", "--last", "ring-1.ring", "--product", "other", "--out", "x"],
        ["ring", "new", "--last", "ring-1.ring", "--bundle", "spare.pub", "--out", "x"],
        ["ring", "new", "--last", "ring-1.ring", "--drop", "nobody", "--out", "x"],
        ["ring", "new", "--last", "ring-1.ring", "--out", "ring-1.ring"],
        ["ring", "sign", "ring-1.ring", "--key", "none.key", "--yes"],
        ["revoke", "nobody", "--last", "ring-1.ring", "--out", "x"],
        ["show", "none.pub"],
        ["new", "kim", "--kind", "operator", "--passphrase-file", "phrase"],
        ["new", "x", "--kind", "king"],
        [],
    ],
    ids=" ".join,
)
def test_wrong_arguments_change_nothing(desk, words, capsys):
    first_ring()
    assert new("spare", "operator") == OK
    capsys.readouterr()
    before = {path: path.read_bytes() for path in desk.iterdir()}
    assert keys(words) == ARGUMENTS
    assert capsys.readouterr().err
    assert {path: path.read_bytes() for path in desk.iterdir()} == before


def test_a_ring_that_lost_too_many_roots_is_refused(desk, capsys):
    first_ring()
    assert keys(["revoke", "root-1", "root-2", "--last", "ring-1.ring", "--out", "x"]) == REFUSED
    assert "2 of 1 roots cannot sign" in capsys.readouterr().err


def test_the_environment_may_name_the_passphrase_file(desk, monkeypatch):
    monkeypatch.setenv("HAETAE_PASSPHRASE_FILE", "phrase")
    assert keys(["new", "kim", "--kind", "operator"]) == 0
    monkeypatch.setenv("HAETAE_PASSPHRASE_FILE", "missing")
    assert keys(["new", "lee", "--kind", "operator"]) == 2
    assert keys(["new", "lee", "--kind", "operator", "--passphrase-file", "phrase"]) == 0


def test_a_short_passphrase_is_refused(desk, capsys):
    (desk / "phrase").write_text("short\n")
    assert new("root-1", "root") == REFUSED
    assert not (desk / "root-1.key").exists()


def test_a_wrong_passphrase_signs_nothing(desk):
    day_one()
    before = rings(desk, 1)
    (desk / "phrase").write_text("wrong horse\n")
    assert sign("ring-1.ring", "root-1") == REFUSED
    assert rings(desk, 1) == before


def test_two_keys_do_not_share_a_name(desk, capsys):
    first_ring()
    (desk / "other").mkdir()
    words = ["--kind", "operator", "--passphrase-file", "phrase", "--folder", "other"]
    assert keys(["new", "kim", *words]) == OK
    more = ["--last", "ring-1.ring", "--viewer", "other/kim.pub", "--out", "x"]
    assert keys(["ring", "new", *more]) == ARGUMENTS
    assert "kim" in capsys.readouterr().err


def test_show_for_scripts(desk, capsys):
    first_ring()
    capsys.readouterr()
    assert keys(["ring", "show", "ring-1.ring", "--json"]) == OK
    said = json.loads(capsys.readouterr().out)
    assert said["complete"] and len(said["signed_by"]) == 2
    assert list(said["operators"].values()) == [{"name": "kim", "rank": "technician"}]
    assert keys(["show", "kim.pub", "--json"]) == OK
    assert json.loads(capsys.readouterr().out)["kind"] == "operator"


def test_the_walk_in_the_help_goes_as_it_is_printed(desk, capsys):
    """Every line of it; only passphrases and the question before a signature are given."""
    assert keys(["--help"]) == OK
    walk = capsys.readouterr().out.replace("\\\n", " ").splitlines()
    lines = [shlex.split(line) for line in walk if line.startswith(("  haetae keys", "  cp "))]
    assert len(lines) == 23
    for words in lines:
        if words[0] == "cp":
            shutil.copy(*words[1:])
            continue
        more = ["--passphrase-file", "phrase"] if words[2] == "new" or "sign" in words else []
        more += ["--yes"] if "sign" in words else []
        assert keys([*words[2:], *more]) == OK, words
    ring = advance(trust_first(rings(desk, 1)[0]), rings(desk, 2, 3))
    names = {ring.names[id_] for id_ in (*ring.roots, *ring.bundle_keys)}
    assert names == {"root-2", "root-3", "root-4", "release-2"}


def test_help_has_the_walk_and_the_exit_codes(capsys):
    assert keys(["--help"]) == OK
    said = capsys.readouterr().out
    assert "day one" in said and "exit codes" in said and "has leaked" in said
