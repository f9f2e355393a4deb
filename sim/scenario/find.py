"""Scenarios by file, by folder, or by the name of a shipped one."""

from __future__ import annotations

import difflib
from pathlib import Path

from sim import scenarios
from sim.scenario.load import SUFFIX

ALL = "all"
"""Means every shipped scenario."""
SHIPPED = Path(scenarios.__file__).resolve().parent


class NotFound(Exception):
    """Nothing has this name; the message says what there is."""


def find(words: list[str]) -> list[Path]:
    """Files that the words of a command line mean, each once, in their order.

    Raises:
        NotFound: a word that is no file, no folder with scenarios and no shipped one.
    """
    found: dict[Path, None] = {}
    for word in words:
        found |= dict.fromkeys(_find_one(word))
    return list(found)


def shipped() -> list[Path]:
    """All that come with Haetae, by name."""
    return sorted(SHIPPED.glob(f"*{SUFFIX}"))


def _find_one(word: str) -> list[Path]:
    if word == ALL:
        return shipped()
    path = Path(word)
    if path.is_file():
        return [path]
    if path.is_dir():
        files = sorted(path.rglob(f"*{SUFFIX}"))
        if not files:
            raise NotFound(f"{word}: no *{SUFFIX} in this folder")
        return files
    own = SHIPPED / f"{word}{SUFFIX}"
    if "/" not in word and own.is_file():
        return [own]
    names = [file.name.removesuffix(SUFFIX) for file in shipped()]
    close = difflib.get_close_matches(word, names, n=3)
    hint = f"did you mean {', '.join(close)}?" if close else "`haetae sim list` shows the names"
    raise NotFound(f"{word}: no such file, folder or shipped scenario; {hint}")
