"""Each command of the technician against a camera in memory: words, exit codes, JSON."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from drivers.faults import LinkFault
from ota import status_cli, technician, technician_watch
from ota.key_files import make_key
from ota.refusal import REASONS, Refused
from ota.status_cli import selftest, status
from ota.technician_cli import push
from ota.technician_end_cli import confirm, ring, rollback
from runtime.alarm_cli import alarm
from runtime.journal_cli import journal
from runtime.site_cli import site
from tests.ota import vendor
from tests.ota.bundles import fake_files, signed, write
from tests.ota.fake_camera import Script, Served

PASSPHRASE = b"ladder and hand"
SITES = Path("board_configs/site")


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Key files of three operators; one of them no camera knows."""
    folder = tmp_path_factory.mktemp("keys")
    (folder / "phrase").write_bytes(PASSPHRASE + b"\n")
    names = "technician", "viewer", "stranger"
    return folder, {n: make_key(folder / f"{n}.key", "operator", n, PASSPHRASE) for n in names}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    return write(folder / "new.bundle", signed(fake_files(), version="2026.2", release=2))


@pytest.fixture
def at(tmp_path, keys, monkeypatch):
    """Start a camera and point the commands at it: at(kind, **script) -> Served."""
    folder, publics = keys
    monkeypatch.setattr(technician_watch, "LOOK_MS", 50.0)
    monkeypatch.setattr(status_cli, "LOOK_MS", 50.0)
    monkeypatch.setattr(technician, "HELLO_MS", 800.0)
    started = []

    def start(kind="unix", key="technician", **script):
        operators = {publics[rank].hex(): rank for rank in ("technician", "viewer")}
        link = f"unix:{tmp_path}/link" if kind == "unix" else f"tcp:127.0.0.1:{free_port()}"
        served = Served(link, Script(operators=operators, **script), tmp_path)
        started.append(served.__enter__())
        monkeypatch.setenv("HAETAE_LINK", link)
        monkeypatch.setenv("HAETAE_PASSPHRASE_FILE", str(folder / "phrase"))
        if key:
            monkeypatch.setenv("HAETAE_KEY", str(folder / f"{key}.key"))
        return served

    monkeypatch.delenv("HAETAE_KEY", raising=False)
    yield start
    for served in started:
        served.__exit__()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def said(capsys):
    out = capsys.readouterr()
    return out.out, out.err


# status


def test_status_in_words_and_as_json(at, capsys):
    at(key="")
    assert status([]) == 0
    assert said(capsys)[0].splitlines()[0].startswith("camera    gate-3, board sim")
    assert status(["--json"]) == 0
    told = json.loads(said(capsys)[0])
    assert told["students"]["digest"] == "01" * 32
    assert told["update"] == {"phase": "idle"}


@pytest.mark.parametrize(("times", "code"), [(3, 0), (99, 1)])
def test_a_camera_that_has_no_time_is_asked_again(at, capsys, monkeypatch, times, code):
    served = at(key="")
    monkeypatch.setattr(technician, "BUSY_MS", 10.0)
    served.camera.busy = times
    assert status([]) == code
    assert code == 0 or "refused: the camera's loop does not answer" in said(capsys)[1]


def test_over_the_network_even_the_status_needs_a_key(at, capsys):
    at("tcp", key="")
    assert status([]) == 1
    assert "must be signed by an operator's key" in (err := said(capsys)[1])
    assert "next: add --key YOUR.key, or set HAETAE_KEY" in err


def test_a_viewer_may_look_and_no_more(at, capsys):
    at("tcp", key="viewer")
    assert status([]) == 0
    assert rollback([]) == 1
    assert "the key's role does not allow this" in said(capsys)[1]


def test_a_key_that_the_camera_does_not_know(at, capsys):
    at("tcp", key="stranger")
    assert status(["--json"]) == 1
    out, err = said(capsys)
    told = json.loads(out)
    assert (told["ok"], told["reason"]) == (False, "operator_key")
    assert "key ring" in err


@pytest.mark.parametrize("command", [status, selftest, confirm, rollback, ring])
def test_help_tells_the_exit_codes(command, capsys):
    assert command(["--help"]) == 0
    assert "exit codes: 0 done" in said(capsys)[0]


