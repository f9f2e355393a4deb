"""Results as JUnit XML, the form that CI servers read.

Written to the schema of Jenkins' xUnit plug-in (junit-10.xsd): testsuites > testsuite > testcase,
with failure, error or skipped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from sim.scenario.result import Result

_UNPRINTABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write, escaped or not."""


def write(results: Sequence[Result], path: Path) -> None:
    """One test suite per scenario, one test case per expectation.

    Raises:
        OSError: the file cannot be written.
    """
    root = ElementTree.Element("testsuites", name="haetae sim")
    for result in results:
        root.append(_suite(result))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _suite(result: Result) -> ElementTree.Element:
    cases = [_case(result, number) for number in range(len(result.expectations))]
    if result.verdict in ("refused", "early") or not cases:
        cases.append(_whole(result))
    suite = ElementTree.Element("testsuite", name=_text(f"{result.scenario} seed {result.seed}"))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("tests", str(len(cases)))
    suite.set("time", f"{result.wall_s:.3f}")
    suite.extend(cases)
    return suite


def _case(result: Result, number: int) -> ElementTree.Element:
    check = result.expectations[number]
    case = _named(result, f"{number + 1} {check.sentence}")
    if check.ok:
        return case
    if result.verdict == "waits":
        ElementTree.SubElement(case, "skipped", message=_text(result.why))
    else:
        words = f"measured {check.measured}; allowed {check.allowed}"
        ElementTree.SubElement(case, "failure", message=_text(words), type=check.that)
    return case


def _whole(result: Result) -> ElementTree.Element:
    """The scenario as a case of its own, where no expectation says it."""
    case = _named(result, "the scenario as a whole")
    tag = {"refused": "error", "early": "failure", "waits": "skipped"}.get(result.verdict)
    if tag:
        ElementTree.SubElement(case, tag, message=_text(result.why))
    return case


def _named(result: Result, name: str) -> ElementTree.Element:
    seconds = result.wall_s / max(1, len(result.expectations))
    return ElementTree.Element(
        "testcase", classname=_text(result.scenario), name=_text(name), time=f"{seconds:.3f}"
    )


def _text(words: str) -> str:
    return _UNPRINTABLE.sub("?", words)
