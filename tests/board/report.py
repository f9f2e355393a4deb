"""What the stories of the virtual board found: a line for each expectation, and JUnit XML."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from tests.board.console import BoardFault
from tests.board.qmp import QmpRefused


@dataclass
class Found:
    """One expectation."""

    story: str
    what: str
    measured: str
    is_met: bool
    at_s: float


@dataclass
class Report:
    """Collects what is found, and prints it as it comes."""

    story: str = ""
    found: list[Found] = field(default_factory=list)
    _began_s: float = field(default_factory=time.monotonic)

    def expect(self, what: str, is_met: bool, measured: str = "") -> None:
        """One expectation, with the figure that it was judged by."""
        took_s = time.monotonic() - self._began_s
        self.found.append(Found(self.story, what, measured, bool(is_met), took_s))
        word = "ok  " if is_met else "FAIL"
        print(f"{took_s:6.1f} s  {word}  {what}{f': {measured}' if measured else ''}", flush=True)

    def within(self, what: str, took_s: float, least_s: float, most_s: float) -> None:
        """A time that has to be between two others."""
        is_met = least_s <= took_s <= most_s
        self.expect(what, is_met, f"{took_s:.2f} s, allowed {least_s:g} to {most_s:g} s")

    @contextmanager
    def telling(self, story: str) -> Iterator[None]:
        """Expectations from here on belong to this story; a board that fails it ends only it."""
        self.story = story
        print(f"-- {story}", flush=True)
        try:
            yield
        except (BoardFault, QmpRefused, OSError) as fault:
            where = traceback.extract_tb(fault.__traceback__)[1]
            self.expect(f"line {where.lineno} of {Path(where.filename).name}", False, str(fault))

    @property
    def failed(self) -> int:
        """How many expectations were not met."""
        return sum(not found.is_met for found in self.found)

    def write(self, path: Path) -> None:
        """As JUnit XML (junit-10.xsd of Jenkins' xUnit plug-in): one suite per story."""
        root = ElementTree.Element("testsuites", name="virtual board")
        for story in dict.fromkeys(found.story for found in self.found):
            cases = [found for found in self.found if found.story == story]
            failures = sum(not found.is_met for found in cases)
            counts = {"tests": str(len(cases)), "failures": str(failures), "errors": "0"}
            suite = ElementTree.SubElement(root, "testsuite", name=story, **counts)
            for found in cases:
                case = ElementTree.SubElement(suite, "testcase", name=found.what, classname=story)
                if not found.is_met:
                    ElementTree.SubElement(case, "failure", message=found.measured)
        path.parent.mkdir(parents=True, exist_ok=True)
        ElementTree.indent(root)
        ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
