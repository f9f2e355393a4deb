"""A buzzer has patterns of its own, and the meaning of temporal-three stays what it is."""

from __future__ import annotations

import pytest

from drivers.board import load_board
from drivers.clock import VirtualClock
from drivers.interfaces import Frame
from drivers.output_config import OutputConfig
from drivers.toml_strict import ConfigErrors
from models.tables import Detections
from runtime.alarm import Alarms
from runtime.alarm_config import AlarmConfig, SelfTestConfig
from runtime.alarm_stage import Alarm
from runtime.context import Context
from runtime.metrics import Metrics
from runtime.outputs import Outputs
from runtime.patterns import EVACUATION_ONLY, PATTERNS, level_at
from runtime.rules.engine import RuleInfo
from runtime.self_test import SelfTest
from runtime.site_check import load_site
from runtime.tables import Hazards, Tracks
from sim.board.outputs import RecordedOutput
from tests.places import REPOSITORY

SITE = REPOSITORY / "board_configs/site/zone_whole_view.toml"
STEP_MS = 50.0


class Rules:
    """One rule of a severity."""

    def __init__(self, severity: str) -> None:
        self.table = (RuleInfo("zone", "pit", severity),)


class Rig:
    """The alarm stage with a siren and a buzzer."""

    def __init__(self, severity: str, config: AlarmConfig = AlarmConfig()) -> None:  # noqa: B008
        made = {
            role: RecordedOutput(OutputConfig(name=role, role=role, driver="-"), VirtualClock())
            for role in ("siren", "buzzer", "fault")
        }
        self.siren, self.buzzer = made["siren"], made["buzzer"]
        self.alarms = Alarms([severity], config)
        self.test = SelfTest(SelfTestConfig(siren=True, lamp_ms=200, chirp_ms=200))
        outputs = Outputs(list(made.items()))
        self.stage = Alarm(self.alarms, Rules(severity), outputs, Metrics(), self.test)
        self.context = Context(Frame(32, 24), Detections(4), Tracks(4), Hazards(1))
        self.active = 0

    def run(self, ms: float) -> list[bool]:
        """Levels of the buzzer, one for each step of 50 ms."""
        levels, context = [], self.context
        for _ in range(int(ms / STEP_MS)):
            context.begin(context.now_ms + STEP_MS)
            context.hazards.active[0] = self.active
            self.stage(context)
            levels.append(self.buzzer.level)
        return levels

    def told(self) -> list[tuple[str, str]]:
        found = [
            (event["state"], event["why"].get("pattern", ""))
            for event in self.context.events.waiting
            if event["kind"] == "output" and event["why"]["role"] == "buzzer"
        ]
        self.context.events.waiting.clear()
        return found


@pytest.mark.parametrize(
    ("severity", "pattern"), [("warning", "beep"), ("danger", "beeps"), ("evacuate", "temporal3")]
)
def test_each_priority_has_its_pattern(severity, pattern):
    rig = Rig(severity)
    rig.run(500)
    rig.active = 1
    heard = rig.run(6000)
    period = PATTERNS[pattern]
    assert heard == [level_at(period, n * STEP_MS) for n in range(len(heard))]
    assert rig.told() == [("on", pattern)]


def test_info_is_silent():
    rig = Rig("info")
    rig.active = 1
    assert not any(rig.run(4000))
    assert rig.told() == []


def test_a_mute_and_an_acknowledgement_silence_it():
    for silence in (Alarms.mute, Alarms.acknowledge):
        rig = Rig("danger")
        rig.active = 1
        assert any(rig.run(2000))
        silence(rig.alarms)
        assert not any(rig.run(4000))
        assert rig.told() == [("on", "beeps"), ("off", "")]


def test_a_priority_may_leave_the_buzzer_out_and_the_siren_sounds():
    rig = Rig("warning", AlarmConfig(buzzer={"danger": "beeps"}))
    rig.active = 1
    assert not any(rig.run(3000))
    assert rig.siren.edges()


def test_a_self_test_chirps():
    rig = Rig("danger")
    rig.test.start(rig.context.now_ms, "somebody")
    heard = rig.run(1000)
    assert sum(heard) * STEP_MS == pytest.approx(200, abs=STEP_MS)
    assert not heard[-1]


def test_a_danger_interrupts_the_chirp():
    rig = Rig("danger")
    rig.test.start(rig.context.now_ms, "somebody")
    rig.active = 1
    assert sum(rig.run(2000)) == pytest.approx(400 / STEP_MS, abs=1)


def test_only_evacuation_has_three_pulses():
    """ISO 8201: three pulses of half a second, then a pause; nothing else may sound like it."""
    for name, pattern in PATTERNS.items():
        pulses = len(pattern) // 2
        assert (pulses == 3) is (name in EVACUATION_ONLY)


@pytest.mark.parametrize(
    ("severity", "pattern", "text"),
    [
        ("danger", "temporal3", "means evacuation and nothing else"),
        ("evacuate", "beeps", "must be one of temporal3"),
        ("warning", "tune", "must be one of"),
    ],
)
def test_a_site_cannot_give_it_another_meaning(tmp_path, severity, pattern, text):
    file = tmp_path / "site.toml"
    good = SITE.read_text()
    assert "[alarm]\n" in good
    file.write_text(
        good.replace("[alarm]\n", f'[alarm]\nbuzzer = {{ {severity} = "{pattern}" }}\n')
    )
    with pytest.raises(ConfigErrors) as caught:
        load_site(file)
    assert f"alarm.buzzer.{severity}" in str(caught.value)
    assert text in str(caught.value)


def test_a_buzzer_is_an_output_of_a_board_and_no_siren(tmp_path):
    file = tmp_path / "board.toml"
    text = (REPOSITORY / "board_configs/sim.toml").read_text()
    file.write_text(text.replace('role = "strobe"', 'role = "buzzer"'))
    assert [one.role for one in load_board(file).outputs] == ["siren", "buzzer", "fault"]
    file.write_text(text.replace('role = "siren"', 'role = "buzzer"'))
    with pytest.raises(ConfigErrors, match='role = "siren"'):
        load_board(file)


def test_a_crash_must_not_sound_it(tmp_path):
    file = tmp_path / "board.toml"
    text = (REPOSITORY / "board_configs/sim.toml").read_text()
    head, _, tail = text.partition('role = "strobe"')
    tail = tail.replace('on_release = "off"', 'on_release = "on"', 1)
    file.write_text(f'{head}role = "buzzer"{tail}')
    with pytest.raises(ConfigErrors, match="a crash must not sound a buzzer"):
        load_board(file)
