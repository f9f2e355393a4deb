"""`haetae report`: what a journal tells a site manager, as one page; also while the camera runs."""

from __future__ import annotations

import argparse
import os
import sys
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from drivers.board import load_board
from drivers.faults import StorageFault
from drivers.storage import FileReader
from drivers.toml_strict import ConfigErrors
from runtime.geometry import ResolvedSite, resolve_site
from runtime.journal import read_all
from runtime.journal_export import to_json
from runtime.report.history import History, read
from runtime.report.summary import Summary, summarise
from runtime.site_check import load_site

if TYPE_CHECKING:
    from runtime.site import Site

OK, REFUSED_CONFIG, REFUSED_STORAGE = 0, 2, 6
DEFAULT_K = 5
MOST_PICTURE_BYTES = 8 << 20
PICTURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png"}


class Refused(Exception):
    """An argument that cannot be used; the message says why and what is allowed."""


def report(argv: Sequence[str]) -> int:
    """Run the command; `argv` begins after the word "report".

    Returns:
        0, 2 (wrong arguments, board or site file) or 6 (the journal or a picture cannot be read,
        or OUT not written).
    """
    try:
        return _report(_parser().parse_args(argv))
    except SystemExit as leave:  # argparse has said what is wrong
        return REFUSED_CONFIG if leave.code else OK
    except BrokenPipeError:  # `| head`; what is left in the buffer must not fail at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except (ConfigErrors, Refused) as refused:
        return _complain(refused, REFUSED_CONFIG)
    except (StorageFault, OSError) as fault:
        return _complain(fault, REFUSED_STORAGE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("haetae report", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--journal", help="the journal ring, or a copy of it")
    where.add_argument("--board", help="the board file that says where the ring is")
    parser.add_argument("--site", help="site file: zones and lines to draw, k, background")
    parser.add_argument("--background", type=Path, help="anonymised picture of the empty scene")
    parser.add_argument(
        "--from", dest="start", help="date or time, e.g. 2026-11-20 or 2026-11-20T08"
    )
    parser.add_argument("--to", dest="end", help="the same; a date ends before that day begins")
    parser.add_argument("--timezone", default="UTC", help="of these and of the page: Asia/Seoul")
    parser.add_argument(
        "--k", type=int, help="withhold what fewer tracks account for; default: as counted"
    )
    parser.add_argument("--out", type=Path, help="file for the page, ends in .html")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    return parser


def _report(arguments: argparse.Namespace) -> int:
    if arguments.out is None and not arguments.json:
        raise Refused("--out FILE.html or --json must say where the report goes")
    zone = _zone(arguments.timezone)
    window = _moment("--from", arguments.start, zone), _moment("--to", arguments.end, zone)
    site = load_site(arguments.site) if arguments.site else None
    path = arguments.journal or load_board(arguments.board).storage.path
    history = _read(Path(path))
    k = _k(arguments.k, site, history)
    first = summarise(history, k, zone, None, window)
    resolved = resolve_site(site, *first.picture, arguments.site) if site else None
    summary = summarise(history, k, zone, resolved, window) if resolved else first
    if arguments.json:
        print(to_json(summary.as_json()))
    if arguments.out is not None:
        _write(arguments, site, summary, resolved, Path(path))
    return OK


def _write(
    arguments: argparse.Namespace,
    site: Site | None,
    summary: Summary,
    resolved: ResolvedSite | None,
    journal: Path,
) -> None:
    from runtime.report.page import page

    out: Path = arguments.out
    if out.exists() and journal.exists() and out.samefile(journal):
        raise Refused(f"{out}: is the journal itself")
    background = _background(arguments.background, site)
    draft = out.with_name(out.name + ".part")
    try:
        draft.write_text(page(summary, resolved, background), encoding="utf-8")
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
    if not summary.has_counts:
        print("no counts on record in this time: is there a [counts] in the site file?")
    print(f"{out}: {summary.records} records, {summary.hours} hours of counts, k = {summary.k}")


def _read(path: Path) -> History:
    reader = FileReader(path)
    try:
        return read(read_all(reader))
    finally:
        reader.close()


def _k(asked: int | None, site: Site | None, history: History) -> int:
    """What the command line says, else the site file, else what the camera counted with."""
    if asked is not None:
        if not 1 <= asked <= 100:
            raise Refused(f"--k {asked}: must be 1 to 100")
        return asked
    if site is not None and site.counts is not None:
        return site.counts.k
    return next((period.k for period in reversed(history.periods) if period.k), DEFAULT_K)


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Refused(f"--timezone {name}: must be a name such as Asia/Seoul") from error


def _moment(option: str, text: str | None, zone: tzinfo) -> float | None:
    """ISO 8601 in the zone of the report, as wall time in ms."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        allowed = "must be a date or time such as 2026-11-20 or 2026-11-20T08:30"
        raise Refused(f"{option} {text}: {allowed}") from error
    return (found if found.tzinfo else found.replace(tzinfo=zone)).timestamp() * 1000


def _background(asked: Path | None, site: Site | None) -> str:
    """The picture as a data URL; that of the site file may be missing, one asked for may not."""
    path = asked
    if path is None and site is not None and site.counts is not None and site.counts.background:
        path = Path(site.counts.background)
        if not path.exists():
            return ""
    if path is None:
        return ""
    data = path.read_bytes()
    kind = next((kind for head, kind in PICTURES.items() if data.startswith(head)), None)
    if kind is None:
        raise Refused(f"{path}: must be a JPEG or PNG picture")
    if len(data) > MOST_PICTURE_BYTES:
        raise Refused(f"{path}: has {len(data)} bytes, at most {MOST_PICTURE_BYTES} are possible")
    return f"data:{kind};base64,{b64encode(data).decode('ascii')}"


def _complain(error: Exception, code: int) -> int:
    print(error, file=sys.stderr)
    return code
