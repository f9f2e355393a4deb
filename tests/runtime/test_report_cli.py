"""`haetae report`: one page that asks nobody for anything, refusals in one line."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from journals import DAY_MS, HOUR_MS, Camera, an_hour, zone_hour

from runtime.report_cli import report
from tests.machine import SITES

NAME = '<yard> & "gate"'
PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xff"
    b"\xff?\0\5\xfe\2\xfe\xa7\x9a\xa0\xa0\0\0\0\0IEND\xaeB`\x82"
)
SITE = """
format = 1
name = "yard"
units = "fraction"
[[zones]]
name = "press"
polygon = [[0.5, 0.5], [0.9, 0.5], [0.9, 0.9], [0.5, 0.9]]
[[lines]]
name = "gate"
start = [0.5, 0.0]
end = [0.5, 1.0]
[[rules]]
kind = "zone"
zone = "press"
[[rules]]
kind = "line"
line = "gate"
[counts]
columns = 8
rows = 6
k = 7
"""


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    """Five hours of a camera with everything: people, alarms, a blind time, a power cut."""
    camera = Camera(tmp_path / "j.ring")
    camera.boot(NAME)
    for n in range(5):
        camera.wait(HOUR_MS).hour(
            an_hour(
                DAY_MS + n * HOUR_MS,
                cells={10: (9e5, 20), 11: (3e5, 9), 12: (1e5, 2), 20: (2e5, 6 if n else 3)},
                zones={"press": zone_hour(12, 8e5, (6, 4, 2, 0)), "": zone_hour(30, 3e6)},
                lines={"gate": (20 + n, 3 if n == 2 else 18)},
                rules={"zone press": (9000.0, 2, "danger")},
            )
        )
        camera.alarm("active_unacked").wait(20_000).alarm("active_acked", acked=True)
        camera.wait(1000).alarm("normal")
        if n == 3:
            camera.fault("raised").wait(300_000).fault("cleared")
            camera.wait(600_000).boot(NAME)
    camera.stop().close()
    return tmp_path / "j.ring"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(SITE)
    return path


class Page(HTMLParser):
    """Every address that a browser would ask for, every element, the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [
            value or "" for name, value in attrs if name in ("href", "src", "srcset")
        ]

    def handle_data(self, data: str) -> None:
        self.text += data


def made(tmp_path: Path, *arguments: object) -> Page:
    out = tmp_path / "report.html"
    assert report([*map(str, arguments), "--out", str(out)]) == 0
    return Page(out.read_text())


def test_the_page_tells_everything_and_asks_nobody(tmp_path: Path, ring: Path, site: Path) -> None:
    still = tmp_path / "still.png"
    still.write_bytes(PNG)
    page = made(tmp_path, "--journal", ring, "--site", site, "--background", still)
    assert [address[:11] for address in page.addresses] == ["data:image/"]
    assert "script" not in page.tags and "link" not in page.tags
    source = (tmp_path / "report.html").read_text()
    assert "default-src 'none'" in source
    assert not re.search(r"https?://", source)
    for words in (
        '<yard> & "gate"', "Person in press", "20 s", "picture stood still", "5 min",
        "withheld", "2025-11-20 00:00 to 2025-11-20", "Whole picture", "5 h",
    ):  # fmt: skip
        assert words in page.text, words


def test_every_drawing_has_its_table(tmp_path: Path, ring: Path, site: Path) -> None:
    made(tmp_path, "--journal", ring, "--site", site)
    source = (tmp_path / "report.html").read_text()
    labels = re.findall(r'<svg[^>]*role="img"[^>]*aria-label="([^"]*)"', source)
    assert len(labels) == 3
    assert all(label.endswith("see the table below") for label in labels)


def test_k_is_that_of_the_command_line_then_of_the_site_then_of_the_camera(
    tmp_path: Path, ring: Path, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, k in ((["--k", "3"], 3), ([], 7)):
        assert report(["--journal", str(ring), "--site", str(site), "--json", *arguments]) == 0
        assert json.loads(capsys.readouterr().out)["k"] == k
    assert report(["--journal", str(ring), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["k"] == 5
    assert found["watch"]["blind_ms"] == 300_000
    assert found["lines"]["gate"][2]["withheld_out"] == 1
    assert [12 % 8, 12 // 8] in found["heat"]["withheld"]
    assert [20 % 8, 20 // 8] in found["heat"]["partly"]


def test_hours_are_those_of_the_time_zone(
    tmp_path: Path, ring: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--journal", str(ring), "--json", "--timezone", "Asia/Seoul"]
    assert report([*arguments, "--from", "2025-11-20T10:00", "--to", "2025-11-20T12:00"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [hour["label"] for hour in found["lines"]["gate"]] == ["10", "11"]


def test_a_journal_without_counts_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    camera = Camera(tmp_path / "old.ring")
    camera.boot().wait(60_000).stop().close()
    page = made(tmp_path, "--journal", tmp_path / "old.ring")
    assert "holds no counts" in page.text
    assert "no counts on record" in capsys.readouterr().out


def test_an_empty_ring_gives_a_page_too(tmp_path: Path) -> None:
    (tmp_path / "new.ring").write_bytes(bytes(4096 * 8))
    assert "no records" in made(tmp_path, "--journal", tmp_path / "new.ring").text


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--journal", "{ring}"], 2, "--out"),
        (["--journal", "{tmp}/absent.ring", "--json"], 6, "absent.ring"),
        (["--journal", "{ring}", "--json", "--k", "0"], 2, "--k 0"),
        (["--journal", "{ring}", "--json", "--timezone", "Mars/Base"], 2, "Mars/Base"),
        (["--journal", "{ring}", "--json", "--timezone", "../../etc/passwd"], 2, "--timezone"),
        (["--journal", "{ring}", "--json", "--from", "yesterday"], 2, "--from yesterday"),
        (["--journal", "{ring}", "--json", "--site", "{tmp}/none.toml"], 2, "none.toml"),
        (["--journal", "{ring}", "--out", "{tmp}/no/r.html"], 6, "no/r.html"),
        (["--journal", "{ring}", "--out", "{ring}"], 2, "journal itself"),
        (["--journal", "{ring}", "--out", "{tmp}/r.html", "--background", "{ring}"], 2, "JPEG"),
        (["--journal", "{ring}", "--out", "{tmp}/r.html", "--background", "{tmp}/x"], 6, "x"),
        (["--json"], 2, "--journal"),
    ],
)
def test_what_is_refused_says_why(
    tmp_path: Path,
    ring: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    named = [a.replace("{ring}", str(ring)).replace("{tmp}", str(tmp_path)) for a in arguments]
    assert report(named) == code
    assert words in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()


def test_a_site_without_counts_is_no_mistake(tmp_path: Path, ring: Path) -> None:
    made(tmp_path, "--journal", ring, "--site", SITES / "demo_zone.toml")