def test_help_of_push_tells_more(capsys):
    assert push(["--help"]) == 0
    assert "8 the camera has gone back to what was before" in said(capsys)[0]


@pytest.mark.parametrize(
    ("link", "where"),
    [("unix:{}/none", "there is no such socket"), ("serial:{}/ttyUSB7", "there is no such port"),
     ("tcp:127.0.0.1:{port}", "nobody listens there")],
)  # fmt: skip
def test_no_camera_there(link, where, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("HAETAE_KEY", raising=False)
    link = link.format(tmp_path, port=free_port())
    assert status(["--link", link]) == 7
    err = said(capsys)[1]
    assert f"no camera answers at {link}: " in err and where in err and "next: " in err
    assert status(["--link", link, "--json"]) == 7
    assert json.loads(said(capsys)[0])["reason"] == "unreachable"


def test_somebody_who_is_no_camera_answers_there(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(technician, "HELLO_MS", 300.0)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "mute"))
        mute.listen()
        assert status(["--link", f"unix:{tmp_path}/mute"]) == 7
    assert "next: " in said(capsys)[1]


@pytest.mark.parametrize(("times", "code"), [(2, 0), (99, 7)])
def test_a_camera_that_still_holds_the_line_for_the_last_one(at, capsys, monkeypatch, times, code):
    at()
    turned_away = iter(range(times))
    open_port = technician.open_port

    def hang_up(address):
        if next(turned_away, None) is not None:
            raise LinkFault("gone", "Connection reset by peer")
        return open_port(address)

    monkeypatch.setattr(technician, "open_port", hang_up)
    monkeypatch.setattr(technician, "TURNED_AWAY_MS", 10.0)
    assert status([]) == code
    if code:
        err = said(capsys)[1]
        assert "it hangs up\n  next: somebody else is connected; wait until they are done" in err


@pytest.mark.parametrize(
    ("command", "line"),
    [(status, []), (status, ["--link", "usb0"]), (status, ["--link", "tcp:host"]), (push, []),
     (push, ["--link", "unix:/x"]), (push, ["--link", "unix:/x", "b", "--patience", "-1"]),
     (push, ["--link", "unix:/x", "/no/such/bundle"]), (site, []), (site, ["push"]),
     (site, ["push", "x.toml", "--link", "unix:/x"]), (alarm, ["list"]),
     (selftest, ["--link", "y"]),
     (journal, ["pull", "--link", "unix:/x"]), (journal, ["pull", "--out", "x.jsonl"]),
     (journal, ["pull", "--out", "x.txt", "--link", "unix:/x"])],
)  # fmt: skip
def test_wrong_arguments(command, line, capsys, monkeypatch):
    monkeypatch.delenv("HAETAE_LINK", raising=False)
    assert command(line) == 2
    assert said(capsys)[1]


def test_a_wrong_passphrase_or_key_file(at, keys, tmp_path, capsys, monkeypatch):
    served = at()
    wrong = tmp_path / "wrong"
    wrong.write_text("not this one\n")
    assert confirm(["--passphrase-file", str(wrong)]) == 2
    assert "wrong passphrase" in said(capsys)[1]
    assert confirm(["--key", str(tmp_path / "none.key")]) == 2
    assert "No such file" in said(capsys)[1]
    monkeypatch.delenv("HAETAE_PASSPHRASE_FILE")
    with Path("/dev/null").open() as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        assert confirm([]) == 2
    assert "add --passphrase-file FILE" in said(capsys)[1]
    assert served.camera.asked.count("confirm") == 0


# push, confirm, rollback


def test_a_push_that_is_watched_to_the_end(at, bundle, capsys):
    served = at(staged_ms=0, shadow_ms=150, probation_ms=250)
    assert push([str(bundle), "--watch"]) == 0
    out = said(capsys)[0].splitlines()
    assert out[0] == "gate-3 runs the students it left the factory with"
    assert out[1] == "pushing version 2026.2 (release 2)"
    assert any(line.startswith("100 %") for line in out)
    assert any("on trial, " in line and "38 of the 40 people" in line for line in out)
    assert out[-2] == "version 2026.2 (release 2): confirmed just now"
    assert out[-1].startswith("next: ")
    assert served.camera.students["version"] == "2026.2"


