"""What a status tells of the camera's pictures."""

from __future__ import annotations

from types import SimpleNamespace

from drivers.clock import VirtualClock
from runtime import update_status
from runtime.update_status import StatusSource


def test_a_status_tells_how_many_pictures_a_second_are_judged(monkeypatch):
    monkeypatch.setattr(update_status, "stored", lambda updater: {"site": {}, "update": {}})
    clock = VirtualClock()
    health = SimpleNamespace(judged_frames=0, healthy=True, all=[], celsius=None, shed=0)
    source = StatusSource(
        SimpleNamespace(running=0), SimpleNamespace(phase="idle", ended_ms=None), None, health,
        SimpleNamespace(states=[]), "yard", 1000, 100.0, clock,
    )  # fmt: skip

    def look(after_ms, frames):
        clock.sleep_until_ms(clock.now_ms() + after_ms)
        health.judged_frames += frames
        return source.read()["camera"]

    assert look(5000, 3) == {"wanted_fps": 10.0}
    assert look(500, 5) == {"wanted_fps": 10.0}
    assert look(500, 5) == {"fps": 10.0, "wanted_fps": 10.0}
    assert look(2000, 8) == {"fps": 4.0, "wanted_fps": 10.0}
    assert look(1000, 0) == {"fps": 0.0, "wanted_fps": 10.0}
    assert look(1000, 4) == {"fps": 4.0, "wanted_fps": 10.0}
    assert look(10, 1) == {"fps": 4.0, "wanted_fps": 10.0}
