"""TLS is verified, a token stays with its server, a proxy is used, and answers are bounded."""

from __future__ import annotations

import shutil
import ssl
import subprocess

import pytest

from ota.carriers.camera import SourceGone, SourceLost
from ota.carriers.web import GRACE_MS, MAX_REDIRECTS, Web, origin, part_of, strong_etag
from tests.ota.carriers.servers import NOW_MS, serving

TOKEN = "TargetToken 0123456789"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """name -> (certificate, key), each its own authority."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    folder = tmp_path_factory.mktemp("certificates")
    for name, host in (("good", "localhost"), ("other", "other.example")):
        words = (
            f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 "
            f"-subj /CN={host} -addext subjectAltName=DNS:{host} "
            f"-keyout {folder}/{name}.key -out {folder}/{name}.pem"
        )
        subprocess.run(words.split(), check=True, capture_output=True)
    return {name: (folder / f"{name}.pem", folder / f"{name}.key") for name in ("good", "other")}


def context(pair) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*pair)
    return made


def test_a_trusted_server_is_talked_to(certificates):
    with serving(context(certificates["good"])) as (static, url):
        static.files["/a"] = b"hello"
        web = Web(NOW_MS, ca_file=str(certificates["good"][0]))
        assert web.get(f"{url}/a", 100).data == b"hello"
        web.close()


@pytest.mark.parametrize(
    ("server", "trusted"), [("good", None), ("good", "other"), ("other", "other")]
)
def test_nobody_else_is(certificates, server, trusted):
    """An unknown authority, the wrong one, and a certificate for another host."""
    with serving(context(certificates[server])) as (static, url):
        static.files["/a"] = b"hello"
        web = Web(NOW_MS, ca_file=str(certificates[trusted][0]) if trusted else None)
        with pytest.raises(SourceLost, match="certificate"):
            web.get(f"{url}/a", 100)
        assert static.asked == []
        web.close()


def test_https_never_leads_to_http(certificates):
    with serving() as (open_, open_url), serving(context(certificates["good"])) as (static, url):
        open_.files["/a"] = b"hello"
        static.redirects["/a"] = f"{open_url}/a"
        web = Web(NOW_MS, ca_file=str(certificates["good"][0]))
        with pytest.raises(SourceGone, match="not https"):
            web.get(f"{url}/a", 100)
        assert open_.asked == []
        web.close()


def test_a_token_goes_to_its_own_server_only():
    with serving() as (own, own_url), serving() as (other, other_url):
        own.redirects["/a"] = f"{other_url}/a"
        own.files["/b"] = other.files["/a"] = b"hello"
        web = Web(NOW_MS, token=TOKEN, token_for=f"{own_url}/x")
        assert web.get(f"{own_url}/b", 100).data == web.get(f"{own_url}/a", 100).data == b"hello"
        assert [headers.get("authorization") for headers in own.headers] == [TOKEN, TOKEN]
        assert "authorization" not in other.headers[0]
        web.close()


def test_a_proxy_is_asked_instead():
    with serving() as (proxy, url):
        proxy.files["http://cdn.example/a"] = b"by proxy"
        web = Web(NOW_MS, proxy=url)
        assert web.get("http://cdn.example/a", 100).data == b"by proxy"
        web.close()


def test_answers_are_bounded():
    with serving() as (static, url):
        static.files["/a"] = bytes(1 << 20)
        web = Web(NOW_MS)
        with pytest.raises(SourceLost, match="more than 1000 bytes"):
            web.get(f"{url}/a", 1000)
        static.redirects["/r"] = "/r"
        with pytest.raises(SourceGone, match="again and again"):
            web.get(f"{url}/r", 1000)
        assert sum(path == "/r" for path, _ in static.asked) == MAX_REDIRECTS + 1
        web.close()


def test_a_server_that_trickles_holds_nobody_up():
    """Ten bytes every now and then, in time that runs faster than the server."""
    with serving() as (static, url):
        static.files["/a"] = bytes(100_000)
        passed = iter(range(0, 10**9, 3_000))
        web = Web(lambda: float(next(passed)))
        with web.open("GET", f"{url}/a", {}) as answer, pytest.raises(SourceLost, match="too slow"):
            list(iter(lambda: answer.read(10), b""))
        web.close()


def test_a_long_answer_at_a_fair_pace_is_taken():
    with serving() as (static, url):
        static.files["/a"] = bytes(2 << 20)
        passed = iter(range(0, 10**9, 1_000))
        web = Web(lambda: float(next(passed)))
        with web.open("GET", f"{url}/a", {}) as answer:
            assert len(answer.whole(2 << 20)) == 2 << 20
        assert next(passed) > 2 * GRACE_MS, "in the server's time"
        web.close()


def test_an_answer_that_breaks_off_is_none():
    with serving() as (static, url):
        static.files["/a"] = bytes(1000)
        static.break_after["/a"] = [500]
        web = Web(NOW_MS)
        with pytest.raises(SourceLost):
            web.get(f"{url}/a", 2000)
        web.close()


@pytest.mark.parametrize("url", ["http://localhost:1/", "http://[::1", "nonsense", "file:///x"])
def test_where_nobody_is(url):
    web = Web(NOW_MS)
    with pytest.raises(SourceLost):
        web.get(url, 10)
    web.close()


@pytest.mark.parametrize(
    ("status", "headers", "part"),
    [
        (206, {"content-range": "bytes 5-9/20"}, (5, 20)),
        (200, {"content-length": "20"}, (0, 20)),
        (200, {}, (0, -1)),
        (200, {"content-length": "many"}, (0, -1)),
    ],
)
def test_parts_of_files(status, headers, part):
    assert part_of(status, headers) == part


@pytest.mark.parametrize(
    ("status", "content_range"),
    [
        (206, ""),
        (206, "bytes 5-9/*"),
        (206, "bytes */20"),
        (416, "bytes */20"),
        (301, ""),
        (404, ""),
    ],
)
def test_what_is_no_part(status, content_range):
    with pytest.raises(SourceGone):
        part_of(status, {"content-range": content_range})


@pytest.mark.parametrize(
    ("tag", "strong"),
    [
        ('"abc"', '"abc"'),
        ('W/"abc"', ""),
        ("abc", ""),
        ('"a\x00b"', ""),
        ('"' + "x" * 999 + '"', ""),
    ],
)
def test_which_tags_guard(tag, strong):
    assert strong_etag({"etag": tag}) == strong


def test_who_a_token_is_for():
    assert origin("https://A.example/x") == origin("https://a.example:443/y")
    assert origin("https://a.example") != origin("http://a.example")
