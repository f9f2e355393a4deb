"""A package for TFLite becomes one for an NPU, with what the NPU's runtime says of its tensors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drivers.faults import ModelRefused
from drivers.npu import rockchip
from drivers.npu.rknn import RknnNpu
from drivers.npu_config import NpuConfig
from models.cli import model
from models.families.anchor_free import AnchorFreeDecoder
from models.fit import fit
from models.letterbox import Letterbox
from models.package import load_package
from models.signature import open_session
from models.tables import Detections
from tests.drivers.npu import virtual_npu
from tests.models import tiny_tflite

BODY = """\
in picture 2 1 0 0.0078125 1 64 96 3
out box_8 2 0 7 0.03 1 4 8 12
out box_16 2 0 -9 0.05 1 4 4 6
out class_8 2 0 -128 0.00390625 1 1 8 12
out class_16 2 0 -127 0.0039 1 1 4 6
"""


@pytest.fixture
def rknn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    virtual_npu.install(tmp_path, monkeypatch)
    monkeypatch.setattr(rockchip, "DEVICE_TREE", tmp_path / "none")
    file = tmp_path / "tiny.rk3588.rknn"
    file.write_bytes(virtual_npu.model(BODY))
    return file


@pytest.fixture
def package(tmp_path: Path) -> Path:
    tables = tiny_tflite.description(b"any", ["person"])
    return tiny_tflite.write_package(tmp_path / "tiny", tables, b"any")


def npu() -> RknnNpu:
    return RknnNpu(NpuConfig(driver="rknn", target="rk3588"))


def test_the_package_says_what_the_board_says(package: Path, rknn: Path, tmp_path: Path) -> None:
    fitted = fit(package, rknn, npu(), tmp_path / "out")
    assert fitted == load_package(tmp_path / "out", "rk3588")
    found = [(one.index, one.kind, one.stride, one.zero_point) for one in fitted.info.outputs]
    assert found == [
        (0, "box", 8, 7),
        (1, "box", 16, -9),
        (2, "class", 8, -128),
        (3, "class", 16, -127),
    ]
    assert fitted.info.outputs[0].scale == pytest.approx(0.03)
    assert [(one.npu, one.file) for one in fitted.info.targets] == [("rk3588", rknn.name)]
    assert fitted.info.accuracy == {}
    assert fitted.info.decode.box == "ltrb_exp"


def test_what_it_finds_is_decoded(package: Path, rknn: Path, tmp_path: Path) -> None:
    fitted = fit(package, rknn, npu(), tmp_path / "out")
    session = open_session(fitted, npu())
    session.inputs[0][:] = np.random.default_rng(1).integers(-128, 128, session.inputs[0].shape)
    session.invoke()
    decoder = AnchorFreeDecoder(fitted.info, Letterbox(192, 128, 96, 64), 64)
    table = Detections(64)
    decoder.decode(session.outputs, table)
    scores = (session.outputs[2].astype(np.float32) + 128) / 256
    assert table.count > 0
    assert table.scores[0] == pytest.approx(
        max(scores.max(), (session.outputs[3].max() + 127) * 0.0039), abs=1e-3
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("class_16", "other", "outputs box_8, box_16, class_8, other; must be 1, and box_8"),
        ("1 4 8 12", "1 4 8 10", r"tensor box_8 is int8 \[1, 8, 10, 4\]; must be int8 \[1, 8, 12"),
        ("box_8 2", "box_8 3", "tensor box_8 is uint8"),
        ("1 64 96 3", "1 64 90 3", "tensor picture is int8"),
    ],
)
def test_another_network_is_refused(
    package: Path, rknn: Path, tmp_path: Path, old: str, new: str, says: str
) -> None:
    rknn.write_bytes(virtual_npu.model(BODY.replace(old, new)))
    with pytest.raises(ModelRefused, match=says):
        fit(package, rknn, npu(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_reads_the_board_file(
    package: Path, rknn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sim = (Path(__file__).resolve().parents[2] / "board_configs/sim.toml").read_text()
    board = tmp_path / "board.toml"
    board.write_text(sim)
    words = ["fit", str(package), str(rknn), "--board", str(board), "--out", str(tmp_path / "out")]
    assert model(words) == 2
    assert 'npu.driver must be "rknn"' in capsys.readouterr().err
    section = 'driver = "rknn"\ntarget = "rk3588"\ncore_mask = 7\nrknn_runtimes = ["2.3.2"]\n'
    section += 'rknn_drivers = ["0.9.8"]\n'
    text = sim.replace('driver = "tflite"\n', section)
    board.write_text(text)
    assert model(words) == 2
    assert "npu.call_deadline_ms" in capsys.readouterr().err
    board.write_text(text.replace("call_deadline_ms = 0 ", "call_deadline_ms = 300 "))
    assert model(words) == 0
    assert "tiny for rk3588" in capsys.readouterr().out
    assert load_package(tmp_path / "out", "rk3588").info.name == "tiny"
