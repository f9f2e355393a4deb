"""A bundle is fetched by ranges of what the camera wants, over links and servers as they are."""

from __future__ import annotations

import pytest

from ota.carriers import http_bundle
from ota.carriers.camera import SourceGone, SourceLost
from ota.carriers.http_bundle import PASSES, RUN_BYTES, TRIES, HttpBundle
from ota.carriers.web import Web
from ota.head import parse_head
from ota.manifest import parse_manifest, take
from ota.refusal import Refused
from tests.ota.carriers.servers import NOW_MS, serving
from tests.ota.carriers.world import bundle_bytes

DATA = bundle_bytes(5)
PATH = "/5.bundle"


@pytest.fixture
def server():
    with serving() as (static, url):
        static.files[PATH] = DATA
        static.url = url + PATH
        yield static


@pytest.fixture
def web():
    made = Web(NOW_MS)
    yield made
    made.close()


class Fetch:
    def __init__(self, web: Web, url: str, target: str = "tflite", **how) -> None:
        self.rests: list[float] = []
        self.bundle = HttpBundle(web, url, target, self.rests.append, **how)
        self.chunks = take(self.bundle.manifest, target, 1).chunks

    def all(self, first: int = 0) -> bytes:
        try:
            return b"".join(self.bundle.chunk(chunk) for chunk in self.chunks[first:])
        finally:
            self.bundle.close()


def wanted(first: int = 0) -> bytes:
    start = len(parse_head(DATA).to_bytes())
    fetched = take(parse_manifest(parse_head(DATA).manifest), "tflite", 1).chunks[first:]
    return b"".join(DATA[start + c.bundle_at :][: c.stored_size] for c in fetched)


def test_only_what_the_camera_takes_is_fetched_in_few_requests(server, web):
    fetch = Fetch(web, server.url, size=len(DATA), digest=parse_head(DATA).digest)
    assert fetch.all() == wanted()
    head = len(parse_head(DATA).to_bytes())
    assert server.sent[PATH] <= head + len(wanted()) + http_bundle.FIRST_BYTES
    assert len(DATA) > 1.8 * len(wanted()), "the bundle holds another target, too"
    assert len(server.asked) == fetch.bundle.requests <= 5
    assert server.connections == 1, "one connection for all"


def test_a_transfer_goes_on_from_any_chunk(server, web):
    fetch = Fetch(web, server.url)
    assert fetch.all(first=3) == wanted(first=3)
    assert server.sent[PATH] < len(wanted(3)) + http_bundle.FIRST_BYTES + 1000


@pytest.mark.parametrize("at", [1, 10_000, 70_000])
def test_a_broken_transfer_goes_on_at_its_byte(server, web, at):
    fetch = Fetch(web, server.url)
    before = server.sent[PATH]
    server.break_after[PATH] = [at, at, at]
    assert fetch.all() == wanted()
    assert server.sent[PATH] - before <= 1.02 * len(wanted())
    assert fetch.rests, "it waits before it asks again"


def test_a_server_that_is_overloaded_is_asked_again(server, web):
    fetch = Fetch(web, server.url)
    server.statuses[PATH] = [503, 500, 429]
    assert fetch.all() == wanted()
    assert fetch.rests == [1000.0, 2000.0, 4000.0]


def test_it_gives_up_after_some_tries(server, web):
    fetch = Fetch(web, server.url)
    server.statuses[PATH] = [503] * 20
    with pytest.raises(SourceLost, match="503"):
        fetch.all()
    assert len(server.statuses[PATH]) == 20 - TRIES


def test_a_file_that_changes_meanwhile_is_noticed(server, web):
    fetch = Fetch(web, server.url)
    fetch.bundle.chunk(fetch.chunks[0])
    server.files[PATH] = DATA[:-1] + bytes([DATA[-1] ^ 1])
    with pytest.raises(SourceGone, match="changed"):
        fetch.all()
    assert fetch.rests == []


def test_a_file_that_is_taken_away_is_noticed(server, web):
    fetch = Fetch(web, server.url)
    del server.files[PATH]
    with pytest.raises(SourceGone, match="404"):
        fetch.all()


def test_without_ranges_it_is_read_through_once(server, web):
    server.has_ranges = False
    fetch = Fetch(web, server.url)
    assert fetch.all() == wanted()
    assert len(server.asked) == 1


def test_what_came_with_the_head_is_not_asked_for_again(server, web):
    """The chunks of this target begin right after the head."""
    server.has_ranges = False
    fetch = Fetch(web, server.url, target="rk3588")
    assert fetch.chunks[0].bundle_at == 0
    fetch.all()
    assert len(server.asked) == 1


def test_without_ranges_a_bad_link_is_given_up_in_bounds(server, web):
    server.has_ranges = False
    server.break_after[PATH] = [100_000] * 20
    fetch = Fetch(web, server.url)
    with pytest.raises(SourceGone, match="no ranges"):
        fetch.all()
    assert len(server.asked) <= PASSES + 1


def test_without_entity_tags_the_length_is_watched(server, web):
    server.has_etags = False
    fetch = Fetch(web, server.url)
    assert all("if-range" not in headers for headers in server.headers)
    server.files[PATH] = DATA + b"x"
    with pytest.raises(SourceGone, match="changed"):
        fetch.all()


def test_a_weak_entity_tag_guards_no_range(server, web):
    server.weak = True
    assert Fetch(web, server.url).all() == wanted()
    assert all("if-range" not in headers for headers in server.headers)


def test_if_range_is_sent_with_a_strong_one(server, web):
    Fetch(web, server.url).all()
    assert server.headers[-1]["if-range"] == server.etag(DATA)
    assert all(headers["accept-encoding"] == "identity" for headers in server.headers)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<html>no such bundle</html>" * 10, "malformed"),
        (DATA[:-1], "truncated"),
        (DATA + b"x", "too_long"),
        (DATA[:1000], "truncated"),
        (b"", None),
    ],
)
def test_what_is_no_bundle_is_refused_at_its_head(server, web, data, reason):
    server.files[PATH] = data
    with pytest.raises((Refused, SourceLost)) as caught:
        Fetch(web, server.url)
    assert getattr(caught.value, "reason", None) == reason
    assert server.sent[PATH] <= http_bundle.FIRST_BYTES + 100_000


def test_another_bundle_than_the_named_one_is_refused(server, web):
    with pytest.raises(Refused, match="not the bundle"):
        Fetch(web, server.url, digest=b"x" * 32)
    with pytest.raises(Refused, match="manifest says"):
        Fetch(web, server.url, size=len(DATA) + 1)


def test_a_length_that_is_not_told_is_refused(server, web):
    server.has_ranges = server.has_length = False
    with pytest.raises(SourceLost, match="how long"):
        Fetch(web, server.url)


def test_redirects_are_few(server, web):
    server.redirects["/a"] = PATH
    assert Fetch(web, server.url.replace(PATH, "/a")).all() == wanted()
    server.redirects["/b"] = "/b"
    with pytest.raises(SourceGone, match="again and again"):
        Fetch(web, server.url.replace(PATH, "/b"))


def test_runs_are_bounded(server, web, monkeypatch):
    monkeypatch.setattr(http_bundle, "RUN_BYTES", 1 << 16)
    assert RUN_BYTES > 1 << 16
    fetch = Fetch(web, server.url)
    for chunk in fetch.chunks:
        fetch.bundle.chunk(chunk)
        assert len(fetch.bundle._data) <= max(1 << 16, http_bundle.FIRST_BYTES)
    fetch.bundle.close()
