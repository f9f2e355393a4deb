"""`haetae-boot`: which slot boots; asked by people, by systemd, and by RAUC as its boot loader."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, cast

from drivers.clock import MonotonicClock
from drivers.faults import StorageFault
from ota.image import boot_state
from ota.image.boot_state import SLOTS, BootState, Slot
from ota.image.misc import MISC, MiscPartition, change, read

OK, REFUSED, ARGUMENTS, STORAGE = 0, 1, 2, 6
CMDLINE: Final = Path("/proc/cmdline")
WAIT_MS, LOOK_MS = 600_000.0, 2000.0
"""A stick waits so long for an image that has still to prove itself."""
ABOUT: Final = """Which of the two slots of this camera boots. A slot has three tries; U-Boot takes
one before each boot, and the camera gives them back once it is well."""
EPILOG: Final = """RAUC calls get-primary, set-primary, get-state, set-state and get-current
(bootloader-custom-backend); systemd calls prove (haetae-good.service) and stick
(haetae-stick@.service).

exit codes: 0 done, 1 refused (the line says why), or the camera was not well in time (prove),
2 wrong arguments, 6 the boot state cannot be read or written"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run it.

    Args:
        argv: without the program's name; None takes them from the process.

    Returns:
        0, 1, 2 or 6, as the epilog says.
    """
    try:
        arguments = _parser().parse_args(argv)
        return int(arguments.run(arguments) or OK)
    except SystemExit as leave:  # argparse has said what is wrong
        return ARGUMENTS if leave.code else OK
    except StorageFault as fault:
        print(f"haetae-boot: {fault}", file=sys.stderr)
        return STORAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="haetae-boot",
        description=ABOUT,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--misc", type=Path, default=MISC, help="the partition; %(default)s")
    parser.add_argument("--cmdline", type=Path, default=CMDLINE, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    status = commands.add_parser("status", help="what is known of both slots")
    status.add_argument("--json", action="store_true", help="one JSON object, for scripts")
    status.set_defaults(run=_status)
    _add(commands, "good", "the camera is well: give a slot its tries back", _good, "?")
    _add(commands, "bad", "a slot shall not boot", _bad)
    _add(commands, "set-primary", "a slot boots next; it gets all its tries", _set_primary)
    _add(commands, "get-state", "good or bad: whether a slot has tries left", _get_state)
    set_state = _add(commands, "set-state", "as good and bad", _set_state)
    set_state.add_argument("state", choices=("good", "bad"))
    for name, about, run in (
        ("get-primary", "the slot that boots next", _get_primary),
        ("get-current", "the slot that runs", _get_current),
    ):
        commands.add_parser(name, help=about).set_defaults(run=run)
    prove = commands.add_parser("prove", help="good once the camera is well; else exit code 1")
    prove.add_argument("--link", default="unix:/run/haetae/link", help="%(default)s")
    prove.add_argument("--within-s", type=float, default=300.0, help="seconds; %(default)s")
    prove.set_defaults(run=_prove)
    stick = commands.add_parser("stick", help="take an image, or students, from a USB stick")
    stick.add_argument("device", help="its partition: /dev/sda1")
    stick.set_defaults(run=_stick)
    return parser


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    about: str,
    run: Callable[[argparse.Namespace], int | None],
    count: str | None = None,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=about)
    if count is None:
        parser.add_argument("slot", choices=SLOTS)
    else:
        parser.add_argument("slot", choices=SLOTS, nargs=count, help="the one that runs")
    parser.set_defaults(run=run)
    return parser


def _changed(arguments: argparse.Namespace, step: Callable[[BootState], BootState]) -> BootState:
    with MiscPartition(arguments.misc) as misc:
        return change(misc, step)


def _slot(arguments: argparse.Namespace) -> Slot:
    return cast(Slot, arguments.slot) if arguments.slot else _running(arguments)


def _running(arguments: argparse.Namespace) -> Slot:
    """The slot that the kernel's command line names. Raises StorageFault: it names none."""
    for word in arguments.cmdline.read_text().split():
        name, _, value = word.partition("=")
        if name == "haetae.slot" and value in SLOTS:
            return cast(Slot, value)
    raise StorageFault("missing", f"{arguments.cmdline}: no haetae.slot=a or haetae.slot=b in it")


