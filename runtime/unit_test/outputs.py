"""Outputs and buttons: each output is switched on and off, and somebody or something looks.

Who looks: the pin itself (read back), a contact in the board file, a loop-back wire, an operator.
Where nobody does, it was driven and that is all: such an output counts as not tested.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast

from drivers.faults import HardwareFault, InputFault, OutputFault
from drivers.interfaces import Checked, Input, Output
from drivers.output_config import OutputConfig
from runtime.alarm_config import SelfTestConfig
from runtime.unit_test.result import Bench, Row, judged, untested

ON_MS: Final = float(SelfTestConfig().chirp_ms)
"""Loud enough to be heard, and as short as in the camera's own self test."""
SETTLE_MS: Final = 60.0
"""A relay and its contact have come to rest."""
CHECK_MS: Final = 10.0
WIRES: Final = "look at its wires, its power and the line in the board file"
SEEN: Final = {
    True: "is the {name} ({role}) on now? [y/n] ",
    False: "is the {name} ({role}) off again? [y/n] ",
}


def outputs(bench: Bench) -> Iterator[Row]:
    """Each in turn; all are let go of before the next one."""
    for config in bench.board.outputs:
        yield _output(bench, config)


def _output(bench: Bench, config: OutputConfig) -> Row:
    item, name = f"output.{config.name}", f"output: {config.name}"
    made: Output | None = None
    wire: Input | None = None
    try:
        if config.name in bench.loops:
            loop = bench.loops[config.name]
            wire = cast(Input, bench.find("input", loop.driver)(loop, bench.clock))
        made = cast(Output, bench.find("output", config.driver)(config, bench.clock))
        wrong = _switch(bench, config, made, wire)
    except HardwareFault as fault:
        wrong = fault.detail or fault.reason
    finally:
        problem = _let_go(bench, made, wire)
    wrong = wrong or problem
    if wrong:
        return judged(item, name, False, wrong, "follows on and off", next=WIRES)
    told = _witnesses(bench, config, made)
    if not told:
        why = "driven, nobody looked: --ask or --loop-back"
        return untested(item, name, why)
    return judged(item, name, True, f"on and off: {', '.join(told)}", "follows on and off")


def _switch(bench: Bench, config: OutputConfig, made: Output, wire: Input | None) -> str:
    """Off, on, off; returns what did not follow. Raises OutputFault, InputFault."""
    for step, level in enumerate((False, True, False)):
        made.set(level, bench.clock.now_ms())
        _hold(bench, made, ON_MS if level else SETTLE_MS)
        word = "on" if level else "off"
        if wire is not None and _reads(bench, wire) is not level:
            return f"set {word}, and its loop-back line reads {'off' if level else 'on'}"
        question = SEEN[level].format(name=config.name, role=config.role)
        if step and bench.ask is not None and not bench.ask(question):
            return f"set {word}, and the operator does not see it"
    return ""


def _hold(bench: Bench, made: Output, ms: float) -> None:
    """Stay at a level, and look at it as the loop does. Raises OutputFault."""
    end_ms = bench.clock.now_ms() + ms
    while bench.clock.now_ms() < end_ms:
        bench.wait(CHECK_MS)
        if isinstance(made, Checked):
            made.check(bench.clock.now_ms())


def _reads(bench: Bench, wire: Input) -> bool:
    """The level now; the first look also tells of what came and went. Raises InputFault."""
    wire.pressed(bench.clock.now_ms())
    return wire.pressed(bench.clock.now_ms())


def _let_go(bench: Bench, made: Output | None, wire: Input | None) -> str:
    """Both; returns what was refused."""
    try:
        if made is not None:
            made.release(bench.clock.now_ms())
    except OutputFault as fault:
        return f"cannot be let go of: {fault.detail or fault.reason}"
    finally:
        if wire is not None:
            wire.close()
    return ""


def _witnesses(bench: Bench, config: OutputConfig, made: Output | None) -> list[str]:
    """Who looked."""
    found = []
    if isinstance(made, Checked) and (config.driver != "gpio" or config.read_back):
        found.append("read back")
    if config.readback_line:
        found.append("contact")
    if config.name in bench.loops:
        found.append("loop-back")
    if bench.ask is not None:
        found.append("seen")
    return found


def buttons(bench: Bench) -> Iterator[Row]:
    """Each can be read, and nobody leans on it."""
    for config in bench.board.inputs:
        item, name = f"button.{config.name}", f"button: {config.name}"
        made: Input | None = None
        try:
            made = cast(Input, bench.find("input", config.driver)(config, bench.clock))
            bench.wait(SETTLE_MS)
            is_pressed = _reads(bench, made)
        except InputFault as fault:
            yield judged(item, name, False, fault.detail or fault.reason, next=WIRES)
            continue
        finally:
            if made is not None:
                made.close()
        text = "pressed, and nobody presses it" if is_pressed else "released"
        yield judged(item, name, not is_pressed, text, "released", next=WIRES)
