"""The serial cable: bytes arrive in order at the baud rate, and what faults do to them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from drivers.clock import VirtualClock
from drivers.interfaces import Serial
from sim.board.serial import BUFFER_BYTES, SerialCable

BYTES_PER_MS = 92.16


def cable(faults=None):
    clock = VirtualClock()
    return clock, SerialCable(clock, {} if faults is None else faults, 5)


def later(clock, by_ms):
    clock.sleep_until_ms(clock.now_ms() + by_ms)


def test_both_ends_are_serial_ports():
    _, both = cable()
    assert isinstance(both.board, Serial) and isinstance(both.technician, Serial)


@given(st.lists(st.tuples(st.binary(max_size=300), st.floats(0, 5), st.integers(0, 400))))
def test_what_is_taken_arrives_once_in_order_whatever_the_pieces(steps):
    clock, both = cable()
    sent = got = b""
    for data, pause_ms, most in steps:
        sent += data[: both.board.write(data)]
        later(clock, pause_ms)
        piece = both.technician.read(most)
        assert len(piece) <= most
        got += piece
        assert sent.startswith(got)
    later(clock, 1000)
    while piece := both.technician.read(100):
        got += piece
    assert got == sent
    assert both.board.read(100) == b"", "nothing comes back"


@given(st.integers(1, 2000))
def test_bytes_need_their_time_on_the_wire(count):
    clock, both = cable()
    both.technician.write(bytes(count))
    later(clock, count / BYTES_PER_MS - 0.02)
    assert len(both.board.read(count)) < count
    later(clock, 0.04)
    assert len(both.board.read(count)) <= count
    later(clock, 1)
    assert both.board.read(count) == b""


def test_a_slow_cable_needs_longer():
    clock, both = cable({"slow": {"percent": 90}})
    both.board.write(bytes(1000))
    later(clock, 1000 / BYTES_PER_MS * 9.9)
    assert len(both.technician.read(4096)) < 1000
    later(clock, 1000 / BYTES_PER_MS * 0.2)
    assert len(both.technician.read(4096)) > 0


def test_the_sender_takes_no_more_than_its_buffer():
    clock, both = cable()
    assert both.board.write(bytes(10_000)) == BUFFER_BYTES
    assert both.board.write(b"x") == 0
    later(clock, 10)
    assert both.board.write(bytes(10_000)) > 0


def test_a_receiver_that_does_not_read_loses_what_comes_too_much():
    clock, both = cable()
    for _ in range(4):
        both.board.write(bytes(4000))
        later(clock, 100)
    assert len(both.technician.read(100_000)) <= BUFFER_BYTES


def test_bytes_on_a_cut_cable_are_lost_and_later_ones_come():
    faults = {}
    clock, both = cable(faults)
    both.board.write(b"whole")
    later(clock, 10)
    both.settle()
    faults["cut"] = {}
    both.board.write(b"lost")
    later(clock, 10)
    both.settle()
    del faults["cut"]
    assert both.technician.read(100) == b"whole"
    both.board.write(b"again")
    later(clock, 10)
    assert both.technician.read(100) == b"again"


def test_a_cable_cut_in_the_middle_leaves_half_a_packet():
    faults = {}
    clock, both = cable(faults)
    both.board.write(bytes(range(200)))
    later(clock, 1)
    half = both.technician.read(1000)
    faults["cut"] = {}
    later(clock, 10)
    assert 0 < len(half) < 200 and half == bytes(range(len(half)))
    assert both.technician.read(1000) == b""


def test_noise_flips_bits_of_about_so_many_bytes_and_is_the_same_each_time():
    def noisy():
        clock, both = cable({"noise": {"percent": 10}})
        both.board.write(bytes(4000))
        later(clock, 100)
        return both.technician.read(4000)

    first = noisy()
    assert len(first) == 4000
    assert 250 < sum(byte != 0 for byte in first) < 550
    assert noisy() == first


def test_a_closed_end_takes_and_gives_nothing():
    clock, both = cable()
    both.technician.write(b"abc")
    both.board.close()
    both.board.close()
    later(clock, 10)
    assert both.board.read(10) == b""
    assert both.board.write(b"x") == 0