def test_a_push_that_is_rolled_back(at, bundle, capsys):
    at(staged_ms=0, shadow_ms=50, probation_ms=50, verdict="agreement", detail="12 of 40 people")
    assert push([str(bundle), "--watch"]) == 8
    out = said(capsys)[0]
    assert "rolled back just now: it does not see what the present student sees" in out
    assert "(12 of 40 people)" in out
    assert push([str(bundle), "--json"]) == 1
    out, err = said(capsys)
    assert json.loads(out)["reason"] == "agreement"
    assert "the camera says: it failed its trial here; to try it once more: --again" in err
    assert push([str(bundle), "--again", "--watch", "--json"]) == 8
    told = json.loads(said(capsys)[0])
    assert (told["ok"], told["outcome"]) == (False, "rolled_back")
    assert told["status"]["last"]["reason"] == "agreement"


def test_a_push_in_a_script(at, bundle, capsys):
    served = at(probation_ms=60_000)
    assert push([str(bundle), "--json"]) == 0
    told = json.loads(said(capsys)[0])
    assert (told["ok"], told["outcome"]) == (True, "sent")
    assert served.camera.taken_bytes < told["sent_bytes"] < 1.2 * served.camera.taken_bytes
    assert push([str(bundle), "--json"]) == 0
    assert json.loads(said(capsys)[0])["sent_bytes"] < 10_000  # the head alone


@pytest.mark.parametrize("reason", ["board", "signature", "counter", "size"])
def test_a_bundle_that_is_refused(at, bundle, capsys, reason):
    served = at(refuse=reason)
    assert push([str(bundle)]) == 1
    err = said(capsys)[1]
    assert f"refused: {REASONS[reason]}" in err
    assert "the camera says: made for rk3588-box; this is sim" in err
    assert served.camera.taken_bytes == 0


def test_an_older_bundle_only_where_that_is_said_and_signed(
    at, bundle, tmp_path, capsys, keys, monkeypatch
):
    served = at(staged_ms=0, shadow_ms=0, probation_ms=0)
    assert push([str(bundle), "--watch"]) == 0
    old = write(tmp_path / "old.bundle", signed(fake_files(number=1), version="2025", release=1))
    assert push([str(old)]) == 1
    assert "--allow-older" in said(capsys)[1]
    monkeypatch.delenv("HAETAE_KEY")
    assert push([str(old), "--allow-older", "--watch"]) == 1
    assert "must be signed by an operator's key\n  next: add --key" in said(capsys)[1]
    assert (
        push([str(old), "--allow-older", "--watch", "--key", str(keys[0] / "technician.key")]) == 0
    )
    assert served.camera.students["version"] == "2025"
    assert push([str(old)]) == 0
    assert "that is this bundle: nothing to do" in said(capsys)[0]


def test_a_file_that_is_no_bundle(at, bundle, tmp_path, capsys):
    served = at()
    cut = write(tmp_path / "cut.bundle", bundle.read_bytes()[:-1])
    for file, word in ((cut, "manifest says"), (Path("README.md"), "begins with other bytes")):
        assert push([str(file)]) == 2
        assert word in said(capsys)[1]
    assert served.camera.asked == []


def test_confirm_and_rollback(at, bundle, capsys):
    served = at(staged_ms=100, shadow_ms=200, probation_ms=60_000)
    assert confirm([]) == 1
    assert "refused: no students are in probation" in said(capsys)[1]
    assert push([str(bundle)]) == 0
    assert confirm([]) == 0
    out, err = said(capsys)
    assert "confirmed: version 2026.2 (release 2)" in out
    assert "waiting until they drive the camera (Ctrl-C stops)" in err
    assert status(["--json"]) == 0
    assert json.loads(said(capsys)[0].splitlines()[-1])["students"]["release"] == 2
    assert rollback([]) == 0
    assert "gone back to: the students it left the factory with" in said(capsys)[0]
    assert served.camera.students["version"] == "2026.1"
    assert rollback([]) == 0
    assert "gone back to: version 2026.2 (release 2)" in said(capsys)[0]


def test_what_comes_in_is_given_up(at, bundle, capsys):
    served = at(staged_ms=60_000)
    assert push([str(bundle)]) == 0
    capsys.readouterr()
    assert rollback([]) == 0
    out = said(capsys)[0]
    assert "given up; it runs: the students it left the factory with" in out
    assert served.camera.asked.count("abandon") == 1
    assert served.camera.asked.count("rollback") == 0


