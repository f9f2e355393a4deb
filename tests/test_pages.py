"""The pages say what is so: links lead somewhere, named files and tests exist, commands parse."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from tests.places import REPOSITORY
from tests.typed import FENCE, programs

PAGES = sorted(
    page.relative_to(REPOSITORY).as_posix()
    for pattern in ("*.md", "docs/*.md", "ota/*.md", "ota/link/*.md", "models/training/README.md")
    for page in REPOSITORY.glob(pattern)
    if page.name != "CHANGELOG.md"
)
"""The change log tells of what was."""
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
PATH = re.compile(r"^(?:\.ci|board_configs|docs|drivers|models|ota|runtime|sim|tests)/[\w./*-]+$")
TEST = re.compile(r"^test_\w+$")
WORD = re.compile(r"^[a-z][a-z-]*(\|[a-z-]+)*$")
PLACEHOLDER = re.compile(r"\b[A-Z]{3,}\b")
"""For the reader to fill in: board_configs/NAME.toml."""


class Parsed(BaseException):
    """The arguments were understood; the command is not run."""


def text_of(page: str) -> str:
    return (REPOSITORY / page).read_text()


@cache
def tracked() -> frozenset[str]:
    """Files of the repository and their folders, as git knows them or soon will."""
    listed = ("git", "ls-files", "--cached", "--others", "--exclude-standard")
    done = subprocess.run(listed, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    files = done.stdout.split("\n")
    folders = {parent.as_posix() for file in files for parent in Path(file).parents}
    return frozenset(files) | folders


@cache
def all_tests() -> str:
    """All tests, one definition a line."""
    files = sorted((REPOSITORY / "tests").rglob("test_*.py"))
    found = (re.findall(r"^def (test_\w+)\(", file.read_text(), re.MULTILINE) for file in files)
    return "\n".join(name for names in found for name in names) + "\n"


@cache
def anchors(page: str) -> set[str]:
    """As GitHub makes them of headings."""
    titles = HEADING.findall(FENCE.sub("", Path(page).read_text()))
    plain = (re.sub(r"[^\w\- ]", "", title.lower()) for title in titles)
    return {title.replace(" ", "-") for title in plain}


def broken_links(page: str) -> Iterator[str]:
    for link in LINK.findall(FENCE.sub("", text_of(page))):
        if re.match(r"^[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = ((REPOSITORY / page).parent / path).resolve() if path else REPOSITORY / page
        if not target.exists() or (anchor and anchor not in anchors(str(target))):
            yield link


def wrong_name(code: str) -> str:
    """What is wrong with a file or test that a page names; "" = nothing."""
    path, _, name = code.partition("::")
    if TEST.match(code):
        return "" if f"{code}\n" in all_tests() else "no such test"
    if not PATH.match(path) or PLACEHOLDER.search(path):
        return ""
    if "*" in path:
        return "" if any(REPOSITORY.glob(path)) else "no such files"
    if path.rstrip("/") not in tracked():
        return "no such file"
    return "" if not name or f"def {name}(" in text_of(path) else "no such test in it"


@cache
def command(program: str, name: str) -> Callable[[list[str]], int]:
    """`haetae NAME`, or a program of its own, as pyproject.toml has them; raises KeyError."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    named = project["entry-points"]["haetae.commands"] if name else project["scripts"]
    module, _, function = named[name or program].partition(":")
    found: Callable[[list[str]], int] = getattr(import_module(module), function)
    return found


def split(words: list[str]) -> tuple[Callable[[list[str]], int], list[str]]:
    """A command, and the words after it; raises KeyError."""
    if words[0] == "haetae":
        return command("haetae", words[1]), words[2:]
    return command(words[0], ""), words[1:]


def make_target(name: str) -> bool:
    return bool(re.search(rf"^{re.escape(name)}:", text_of("Makefile"), re.MULTILINE))


