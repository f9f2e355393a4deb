"""Addresses of cameras, as people write them."""

from __future__ import annotations

import pytest

from ota.link.address import parse

BY_PATH = "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0"


@pytest.mark.parametrize(
    ("text", "kind", "where", "number"),
    [
        ("serial:/dev/ttyUSB0", "serial", "/dev/ttyUSB0", 921_600),
        ("serial:/dev/ttyUSB0:115200", "serial", "/dev/ttyUSB0", 115_200),
        (f"serial:{BY_PATH}", "serial", BY_PATH, 921_600),
        (f"serial:{BY_PATH}:1500000", "serial", BY_PATH, 1_500_000),
        ("tcp:camera-7.local:7447", "tcp", "camera-7.local", 7447),
        ("tcp:[fe80::1]:7447", "tcp", "fe80::1", 7447),
        ("unix:/run/haetae/link", "unix", "/run/haetae/link", 0),
    ],
)
def test_what_is_written_is_understood_and_written_again(text, kind, where, number):
    address = parse(text)
    assert address == (kind, where, number)
    assert parse(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "serial",
        "serial:",
        "serial:/dev/ttyUSB0:0",
        "serial:/dev/ttyUSB0:99999999",
        "tcp:host",
        "tcp:host:",
        "tcp::7447",
        "tcp:host:port",
        "tcp:host:65536",
        "tcp:host:-1",
        "unix:",
        "usb:/dev/sda1",
        "/dev/ttyUSB0",
    ],
)
def test_what_is_no_address_is_told_with_what_may_be(text):
    with pytest.raises(ValueError, match=r"must be serial:.*tcp:host:port"):
        parse(text)