def test_a_trial_that_began_in_between_is_given_up(at, bundle, monkeypatch):
    served = at(staged_ms=60_000)
    assert push([str(bundle)]) == 0
    abandon = served.camera._do_abandon

    def begin_first(arguments):
        served.camera.script.staged_ms = served.camera.script.shadow_ms = 0
        served.camera.script.probation_ms = 60_000
        return abandon(arguments)

    monkeypatch.setattr(served.camera, "_do_abandon", begin_first)
    assert rollback([]) == 0
    assert served.camera.last["reason"] == "operator"


def test_waiting_to_confirm_what_is_rolled_back_meanwhile(at, bundle, capsys):
    at(staged_ms=50, shadow_ms=200, probation_ms=0, verdict="latency")
    assert push([str(bundle)]) == 0
    assert confirm(["--json"]) == 8
    told = json.loads(said(capsys)[0].splitlines()[-1])
    assert not told["ok"] and "too slow for this camera" in told["text"]


def test_a_swap_that_does_not_come(at, bundle, capsys, monkeypatch):
    served = at(staged_ms=0, shadow_ms=0, probation_ms=60_000)
    monkeypatch.setattr("ota.technician_end_cli.SETTLE_MS", 200.0)
    monkeypatch.setattr(served.camera, "_do_confirm", lambda arguments: {})
    assert push([str(bundle)]) == 0
    assert confirm([]) == 1
    assert "the camera has taken it and is not done yet" in said(capsys)[0]


def test_key_rings_without_a_bundle(at, tmp_path, capsys):
    at()
    rings = [tmp_path / "ring-1", tmp_path / "ring-2"]
    for number, path in enumerate(rings, 1):
        path.write_bytes(vendor.ring(number))
    assert ring([str(path) for path in rings]) == 0
    assert "the camera trusts key ring 2" in said(capsys)[0]
    assert ring([str(rings[0]), "--json"]) == 0
    assert json.loads(said(capsys)[0]) == {"ok": True, "ring": 1}
    rings[0].write_bytes(b"no ring")
    assert ring([str(rings[0])]) == 2
    assert ring([str(tmp_path / "none")]) == 2
    assert "No such file" in said(capsys)[1]


def test_a_trial_that_is_ended_by_an_operator(at, bundle, capsys):
    served = at(staged_ms=0, shadow_ms=0, probation_ms=60_000)
    assert push([str(bundle)]) == 0
    assert rollback([]) == 0
    assert served.camera.last["reason"] == "operator"
    assert status([]) == 0
    assert "rolled back just now: an operator ended it" in said(capsys)[0]


# alarms, self test, site


def test_alarms_over_a_link(at, capsys):
    served = at()
    assert alarm(["list"]) == 0
    assert "person #12 is in zone press, for 4 s" in said(capsys)[0]
    assert alarm(["shelve", "1", "--for", "10min"]) == 0
    assert alarm(["unshelve"]) == 0
    assert alarm(["mute"]) == 0
    assert alarm(["test"]) == 0
    assert alarm(["ack", "7"]) == 1
    assert "refused: alarm 7: there is 1" in said(capsys)[1]
    assert alarm(["ack", "--json"]) == 0
    assert json.loads(said(capsys)[0]) == {"ok": True, "alarms": 1}
    assert served.camera.asked[-1] == "ack"


def test_a_self_test_that_passes(at, capsys):
    at()
    assert selftest([]) == 0
    out = said(capsys)[0].splitlines()
    assert out[0] == "pass      outputs   switched and read back: strobe, siren"
    assert out[-1] == "passed"
    assert selftest(["--json"]) == 0
    told = json.loads(said(capsys)[0])
    assert told["ok"] and {"name", "verdict", "text", "next_step"} == set(told["rows"][0])


@pytest.mark.parametrize(
    ("script", "words"),
    [({"test": "failed"}, "fail      outputs   siren: level is off"),
     ({"test": "interrupted"}, "fail      outputs   interrupted: an alarm came"),
     ({"faults": {"npu_fault": "no_result"}}, "fail      network   its network does not answer"),
     ({"fps": 4.0}, "fail      frames    4.0 of 10.0 a second"),
     ({"wall_ms": 5}, "fail      clock     it has lost the date")],
)  # fmt: skip
def test_a_self_test_that_fails(at, capsys, script, words):
    at(**script)
    assert selftest([]) == 1
    out = said(capsys)[0]
    assert words in out and "\nnext: " in out and "1 of " in out