@pytest.fixture
def parses(monkeypatch, capsys):
    """Whether `haetae` or `make` understand a line; says why not."""
    real = argparse.ArgumentParser.parse_args

    def only_parse(parser, args=None, namespace=None):
        raise Parsed(real(parser, args, namespace))

    def judge(line: str) -> str:
        words = shlex.split(line)
        if words[0] == "make":
            return "" if all(make_target(word) for word in words[1:]) else "no such target"
        monkeypatch.setattr(argparse.ArgumentParser, "parse_args", only_parse)
        monkeypatch.setenv("HAETAE_LINK", "unix:/run/haetae/link")
        try:
            run, arguments = split(words)
            code: object = run(arguments)
        except Parsed:
            return ""
        except KeyError:
            return "no such command"
        except SystemExit as stop:
            code = stop.code
        finally:
            monkeypatch.undo()
        told = capsys.readouterr().err.strip()
        return f"{code}: {told[-200:]}" if code else ""

    return judge


def mentions(page: str) -> Iterator[str]:
    """Commands in running text; of `haetae a|b` each one."""
    for code in CODE.findall(FENCE.sub("", text_of(page))):
        if re.match(r"(haetae(-boot)?|make) [a-z]", code):
            words = code.split(" ")
            bars = next((n for n, word in enumerate(words) if "|" in word and WORD.match(word)), 0)
            for choice in words[bars].split("|"):
                yield " ".join([*words[:bars], choice, *words[bars + 1 :]])


def asks_help(line: str, capsys) -> str:
    """What is wrong with a command that is only mentioned, with its options; "" = nothing."""
    words = line.split(" ")
    end = next((n for n, word in enumerate(words) if not WORD.match(word)), len(words))
    if words[0] == "make":
        return "" if make_target(words[1]) else "no such target"
    try:
        run, arguments = split(words[:end])
        code: object = run([*arguments, "--help"])
    except KeyError:
        return "no such command"
    except SystemExit as stop:
        code = stop.code
    printed = capsys.readouterr()
    told = re.sub(r"\s+", " ", printed.out + printed.err)
    unknown = [word for word in words[end:] if re.match(r"--[a-z]", word) and word not in told]
    return f"unknown {unknown}" if unknown else str(code or "")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    assert list(broken_links(page)) == []


@pytest.mark.parametrize("page", PAGES)
def test_files_and_tests_that_are_named_exist(page):
    named = CODE.findall(FENCE.sub("", text_of(page)))
    wrong = {code: wrong_name(code) for code in named if wrong_name(code)}
    assert wrong == {}


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_blocks_are_understood(page, parses):
    wrong = {line: problem for line in programs(text_of(page)) if (problem := parses(line))}
    assert wrong == {}


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_the_text_exist_with_their_options(page, capsys):
    wrong = {line: problem for line in mentions(page) if (problem := asks_help(line, capsys))}
    assert wrong == {}


def test_what_is_not_so_is_found(parses, capsys):
    """Each kind of mistake, once."""
    assert (
        parses("haetae check --bord x.toml") and parses("haetae chek") and parses("make nonsense")
    )
    assert not parses("haetae check --board x.toml")
    assert asks_help("haetae ota pusj x.bundle", capsys) and asks_help(
        "haetae ota push --agn", capsys
    )
    assert asks_help("haetae-boot nonsense", capsys) and not asks_help("haetae-boot good", capsys)
    assert not asks_help("haetae ota push --again", capsys)
    assert wrong_name("runtime/no_such.py") and wrong_name("test_no_such_thing")
    assert wrong_name("tests/test_house.py::test_no_such")
    assert not wrong_name("tests/test_house.py::test_one_idea_a_file")


def test_every_page_is_reached_from_the_first():
    seen, todo = set(), {"README.md"}
    while todo:
        page = todo.pop()
        seen.add(page)
        for link in LINK.findall(text_of(page)):
            target = ((REPOSITORY / page).parent / link.partition("#")[0]).resolve()
            name = target.relative_to(REPOSITORY).as_posix() if target.is_file() else ""
            todo |= {name} & set(PAGES) - seen
    assert set(PAGES) - seen == set()
