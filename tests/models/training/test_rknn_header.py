"""Rockchip's files: read what they say, refuse what is not whole."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.training.rknn_header import BODY_AT, MAGIC, RknnRefused, main, read_header

TOLD = {"target_platform": ["rk3588"], "version": "2.5.0", "input_num": 1, "output_num": 6}


def made(told: object = TOLD, body: bytes = b"\1" * 200) -> bytes:
    text = told if isinstance(told, bytes) else json.dumps(told).encode()
    start = (MAGIC + struct.pack("<QQ", 6, len(body))).ljust(BODY_AT, b"\0")
    return start + body + struct.pack("<Q", len(text)) + text


def written(folder: Path, content: bytes) -> Path:
    file = folder / "network.rknn"
    file.write_bytes(content)
    return file


def test_it_says_what_it_was_compiled_for(tmp_path: Path) -> None:
    header = read_header(written(tmp_path, made()))
    assert header.target_platform == ("rk3588",)
    assert (header.version, header.inputs, header.outputs) == ("2.5.0", 1, 6)
    assert (header.format, header.body_bytes) == (6, 200)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "begins with b''"),
        (b"TFL3" + made()[4:], "must be b'RKNN"),
        (made()[:63], "begins with"),
        (made()[:-1], "description of"),
        (made() + b"\0", "description of"),
        (MAGIC + struct.pack("<QQ", 6, 2**63) + made()[24:], "body of 9223372036854775808 bytes"),
        (made(b"{"), "cannot be read"),
        (made(b"\xff\xfe"), "cannot be read"),
        (made(b"[" * 100_000), "cannot be read"),
        (made([1]), "cannot be read"),
        (made(TOLD | {"target_platform": []}), "must be names of SoCs"),
        (made(TOLD | {"target_platform": [3]}), "must be names of SoCs"),
        (made({"version": "1"}), "target_platform"),
    ],
)
def test_what_is_not_whole_is_refused_with_a_reason(
    tmp_path: Path, content: bytes, says: str
) -> None:
    with pytest.raises(RknnRefused) as refused:
        read_header(written(tmp_path, content))
    assert says in str(refused.value)
    assert "network.rknn" in str(refused.value)


@given(st.integers(0, len(made()) - 1), st.binary(max_size=40))
def test_any_damage_is_refused_or_leaves_the_description(
    tmp_path_factory: pytest.TempPathFactory, at: int, noise: bytes
) -> None:
    whole = made()
    file = written(tmp_path_factory.mktemp("rknn"), whole[:at] + noise + whole[at + len(noise) :])
    try:
        header = read_header(file)
    except RknnRefused:
        return
    assert all(isinstance(name, str) for name in header.target_platform)


@given(st.integers(0, len(made()) - 1))
def test_any_cut_is_refused(tmp_path_factory: pytest.TempPathFactory, at: int) -> None:
    with pytest.raises(RknnRefused):
        read_header(written(tmp_path_factory.mktemp("rknn"), made()[:at]))


def test_it_prints_what_a_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, made())
    monkeypatch.setattr("sys.argv", ["rknn_header", str(file)])
    main()
    assert capsys.readouterr().out == f"{file}: rk3588  toolkit 2.5.0\n"


@pytest.mark.data
def test_real_files_name_the_soc_of_their_folder(shared_data: Path) -> None:
    files = sorted((shared_data / "rknn").rglob("*.rknn"))
    if not files:
        pytest.skip(f"no .rknn files under {shared_data}")
    for file in files:
        header = read_header(file)
        assert header.target_platform[0] in file.parent.name.lower().split("_")
        assert header.version[0] in "12"
        assert min(header.inputs, header.outputs) >= 1