def test_a_self_test_asks_what_was_heard(at, capsys, monkeypatch):
    at()
    assert selftest(["--ask"]) == 2  # nobody sits at this terminal
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    answers = iter(["y", "perhaps", "n"])
    monkeypatch.setattr("builtins.input", lambda question: next(answers))
    assert selftest(["--ask"]) == 1
    out = said(capsys)[0]
    assert "pass      strobe seen" in out and "fail      siren seen" in out


def test_a_site_file_is_checked_before_it_is_sent(at, tmp_path, capsys):
    served = at()
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('format = 1\nname = 7\nunits = "fraction"\nzone = 1\n')
    assert site(["push", str(wrong)]) == 2
    err = said(capsys)[1]
    assert "name = 7" in err and "zone = 1: unknown key" in err and "rules: is missing" in err
    assert err.endswith("3 mistakes: nothing was sent to the camera\n")
    assert "site" not in served.camera.asked


def test_a_site_file_goes_there_and_back(at, tmp_path, capsys):
    at()
    text = (SITES / "counting.toml").read_text()
    assert site(["push", str(SITES / "counting.toml")]) == 0
    assert "starts anew" in said(capsys)[0]
    assert site(["show"]) == 0
    assert said(capsys)[0] == text
    back = tmp_path / "back.toml"
    assert site(["show", "--out", str(back), "--json"]) == 0
    assert back.read_text() == text == json.loads(said(capsys)[0])["text"]


def test_a_site_file_is_watched_until_the_camera_is_well_with_it(at, capsys, monkeypatch):
    served = at()
    monkeypatch.setattr("runtime.site_cli.LOOK_MS", 50.0)
    assert site(["push", str(SITES / "counting.toml"), "--watch"]) == 0
    assert said(capsys)[0].endswith("it is well with it: the new site file stays\n")
    assert served.camera.asked.count("status") >= 2
    looked = served.camera.asked.count("status")
    assert site(["push", str(SITES / "counting.toml"), "--watch"]) == 0  # once more, as long
    assert served.camera.asked.count("status") >= looked + 2
    capsys.readouterr()
    monkeypatch.setattr("runtime.site_cli.WATCH_MS", 100.0)
    assert site(["push", str(SITES / "ppe.toml"), "--watch", "--json"]) == 0
    assert json.loads(said(capsys)[0])["outcome"] == "waiting"


def test_a_site_file_that_the_camera_is_not_well_with(at, capsys, monkeypatch):
    at(site="reset")
    monkeypatch.setattr("runtime.site_cli.LOOK_MS", 50.0)
    assert site(["push", str(SITES / "counting.toml"), "--watch"]) == 8
    out = said(capsys)[0]
    assert "the site file before is back: the camera was reset during the trial" in out
    assert site(["push", str(SITES / "ppe.toml"), "--watch", "--json"]) == 8
    told = json.loads(said(capsys)[0])
    assert (told["ok"], told["outcome"]) == (False, "rolled_back")


def test_a_site_file_for_a_picture_of_any_size(at, tmp_path, capsys):
    """What is in pixels can only be judged by the camera."""
    at()
    pixels = (SITES / "zone_whole_view.toml").read_text().replace('"fraction"', '"pixel"')
    file = tmp_path / "pixels.toml"
    file.write_text(pixels)
    assert site(["push", str(file)]) == 2
    assert "in pixels" in said(capsys)[1]


def test_ctrl_c_says_that_the_same_command_goes_on(at, capsys, monkeypatch):
    at()

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("ota.link.client.LinkClient.ask", interrupt)
    assert status([]) == 130
    assert "Run the same command again: it goes on where it stopped" in said(capsys)[1]


def test_every_reason_can_be_told():
    for reason in REASONS:
        told = technician.refusal(Refused(reason, "7 of 3"))
        assert told.startswith("refused: ") and "7 of 3" in told
        assert technician.refusal(Refused(reason)) != told
    assert set(technician.NEXT) <= set(REASONS)
