"""Power cuts between the steps by which files become durable: every state that a disk may be in.

A file that was not synced may hold anything of itself; a name that was given is there or not until
its folder was synced, whatever the order. That is less than ext4 promises, and what fsync(2) does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path


@dataclass
class Step:
    """A name that was given: what it stands for, and what of that was durable then."""

    name: str
    content: bytes
    is_synced: bool
    is_folder_synced: bool = False


@dataclass
class FileCuts:
    """Listens to one folder.

    Attributes:
        steps: names in the order in which they were given.
        order: all that happened: "sync NAME", "name NAME", "sync folder".
    """

    folder: Path
    steps: list[Step] = field(default_factory=list)
    order: list[str] = field(default_factory=list)

    def listen(self, monkeypatch) -> None:
        sync, replace = os.fsync, Path.replace
        synced: set[str] = set()

        def fsync(fd: int) -> None:
            path = Path(f"/proc/self/fd/{fd}").readlink()
            sync(fd)
            if path == self.folder:
                self.order.append("sync folder")
                for step in self.steps:
                    step.is_folder_synced = True
            elif path.parent == self.folder:
                self.order.append(f"sync {path.name}")
                synced.add(path.name)

        def named(path: Path, to: Path) -> Path:
            step = Step(to.name, path.read_bytes(), path.name in synced)
            self.order.append(f"name {to.name}")
            self.steps.append(step)
            synced.discard(path.name)
            return replace(path, to)

        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(Path, "replace", named)

    def states(self, done: int) -> Iterator[dict[str, bytes]]:
        """What may lie in the folder when the power goes after `done` names were given.

        The folder's syncs are those that follow each name, but for the last one.
        """
        given = self.steps[:done]
        choices = []
        for place, step in enumerate(given):
            contents = [step.content] if step.is_synced else [b"", step.content[:9], step.content]
            is_kept = step.is_folder_synced and (place < done - 1 or done == len(self.steps))
            choices.append([*contents] if is_kept else [None, *contents])
        for chosen in product(*choices):
            yield {
                step.name: content
                for step, content in zip(given, chosen, strict=True)
                if content is not None
            }
