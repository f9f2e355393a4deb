"""What a page prints to be typed, and a folder with the `haetae` of these sources to type it in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.places import REPOSITORY

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?<=\n\n)((?:    [^\n]*\n)+)")
PROMPT = re.compile(r"^(?:\S*/)?(haetae(?:-boot)?|make)(?= |$)")


def blocks(text: str, kind: str = "sh") -> list[str]:
    """The fenced blocks of a kind, in their order."""
    return [body for its_kind, body in FENCE.findall(text) if its_kind == kind]


def lines(block: str) -> list[str]:
    """The commands of a block, one each, as a shell would read them."""
    joined = block.replace("\\\n", " ")
    told = (re.sub(r"\s+#\s.*$", "", line) for line in joined.splitlines())
    return [re.sub(r"\s+", " ", line).strip() for line in told if line.strip()]


def programs(text: str) -> Iterator[str]:
    """Every call of a program of ours, or of `make`, in a block of a page, whatever its kind."""
    without = FENCE.sub("", text)
    shown = [body for _, body in FENCE.findall(text)] + INDENTED.findall(without)
    for block in shown:
        for line in lines(block):
            if PROMPT.match(line):
                yield PROMPT.sub(r"\1", line).removesuffix(" &")


def install(folder: Path) -> dict[str, str]:
    """Put the `haetae` of these sources into a folder's bin.

    Returns:
        The environment in which it is found, without what was set for these tests.
    """
    made = folder / "bin"
    packaged = made / "haetae-0.dist-info"
    packaged.mkdir(parents=True)
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    groups = [
        "\n".join([f"[{group}]", *(f"{name} = {where}" for name, where in entries.items())])
        for group, entries in project["entry-points"].items()
    ]
    (packaged / "entry_points.txt").write_text("\n".join(groups) + "\n")
    about = f"Metadata-Version: 2.1\nName: haetae\nVersion: {project['version']}\n"
    (packaged / "METADATA").write_text(about)
    command = made / "haetae"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m runtime.main "$@"\n')
    command.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if "HAETAE" not in name}
    environment["PATH"] = f"{made}:{os.environ['PATH']}"
    environment["PYTHONPATH"] = f"{made}:{REPOSITORY}"
    return environment


def typed(script: str, folder: Path, environment: Mapping[str, str], limit_s: float) -> str:
    """Run a script until its first failure, which fails the test; returns what it said."""
    file = folder / "typed.sh"
    file.write_text(f"set -e\n{script}\n")
    done = subprocess.run(
        ["bash", file.name],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=limit_s,
        start_new_session=True,
    )
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout[-3000:]}"
    return done.stdout
