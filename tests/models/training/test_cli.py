"""`haetae model train` and its sisters: what each command calls, and what it refuses."""

from __future__ import annotations

import ast
import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from models.cli import TRAINING, model
from models.package import find_package
from models.training import cli
from models.training.goals import GOALS, judge, lines


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[cli.Step]:
    """The modules that a command would run, instead of running them; C and D are caches."""
    called: list[cli.Step] = []
    monkeypatch.chdir(tmp_path)
    for name in ("C", "D"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.npz").touch()

    def note(_: str, step: cli.Step) -> int:
        called.append(step)
        return 0

    monkeypatch.setattr(cli, "EXTRA", ())
    monkeypatch.setattr(cli, "_main", note)
    return called


@pytest.fixture
def report(tmp_path: Path) -> Path:
    file = tmp_path / "r.json"
    file.write_text(json.dumps({"score": 0.4}))
    return file


CALLS = [
    ("dataset detector C", ["dataset C"]),
    ("dataset detector C --simulated A B --drawn 5", ["dataset C --simulated A B --drawn 5"]),
    ("dataset skeleton C --simulated A", ["skeleton_sources C --simulated A"]),
    ("dataset action P.npz", ["action_figures --out P.npz"]),
    ("train detector R --data C --minutes 3", ["train C R --no-teacher --resume --minutes 3"]),
    ("train skeleton R --data C D", ["skeleton_train R C D"]),
    ("train action R --data P.npz", ["action_train R --simulated P.npz"]),
    ("train action R", ["action_train R"]),
    ("distill detector R --data N", ["dataset N", "train N R --resume"]),
    (
        "distill detector R --data N --simulated S",
        ["dataset N --simulated S", "train N R --resume"],
    ),
    ("distill detector R --data C", ["train C R --resume"]),
    ("distill detector R --data C --refresh", ["dataset C", "train C R --resume"]),
    ("distill skeleton R --data N D", ["skeleton_sources N", "skeleton_train R N D"]),
    ("distill action R --teachers T/last.pt", ["action_train R --teachers T/last.pt"]),
    ("quantize detector L O.tflite --data C", ["quantize L C O.tflite"]),
    ("quantize skeleton L O.tflite --data C", ["skeleton_export L O.tflite C"]),
    ("quantize action L O.tflite --data P", ["action_export L O.tflite --simulated P"]),
    ("export action L O.tflite", ["action_export L O.tflite"]),
    (
        "export detector L d/O.tflite --data C --rknn rk3588,rk3576",
        ["quantize L C d/O.tflite", "rknn detector L d/O --targets rk3588,rk3576 --data C"],
    ),
    (
        "package detector F D --report {report} --data C --notes N.md",
        ["package C F {report} D --notes N.md", "confusion C F D/confusion.png --score 0.4"],
    ),
    ("package action F D --report {report} --notes N", ["action_package F {report} D --notes N"]),
    ("package skeleton F D", ["skeleton_package F D"]),
    (
        "package skeleton F D --report {report} --data C",
        ["skeleton_package F D --report {report} --cache C"],
    ),
]


@pytest.mark.parametrize(("typed", "wanted"), CALLS, ids=[typed for typed, _ in CALLS])
def test_what_is_typed_reaches_the_students_module(
    steps: list[cli.Step], report: Path, typed: str, wanted: list[str]
) -> None:
    assert model(typed.format(report=report).split()) == 0
    assert [" ".join((s.module, *s.argv)) for s in steps] == [
        line.format(report=report) for line in wanted
    ]


def test_a_package_says_which_student_it_is(steps: list[cli.Step], tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    report.write_text("{}")
    words = ["evaluate", "action_xs", "--checkpoint", "L", "--report", str(report)]
    assert model(words) == 0
    assert steps[0].module == "action_evaluate"
    assert steps[0].argv[1].endswith("models/students/action_xs/action_xs_int8.tflite")


def test_a_card_is_made_of_the_file_that_is_in_the_package(
    steps: list[cli.Step], report: Path
) -> None:
    assert model(["card", "action_xs", str(report), "--notes", "N"]) == 0
    folder = find_package("action_xs")
    file = folder / "action_xs_int8.tflite"
    assert steps == [
        cli.Step("action_package", [str(file), str(report), str(folder), "--notes", "N"])
    ]


def _accepted(module: str) -> set[str]:
    """Options that a module's command line knows, and whether it has a `main`; "" if so."""
    spec = find_spec(f"models.training.{module}")
    assert spec is not None and spec.origin is not None, module
    tree = ast.parse(Path(spec.origin).read_text())
    strings = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    found = {s for s in strings if isinstance(s, str) and s.startswith("--")}
    mains = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "main"]
    return found | ({""} if mains else set())


def test_every_module_is_there_and_knows_the_options_it_is_given(
    steps: list[cli.Step], report: Path
) -> None:
    for typed, _ in CALLS:
        model(typed.format(report=report).split())
    for step in steps:
        given = {word for word in step.argv if word.startswith("--")}
        assert {"", *given} <= _accepted(step.module), step


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("train detector R", "--data: must name what `haetae model dataset` made"),
        ("train detector R --data C D", "2 folders; a detector learns from one"),
        ("train detector R --data N", "--data: N is no cache"),
        ("distill skeleton R --data N M", "--data: M is no cache"),
        ("quantize skeleton L O --data N", "--data: N is no cache"),
        ("evaluate detector F --data N", "--data: N is no cache"),
        ("distill action R", "--teachers: must name"),
        ("distill skeleton R --data C --simulated S", "--simulated: simulated people have a cache"),
        ("dataset action P.npz --simulated A", "--simulated: name those files"),
        ("dataset skeleton C --simulated A B", "--simulated: one folder"),
        ("evaluate action F", "--checkpoint: must name"),
        ("package action F D", "--report: must name"),
        ("evaluate nobody", "invalid choice: 'nobody'"),
        ("train robot R", "invalid choice: 'robot'"),
        ("quantize detector", "required: CHECKPOINT, OUT"),
    ],
)
def test_what_cannot_be_is_exit_code_2_with_a_reason(
    steps: list[cli.Step], capsys: pytest.CaptureFixture[str], typed: str, says: str
) -> None:
    assert model(typed.split()) == 2
    assert says in capsys.readouterr().err
    assert steps == []


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "EXTRA", ("json", "a_module_nobody_has"))
    assert model(["train", "action", "R"]) == 2
    said = capsys.readouterr().err
    assert "a_module_nobody_has not installed" in said
    assert "pip install haetae[train]" in said


