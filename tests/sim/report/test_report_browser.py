"""The page in a real browser: no errors, every mark answers a click, nothing sticks out."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sim.report import page
from tests.sim.report.report_results import ATTACK, leave_files, made_result

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
QUIET = ("CONSOLE", "Uncaught")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")


def look(file: Path, width_px: int, profile: Path) -> tuple[dict[str, str], str]:
    """What the page's own check wrote into it, and what the console said."""
    done = subprocess.run(
        [
            CHROMIUM or "", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
            "--disable-background-networking", "--no-first-run",
            f"--user-data-dir={profile}", f"--window-size={width_px},900",
            "--virtual-time-budget=20000", "--enable-logging=stderr", "--v=0",
            f"{file.as_uri()}#selfcheck",
        ],
        capture_output=True, text=True, errors="replace", timeout=120, check=True,
    )  # fmt: skip
    body = re.search(r"<body([^>]*)>", done.stdout)
    assert body
    console = "\n".join(line for line in done.stderr.splitlines() if any(q in line for q in QUIET))
    return dict(re.findall(r'data-check-(\w+)="(\w+)"', body[1])), console


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    made = [made_result(), made_result(ATTACK, "passed")]
    for result in made:
        leave_files(result, folder)
    return page.write(made, folder)


@pytest.mark.parametrize("width_px", [1280, 500])
def test_every_mark_can_be_clicked_and_nothing_is_wrong(file, width_px, tmp_path):
    """A headless window is never narrower than 500 px; 390 is checked inside a frame below."""
    seen, console = look(file, width_px, tmp_path)
    marks = file.read_text(encoding="utf-8").count("data-t=")
    assert console == ""
    assert seen["done"] == "yes"
    assert int(seen["marks"]) == int(seen["pictures"]) == marks > 40
    assert seen["wide"] == "0"
    assert seen["small"] == "0"
    assert seen["errors"] == "0"


def test_it_fits_a_phone(file, tmp_path):
    """390 px wide, in a frame of that width."""
    frame = tmp_path / "phone.html"
    script = (
        "addEventListener('message', (e) => { for (const [k, v] of Object.entries(e.data))"
        " document.body.setAttribute('data-check-' + k, v); });"
    )
    url = f"{file.as_uri()}#selfcheck"
    frame.write_text(
        f"<!doctype html><body><script>{script}</script>"
        f'<iframe src="{url}" style="width:390px;height:844px;border:0"></iframe>'
    )
    seen, console = look(frame, 800, tmp_path)
    assert console == ""
    assert (seen["done"], seen["wide"], seen["small"]) == ("yes", "0", "0")


def test_the_check_sees_what_is_wrong(file, tmp_path):
    """Plant small text, a wide block, a lost picture and an error."""
    text = file.read_text(encoding="utf-8")
    planted = text.replace("<main>", '<main><p style="font-size:9px;width:2000px">x</p>', 1)
    planted = planted.replace("data:image/jpeg;base64,", "data:image/jpeg;base64,AA", 3)
    planted = planted.replace("</body>", "<script>missing();</script></body>")
    (tmp_path / "bad.html").write_text(planted, encoding="utf-8")
    seen, console = look(tmp_path / "bad.html", 1280, tmp_path / "profile")
    assert "missing is not defined" in console
    assert int(seen["small"]) == 1
    assert int(seen["wide"]) > 0
    assert int(seen["pictures"]) < int(seen["marks"])
