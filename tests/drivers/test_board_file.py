"""The board file: what the values must be to one another."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.board import load_board
from drivers.toml_strict import ConfigErrors

SIM = (Path(__file__).resolve().parents[2] / "board_configs" / "sim.toml").read_text()
FAULT = 'name = "fault_relay"\nrole = "fault"                  # normally'


def mistakes(tmp_path: Path, *changes: tuple[str, str]) -> list[str]:
    text = SIM
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
        text = text.replace(old, new)
    path = tmp_path / "board.toml"
    path.write_text(text)
    try:
        load_board(path)
    except ConfigErrors as refused:
        return [str(mistake).removeprefix(f"{path}: ") for mistake in refused.mistakes]
    return []


def test_the_simulated_board_has_no_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path) == []


ONE = [
    ([('supported = ["camera"', 'supported = ["cam"')], "supported[0] = 'cam': must be \"camera\""),
    (
        [('supported = ["camera"', 'supported = ["output"')],
        "supported = 'output': must be named on",
    ),
    ([('supported = ["camera"', 'supported = ["input"')], "supported = 'input': must be left out"),
    ([('supported = ["camera"', 'supported = ["thermal"')], "supported = 'thermal': must be left"),
    ([("fps = 10.0", "fps = 3.0")], "camera.fps = 3.0: must be > 3: a blind camera"),
    ([("no_frame_ms = 900", "no_frame_ms = 901")], "camera.no_frame_ms = 901: must be <= 900 ms"),
    ([("no_frame_ms = 900", "no_frame_ms = 200")], "camera.no_frame_ms = 200: must be > 200 ms"),
    ([("frozen_ms = 900", "frozen_ms = 1000")], "camera.frozen_ms = 1000: must be <= 900 ms"),
    ([("dark_ms = 900", "dark_ms = 5000")], "camera.dark_ms = 5000: must be <= 900 ms"),
    (
        [('name = "strobe"', 'name = "siren"')],
        "outputs[1].name = 'siren': must be unique; outputs[0]",
    ),
    ([('name = "strobe"', 'name = ""')], "outputs[1].name = '': must be text in quotes, not empty"),
    ([('role = "strobe"', 'role = "fault"')], "outputs: exactly one output must have role"),
    ([(FAULT, FAULT.replace('"fault"', '"strobe"'))], "outputs: exactly one output must have role"),
    ([('role = "siren" ', 'role = "strobe" ')], "outputs: at least one output must have role"),
    ([("headroom_mb = 64", "headroom_mb = 4097")], "memory.headroom_mb = 4097: must be <= memory."),
    (
        [("journal_slots = 2000", "journal_slots = 65537")],
        "storage.journal_slots = 65537: must be <=",
    ),
    ([("journal_slots = 2000", "journal_slots = 7")], "storage.journal_slots = 7: must be >= 8"),
    (
        [('driver = "tflite"\n', 'driver = "hailo"\ndelegate_options = {a = "b"}\n')],
        "npu.delegate_opt",
    ),
    (
        [('delegate = "" ', 'delegate = "x.so" '), ('driver = "tflite"', 'driver = "hailo"')],
        "npu.del",
    ),
    (
        [('driver = "sim"', 'driver = ""')],
        "watchdog.driver = '': must be text in quotes, not empty",
    ),
    ([("format = 1 ", "format = 2 ")], "format = 2: this runtime reads format 1; the file needs a"),
    (
        [("atomic_unit_bytes = 4096", "atomic_unit_bytes = 4000")],
        "storage.atomic_unit_bytes = 4000",
    ),
]


@pytest.mark.parametrize(("changes", "expected"), ONE, ids=[text for _, text in ONE])
def test_one_mistake(tmp_path: Path, changes: list[tuple[str, str]], expected: str) -> None:
    (found,) = mistakes(tmp_path, *changes)
    assert found.startswith(expected)


@pytest.mark.parametrize(("output", "why"), [(0, "must not sound"), (2, "normally energised")])
def test_siren_and_fault_relay_are_off_when_released(tmp_path: Path, output: int, why: str) -> None:
    parts = SIM.split('on_release = "off"')
    text = "".join(
        part + ('on_release = "on"' if n == output else 'on_release = "off"')
        for n, part in enumerate(parts[:-1])
    )
    path = tmp_path / "board.toml"
    path.write_text(text + parts[-1])
    with pytest.raises(ConfigErrors, match=why) as caught:
        load_board(path)
    assert [mistake.key for mistake in caught.value.mistakes] == [f"outputs[{output}].on_release"]


@pytest.mark.parametrize("time", ["frozen_ms", "dark_ms"])
def test_a_health_check_may_be_off(tmp_path: Path, time: str) -> None:
    assert mistakes(tmp_path, (f"{time} = 900", f"{time} = 0")) == []


V4L2 = ('driver = "synthetic" ', 'driver = "v4l2"\nbuffers = 4 ')
WATCHED = "timeout_ms = 5000 "
THERMAL = ("[limits]", "[thermal]\nzones = ['a', 'a']\ngovernor = 'performance'\n[limits]")
PARTS = [
    ([V4L2], ["camera.source = '': must be a video device"]),
    (
        [V4L2, ('source = "" ', 'source = "/dev/video0" '), ("width_px = 640", "width_px = 641")],
        ["camera.width_px = 641: must be even"],
    ),
    ([V4L2, ('source = "" ', 'source = "/dev/video0"\nfourcc = "MJPG" ')], []),
    (
        [V4L2, ('source = "" ', 'source = "/dev/video0"\nfourcc = "H264" ')],
        ["camera.fourcc = 'H264': must be \"BGR3\" or"],
    ),
    ([(WATCHED, WATCHED + "\nboot_ms = 4999 ")], ["watchdog.boot_ms = 4999: must be >= watchdog."]),
    ([THERMAL], ["thermal.zones = ['a', 'a']: must be unique", "thermal.governor = 'performance'"]),
]


@pytest.mark.parametrize(("changes", "expected"), PARTS)
def test_what_a_driver_needs(tmp_path: Path, changes: list, expected: list[str]) -> None:
    found = mistakes(tmp_path, *changes)
    assert len(found) == len(expected), found
    assert all(text.startswith(start) for text, start in zip(found, expected, strict=True)), found


def test_the_times_follow_the_frame_rate(tmp_path: Path) -> None:
    found = mistakes(tmp_path, ("fps = 10.0", "fps = 5.0"))
    assert [text.split(" =")[0] for text in found] == [
        "camera.no_frame_ms",
        "camera.frozen_ms",
        "camera.dark_ms",
    ]
    assert all("must be <= 800 ms" in text and "alarm within 1 s" in text for text in found)


def test_mistakes_of_all_kinds_come_at_once(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        ("threads = 1", "threads = 0"),
        ("frozen_ms = 900", "frozen_ms = 1000"),
        ('name = "strobe"', 'name = "siren"'),
        ("headroom_mb = 64", "headrom_mb = 64"),
    )
    assert [text.split(" =")[0] for text in found] == [
        "memory.headrom_mb",
        "npu.threads",
        "camera.frozen_ms",
        "outputs[1].name",
    ]