def test_no_command_imports_pytorch_before_its_arguments_are_right() -> None:
    tree = ast.parse(Path(cli.__file__).read_text())
    names = {n.module for n in tree.body if isinstance(n, ast.ImportFrom)}
    assert "models.package" in names
    assert not any(str(name).startswith("models.training") for name in names)


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert tuple(TRAINING) == tuple(cli.COMMANDS)
    for command in TRAINING:
        assert model([command, "--help"]) == 0
        assert f"usage: haetae model {command}" in capsys.readouterr().out


@pytest.mark.parametrize(("body", "code"), [
    ("def main():\n return None", 0), ("def main():\n return 1", 1),
    ("import sys\ndef main():\n sys.exit(2)", 2), ("import sys\ndef main():\n sys.exit('no')", 1),
    ("def main():\n raise RuntimeError('Error(s) in loading state_dict for A:\\nB')", 2),
    ("import pickle\ndef main():\n raise pickle.UnpicklingError('invalid')", 2),
    ("import sys\ndef main():\n assert sys.argv[1:] == ['a', 'b']", 0),
])  # fmt: skip
def test_a_modules_end_is_the_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, code: int
) -> None:
    (tmp_path / "made_up.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(cli, "MODULES", "")
    monkeypatch.delitem(sys.modules, "made_up", raising=False)
    before = sys.argv
    assert cli._main("haetae model train", cli.Step("made_up", ["a", "b"])) == code
    assert sys.argv is before


def _detector(person: float, network: str = "int8") -> dict:
    rows = {"ppe_minhnkb": {"ap50": person}, "coco128x2": {"ap50": 0.5}}
    return {network: {"person": rows, "postures": {"fallen": {"found": 8, "there": 10}}}}


def test_figures_are_reached_missed_or_not_measured() -> None:
    report = _detector(0.80) | _detector(0.805, "float") | _detector(0.77, "teacher")
    rows = {row.goal.name: row for row in judge("detector", report)}
    missed = rows["person AP50 ppe_minhnkb"]
    assert (missed.value, missed.reached, missed.beside) == (0.80, False, 0.77)
    assert rows["person AP50 coco128x2"].reached is True
    assert rows["recall of fallen people"].reached is True
    assert rows["int8 costs, person ppe_minhnkb"].reached is True
    assert rows["vest AP50 ppe_minhnkb"].reached is None
    said = "\n".join(lines(list(rows.values())))
    assert "MISSED by 0.0300   (teacher 0.770)" in said
    assert "not measured" in said


def test_the_better_of_two_sets_counts_for_helmets() -> None:
    sets = {"helmet_sites": {"ap50": 0.9}, "ppe_minhnkb": {"ap50": 0.7}}
    rows = judge("detector", {"int8": {"helmet": sets}})
    assert next(r for r in rows if r.goal.name.startswith("helmet AP50")).value == 0.9


def test_the_other_students_reports_are_understood() -> None:
    skeleton = {"int8": {"sources": {"simulated": {"torso": [0.91, 0.9, 0.92, 500]}},
                         "real": {"height": [0.8, 0.7, 0.9, 100]}}}  # fmt: skip
    assert [row.reached for row in judge("skeleton", skeleton)] == [True, False]
    action = {"int8": {"lzq_a": {"accuracy": 0.99}}, "falls": {"rows": 100, "called_fall": 3}}
    reached = {row.goal.name: row.reached for row in judge("action", action)}
    assert reached["lzq_a accuracy"] is True
    assert reached["bend, squat, tie shoes called fall"] is False
    assert set(GOALS) == set(cli.STUDENTS)


@pytest.mark.parametrize(("check", "code"), [([], 0), (["--check"], 1)])
def test_a_missed_figure_is_exit_code_1_only_when_checked(
    steps: list[cli.Step], tmp_path: Path, check: list[str], code: int,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    report = tmp_path / "r.json"
    report.write_text(json.dumps(_detector(0.1)))
    words = ["evaluate", "detector", "F", "--data", "C", "--report", str(report), *check]
    assert model(words) == code
    assert "MISSED by 0.7300" in capsys.readouterr().out
