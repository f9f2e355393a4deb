"""A place where the camera listens comes and goes; the camera goes on."""

import pytest

from drivers.faults import LinkFault
from runtime.desk import Desk
from runtime.updates import REOPEN_MS, Link, NoPort


class FakeServer:
    def __init__(self, port):
        self.ports, self.fails, self.polls, self.closed = [port], False, 0, 0

    def poll(self, now_ms):
        self.polls += 1
        if self.fails:
            raise LinkFault("gone", "somebody pulled it")
        return True

    def replace(self, port):
        self.ports.append(port)

    def close(self):
        self.closed += 1


class World:
    def __init__(self, opens=True):
        self.opens, self.tries, self.desk = opens, 0, Desk()
        self.servers = []
        self.link = Link("serial:/dev/ttyS9", self.open, self.serve, self.desk)

    def open(self):
        self.tries += 1
        if not self.opens:
            raise LinkFault("missing", "there is no such port")
        return f"port {self.tries}"

    def serve(self, port):
        self.servers.append(FakeServer(port))
        return self.servers[-1]


def test_the_server_and_its_memory_are_there_before_the_port_is():
    world = World(opens=False)
    assert len(world.servers) == 1 and isinstance(world.servers[0].ports[0], NoPort)
    assert world.servers[0].ports[0].read(10) == b"" and world.servers[0].ports[0].write(b"x") == 0


def test_a_port_that_is_away_is_looked_for_now_and_then_and_told_once():
    world = World(opens=False)
    for now_ms in range(0, 10_000, 100):
        assert not world.link.poll(float(now_ms))
    assert world.tries == 10_000 / REOPEN_MS
    assert [state for state, _ in world.desk.notes] == ["link_lost"]
    world.opens = True
    assert world.link.poll(10_000.0) and world.link.poll(10_001.0)
    assert world.servers[0].ports[-1] == "port 6" and world.servers[0].polls == 1


def test_a_port_that_is_pulled_is_told_again_each_time():
    world = World()
    for round_ in range(3):
        at_ms = 10_000.0 * round_
        assert world.link.poll(at_ms) and world.link.poll(at_ms + 1)
        world.servers[0].fails = True
        assert not world.link.poll(at_ms + 2)
        world.servers[0].fails = False
    assert len(world.desk.notes) == 3 and world.desk.notes[0][1]["reason"] == "gone"
    assert len(world.servers) == 1, "one server for all its ports"


def test_a_fault_of_another_kind_is_no_link_that_was_lost():
    world = World()
    world.link.poll(0.0)
    world.servers[0].poll = lambda now_ms: 1 / 0
    with pytest.raises(ZeroDivisionError):
        world.link.poll(1.0)
