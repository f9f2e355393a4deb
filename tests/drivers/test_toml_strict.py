"""Every mistake of a file at once, each with file, key, value and what is allowed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import UNSET, Meta, Struct, field

from drivers import toml_words
from drivers.toml_strict import Check, ConfigErrors, Mistake, load_strict


class Cat(Struct, frozen=True, tag_field="kind", tag="cat"):
    lives: int = 9


class Dog(Struct, frozen=True, tag_field="kind", tag="dog"):
    name: str


class Inner(Struct, frozen=True):
    fps: Annotated[float, Meta(gt=0, le=240)] = 10.0
    hold_ms: Annotated[int, Meta(ge=0)] = 0
    level: Literal["off", "on"] = "off"
    on: bool = False

    def __post_init__(self) -> None:
        if self.hold_ms == 13:
            raise ValueError("13 is unlucky")


class Outer(Struct, frozen=True):
    format: Literal[1]
    name: Annotated[str, Meta(min_length=1)]
    inner: Inner = Inner()
    pets: list[Cat | Dog] = []
    point: tuple[float, float] = (0.0, 0.0)
    names: dict[Literal["a", "b"], str] = {}
    few: Annotated[list[int], Meta(min_length=1, max_length=2)] = field(default_factory=lambda: [1])
    anything: Any = None
    maybe: Inner | None = None


GOOD = 'format = 1\nname = "x"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "board.toml"


def mistakes(path: Path, text: str | bytes, checks: tuple[Check, ...] = ()) -> list[str]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigErrors) as caught:
        load_strict(path, Outer, checks)
    assert str(caught.value).splitlines() == [str(mistake) for mistake in caught.value.mistakes]
    return [str(mistake).removeprefix(f"{path}: ") for mistake in caught.value.mistakes]


def test_a_good_file_gives_the_struct_with_its_defaults(path: Path) -> None:
    path.write_text(
        GOOD
        + 'point = [1, 2.5]\nnames = {a = "z"}\n[inner]\nfps = 25\n'
        + '[[pets]]\nkind = "dog"\nname = "Rex"\n'
    )
    assert load_strict(path, Outer) == Outer(
        format=1,
        name="x",
        inner=Inner(fps=25.0),
        pets=[Dog("Rex")],
        point=(1.0, 2.5),
        names={"a": "z"},
    )


def test_a_byte_order_mark_is_no_mistake(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_strict(path, Outer).name == "x"


ONE_MISTAKE = [
    ("inner.fps = -3", "inner.fps = -3: must be > 0 and <= 240"),
    ("inner.fps = 240.5", "inner.fps = 240.5: must be > 0 and <= 240"),
    ('inner.fps = "10"', "inner.fps = '10': must be a number > 0 and <= 240"),
    ("inner.fps = nan", "inner.fps = nan: must be a number > 0 and <= 240"),
    ("inner.fps = true", "inner.fps = true: must be a number > 0 and <= 240"),
    ("inner.hold_ms = inf", "inner.hold_ms = inf: must be a whole number >= 0"),
    ("inner.hold_ms = 1.0", "inner.hold_ms = 1.0: must be a whole number >= 0"),
    ("inner.hold_ms = true", "inner.hold_ms = true: must be a whole number >= 0"),
    ("inner.hold_ms = 13", "inner = {'hold_ms': 13}: 13 is unlucky"),
    ("inner.on = 1", "inner.on = 1: must be true or false"),
    ('inner.level = "of"', 'inner.level = \'of\': must be "off" or "on"'),
    ("inner.fsp = 3", "inner.fsp = 3: unknown key; did you mean fps?"),
    ("inner.zzzzzz = 3", "inner.zzzzzz = 3: unknown key; allowed are fps, hold_ms, level, on"),
    ('inner."a b" = 3', 'inner."a b" = 3: unknown key; allowed are fps, hold_ms, level, on'),
    ("inner = 3", "inner = 3: must be a table with fps, hold_ms, level, on"),
    ("maybe = 3", "maybe = 3: must be a table with fps, hold_ms, level, on"),
    ("maybe.on = 3", "maybe.on = 3: must be true or false"),
    ("pets = 3", "pets = 3: must be a list"),
    ("pets = [3]", 'pets[0].kind = 3: must be "cat" or "dog"'),
    ("pets = [{}]", 'pets[0].kind: is missing; must be "cat" or "dog"'),
    ('pets = [{kind = "cow"}]', 'pets[0].kind = \'cow\': must be "cat" or "dog"'),
    ("pets = [{kind = [1]}]", 'pets[0].kind = [1]: must be "cat" or "dog"'),
    ('pets = [{kind = "cat"}, {kind = "dog"}]', "pets[1].name: is missing; must be text in quotes"),
    ("point = [1]", "point = [1]: must be a list of 2 values"),
    ("point = [1, 2, 3]", "point = [1, 2, 3]: must be a list of 2 values"),
    ("point = [0, inf]", "point[1] = inf: must be finite, and within 64 bits"),
    ('names = {c = "x"}', 'names.c = \'c\': must be "a" or "b"'),
    ("names = {a = 3}", "names.a = 3: must be text in quotes"),
    ("few = []", "few = []: must be at least this long: 1 and at most this long: 2"),
    ("anything = [{x = -inf}]", "anything = [{'x': -inf}]: must be finite, and within 64 bits"),
    (
        "inner.hold_ms = 9223372036854775808",
        "inner.hold_ms = 9223372036854775808: must be finite, and within 64 bits",
    ),
    ("point = [1979-05-27, 0]", None),
]


@pytest.mark.parametrize(("line", "expected"), ONE_MISTAKE, ids=[line for line, _ in ONE_MISTAKE])
def test_one_mistake_gives_one_line(path: Path, line: str, expected: str | None) -> None:
    (found,) = mistakes(path, GOOD + line)
    assert expected in (None, found)


def test_all_mistakes_come_at_once(path: Path) -> None:
    text = (
        'format = 1\nnmae = "x"\n[inner]\nfps = -3\nlevel = "up"\nhold = 1\n[[pets]]\nkind = "cow"'
    )
    assert mistakes(path, text) == [
        "nmae = 'x': unknown key; did you mean name?",
        "name: is missing; must be text in quotes, not empty",
        "inner.hold = 1: unknown key; did you mean hold_ms?",
        "inner.fps = -3: must be > 0 and <= 240",
        'inner.level = \'up\': must be "off" or "on"',
        'pets[0].kind = \'cow\': must be "cat" or "dog"',
    ]


def test_a_mistake_names_file_key_value_and_what_is_allowed(path: Path) -> None:
    path.write_text(GOOD + "inner.fps = -3")
    with pytest.raises(ConfigErrors) as caught:
        load_strict(path, Outer)
    assert caught.value.mistakes == [Mistake(str(path), "inner.fps", -3, "must be > 0 and <= 240")]


WHOLE_FILE = [
    (b"format = ", "is not TOML"),
    (b"format = 1\nformat = 1", "is not TOML"),
    (b"\xff\xfe\x00", "is not UTF-8 text (byte 0)"),
    (b'name = "\xe4"', "is not UTF-8 text (byte 8)"),
    (b"\0", "is not TOML"),
    (b"x = " + b"[" * 5000, "is nested too deeply"),
    (b"x = " + b"9" * 9999, "is not TOML"),
    (b"#" * 2_000_000, "is larger than"),
]


@pytest.mark.parametrize(("data", "expected"), WHOLE_FILE, ids=[text for _, text in WHOLE_FILE])
def test_a_file_that_is_wrong_as_a_whole(path: Path, data: bytes, expected: str) -> None:
    (found,) = mistakes(path, data)
    assert found.startswith(expected)


def test_missing_files_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, expected in (
        (tmp_path / "none.toml", "there is no such file"),
        (tmp_path / "pipe" / "x", "cannot be read: Not a directory"),
        (tmp_path, "is a directory"),
        (tmp_path / "pipe", "is a directory or a device"),
        (Path("/dev/zero"), "is a directory or a device"),
    ):
        with pytest.raises(ConfigErrors, match=expected) as caught:
            load_strict(path, Outer)
        assert caught.value.mistakes[0].value is UNSET


@pytest.mark.parametrize("version", [2, 99])
def test_a_newer_format_is_the_only_mistake(path: Path, version: int) -> None:
    (found,) = mistakes(path, f"format = {version}\nfuture = 1\n")
    assert found == (
        f"format = {version}: this runtime reads format 1; the file needs a newer runtime"
    )


@pytest.mark.parametrize("version", ["0", "-1", "true", "1.0", '"1"'])
def test_any_other_format_is_a_plain_mistake(path: Path, version: str) -> None:
    (found,) = mistakes(path, f'format = {version}\nname = "x"')
    assert found.endswith(": must be 1")


def complain(key: str) -> Any:
    return lambda *values: [(key, values, "checked")]


def keys_checked(path: Path, text: str, *checks: Check) -> list[object]:
    path.write_text(GOOD + text)
    with pytest.raises(ConfigErrors) as caught:
        load_strict(path, Outer, checks)
    return [mistake.value for mistake in caught.value.mistakes if mistake.allowed == "checked"]


def test_a_check_runs_beside_mistakes_elsewhere(path: Path) -> None:
    check = Check(("inner",), complain("inner"))
    assert keys_checked(path, "pets = 3\ninner.fps = 5", check) == [(Inner(fps=5.0),)]


def test_a_check_is_skipped_where_its_value_is_wrong(path: Path) -> None:
    checks = [Check((need,), complain(need)) for need in ("inner", "inner.fps", "pets[].lives", "")]
    text = 'pets = [{kind = "cat", lives = "x"}]\n[inner]\nfps = -1'
    assert keys_checked(path, text, *checks) == []


def test_a_pattern_that_ends_in_brackets_gives_the_good_items(path: Path) -> None:
    text = 'pets = [{kind = "cat"}, {kind = "cow"}, {kind = "dog", name = "Rex"}]'
    found = keys_checked(path, text, Check(("pets[]",), complain("pets")))
    assert found == [({"pets[0]": Cat(), "pets[2]": Dog("Rex")},)]


def test_a_check_gets_defaults_too(path: Path) -> None:
    checks = Check(("inner", "pets[].lives"), complain("x"))
    assert keys_checked(path, "", checks) == [(Inner(), {})]
    assert keys_checked(path, "pets = 3", checks) == []


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["kind", "fps", "name", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([*Outer.__struct_fields__, "extra"]), VALUES, max_size=6))
def test_any_values_load_or_are_refused(tmp_path: Path, values: dict[str, object]) -> None:
    path = tmp_path / "any.toml"
    refused: list[Mistake] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toml_words, "read_table", lambda path: values)
        try:
            load_strict(path, Outer)
        except ConfigErrors as errors:
            refused = errors.mistakes
    assert all(mistake.allowed and mistake.key for mistake in refused)