def _status(arguments: argparse.Namespace) -> None:
    with MiscPartition(arguments.misc) as misc:
        state, faults = read(misc)
    try:
        running = _running(arguments)
    except StorageFault:
        running = None
    if arguments.json:
        slots = {
            slot: {"left": state.of(slot).left, "proved": state.of(slot).is_proved}
            for slot in SLOTS
        }
        told = {"running": running, "next": state.primary, "order": state.order, "slots": slots}
        print(json.dumps({**told, "seq": state.seq, "faults": faults}))
        return
    print(f"runs    {running or 'from no slot'}")
    print(f"next    {state.primary or 'none has a try left: U-Boot gives all of them back'}")
    for slot in SLOTS:
        print(f"slot {slot}  {_words(state, slot)}")
    for fault in faults:
        print(f"damaged {fault}; the next change writes it anew")


def _words(state: BootState, slot: Slot) -> str:
    known = state.of(slot)
    past = "was well before" if known.is_proved else "has not proved itself"
    return (
        f"{known.left} of {boot_state.TRIES} tries left, {past}" if known.left else f"bad, {past}"
    )


def _good(arguments: argparse.Namespace) -> None:
    slot = _slot(arguments)
    _changed(arguments, lambda state: boot_state.good(state, slot))


def _bad(arguments: argparse.Namespace) -> None:
    _changed(arguments, lambda state: boot_state.bad(state, arguments.slot))


def _set_primary(arguments: argparse.Namespace) -> None:
    _changed(arguments, lambda state: boot_state.primary(state, arguments.slot))


def _set_state(arguments: argparse.Namespace) -> int:
    """As RAUC says; it gives a slot up before it writes to it, and goes no further if refused."""
    if arguments.state == "good":
        _good(arguments)
        return OK
    with MiscPartition(arguments.misc) as misc:
        state, _ = read(misc)
    running = _running(arguments)
    if not boot_state.may_be_written(state, arguments.slot, running):
        why = f"slot {running} runs and has not proved itself yet; try again in some minutes"
        print(f"haetae-boot: slot {arguments.slot} is the way back: {why}", file=sys.stderr)
        return REFUSED
    _bad(arguments)
    return OK


def _get_state(arguments: argparse.Namespace) -> None:
    with MiscPartition(arguments.misc) as misc:
        print("good" if read(misc)[0].of(arguments.slot).left else "bad")


def _get_primary(arguments: argparse.Namespace) -> None:
    with MiscPartition(arguments.misc) as misc:
        state, _ = read(misc)
    print(state.primary or state.order[0])


def _get_current(arguments: argparse.Namespace) -> None:
    print(_running(arguments))


def _prove(arguments: argparse.Namespace) -> int:
    """Give the running slot its tries back: at once where it has proved itself before."""
    slot = _running(arguments)
    if _changed(arguments, lambda state: boot_state.up(state, slot)).of(slot).is_proved:
        print(f"slot {slot} has proved itself before")
        return OK
    proving = import_module("ota.image.prove")  # keys and links: only where they are needed
    try:
        ask = proving.Asker(arguments.link)
    except proving.WrongArgument as wrong:
        print(f"haetae-boot: {wrong}", file=sys.stderr)
        return ARGUMENTS
    why = proving.prove(ask, MonotonicClock(), arguments.within_s * 1000.0)
    if why:
        print(f"haetae-boot: slot {slot} has not proved itself: {why}", file=sys.stderr)
        return REFUSED
    _changed(arguments, lambda state: boot_state.good(state, slot))
    print(f"slot {slot} has proved itself")
    return OK


def _stick(arguments: argparse.Namespace) -> int:
    """An image ends in a restart. Waits until the running slot has proved itself."""
    stick = import_module("ota.image.stick")
    clock, running = MonotonicClock(), _running(arguments)
    until_ms = clock.now_ms() + WAIT_MS
    while clock.now_ms() < until_ms and not _is_proved(arguments, running):
        clock.sleep_until_ms(clock.now_ms() + LOOK_MS)
    try:
        taken = stick.take(arguments.device, stick.run_program, _tell)
        if taken is stick.Taken.IMAGE:
            _tell("installed; the camera restarts")
            stick.restart(stick.run_program)
    except stick.StickFault as fault:
        _tell(str(fault))
        return REFUSED
    return REFUSED if taken is stick.Taken.REFUSED else OK


def _is_proved(arguments: argparse.Namespace, slot: Slot) -> bool:
    with MiscPartition(arguments.misc) as misc:
        return read(misc)[0].of(slot).is_proved


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
