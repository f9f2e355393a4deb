"""A virtual arm64 board: QEMU's machine `virt` with a camera, pins, a watchdog, disks, a cable.

    with VirtualBoard(folder, drives=[Drive(image, "data")]) as board:
        board.run("ls /data")
        board.wait_pin(0, high=True, timeout_s=10)

The processor is emulated (TCG), so everything takes some ten times longer than on a board.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.board.console import BoardFault as BoardFault
from tests.board.console import Console
from tests.board.guest_build import build_guest
from tests.board.pins import Pins
from tests.board.qmp import Qmp, QmpRefused

CONNECT_S = 20.0
BOOT_S = 90.0
STICK = "stick"
STEADY = ("-accel", "tcg,thread=single", "-icount")
SHIFT = 2
APPEND = "console=ttyAMA0 quiet loglevel=3 panic=-1 board.modules=i6300esb,vivid"


@dataclass(frozen=True)
class Drive:
    """A virtio disk. The standard guest mounts `data` at /data; others are named by `name`.

    Attributes:
        image: raw, or what `blockdev` makes of it.
        name: its serial number: /sys/block/vd?/serial.
        readonly: nothing is written to it.
        blockdev: instead of `image`: -blockdev options; the top one has the node name `name`.
    """

    image: Path | None
    name: str
    readonly: bool = False
    blockdev: Sequence[str] = field(default=())

    def options(self) -> Iterator[str]:
        """Of QEMU's command line."""
        readonly = "on" if self.readonly else "off"
        if self.image is not None:
            file = f"driver=raw,node-name={self.name},read-only={readonly},file.driver=file"
            yield from ("-blockdev", f"{file},file.filename={self.image}")
        for option in self.blockdev:
            yield from ("-blockdev", option)
        yield from ("-device", f"virtio-blk-pci,drive={self.name},serial={self.name}")


class VirtualBoard:
    """One QEMU process, from `__enter__` to `__exit__`.

    Args:
        folder: of its own, for the console's log; made if missing.
        kernel, initrd: instead of the standard guest's; with `bios` neither is taken.
        append: more for the kernel's command line.
        bios: boots from this firmware instead.
        drives: in this order, after those of the standard guest.
        shares: folders of this machine that the guest may mount read-only (9p, by the name).
        memory_mb, cores: of the board.
        extra: more options for QEMU.
        is_steady: the board's own time goes with its instructions, on one core: what it does in a
            second does not depend on what else this machine does. Times are then `guest_s`, and
            waiting takes as long as it takes.
        shift: an instruction then takes 2**shift ns; 2: 250 million a second.

    Attributes:
        console: log of the serial console, each line with seconds since the start.
        serial: Unix socket of the board's second serial port, /dev/ttyS0.
        pins: of the GPIO chip, with every change.
    """

    def __init__(
        self,
        folder: Path,
        *,
        kernel: Path | None = None,
        initrd: Path | None = None,
        append: str = "",
        bios: Path | None = None,
        drives: Sequence[Drive] = (),
        shares: Mapping[str, Path] | None = None,
        memory_mb: int = 768,
        cores: int = 2,
        extra: Sequence[str] = (),
        is_steady: bool = False,
        shift: int = SHIFT,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._sockets = tempfile.TemporaryDirectory(prefix="board")  # a socket's path is short
        sockets = Path(self._sockets.name)
        self.console, self.serial = folder / "console.log", sockets / "serial"
        self._qmp = Qmp(sockets / "qmp")
        self._console = Console(sockets / "console", self.console)
        self.pins = Pins(self._qmp, sockets / "qtest")
        self._is_standard = kernel is None and bios is None
        self._starts_from = (kernel, initrd, bios, append)
        self._machine = ("-m", str(memory_mb), "-smp", str(1 if is_steady else cores))
        self._drives, self._shares, self._extra = drives, dict(shares or {}), extra
        steady = (*STEADY, f"shift={shift},sleep=on")
        self._accel = steady if is_steady else ("-accel", "tcg,thread=multi")
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        self._events_read = 0
        self._log = (folder / "qemu.log").open("wb")

    def __enter__(self) -> Self:
        command = [*self._command()]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=self._log)
        try:
            for end in (self._console, self._qmp, self.pins):
                end.connect(CONNECT_S)
            if self._is_standard:
                self.wait_up()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        for end in (self.pins, self._qmp, self._console):
            end.close()
        self._log.close()
        self._sockets.cleanup()

    def wait_up(self, timeout_s: float = BOOT_S) -> float:
        """Until the standard guest's init listens; returns host time, monotonic seconds."""
        self.wait_line(r"^board: up on ", timeout_s)
        return time.monotonic()

    def wait_line(self, pattern: str, timeout_s: float) -> re.Match[str]:
        """The next line of the console with a pattern. Raises BoardFault with the last lines."""
        return self._console.wait(pattern, timeout_s)

    def send(self, text: str) -> None:
        """Type a line on the console. The standard guest wants a number and a command."""
        self._console.type(text)

    def run(self, command: str, timeout_s: float = 60.0) -> str:
        """Have the standard guest's shell do something; returns what it printed.

        Raises:
            BoardFault: it did not end in time, or with another exit code than 0.
        """
        code, printed = self.ask(command, timeout_s)
        if code:
            raise BoardFault(f"{command}: exit code {code}\n{printed}")
        return printed

    def ask(self, command: str, timeout_s: float = 60.0) -> tuple[int, str]:
        """As `run`, but returns the exit code, too."""
        number, since = next(self._numbers), len(self._console.lines)
        self.send(f"{number} {command}")
        end, after = self._console.find(rf"^\[{number}\] (.*)@exit (\d+)$", since, timeout_s)
        start = f"[{number}] "
        lines = [text for _, text in self._console.lines[since : after - 1]]
        printed = [text.removeprefix(start) for text in lines if text.startswith(start)]
        return int(end[2]), "\n".join([*printed, end[1]]).rstrip("\n")

    def guest_s(self, since_s: float, until_s: float) -> float:
        """How much of the board's time went by between two times of the host, seconds."""
        return self._console.guest_s(until_s) - self._console.guest_s(since_s)

    def qmp(self, command: str, **arguments: Any) -> Any:
        """A command of QEMU's. Raises QmpRefused."""
        return self._qmp.command(command, **arguments)

    def wait_event(self, name: str, timeout_s: float) -> tuple[float, dict[str, Any]]:
        """The next event of QEMU's, after the last one waited for. Raises BoardFault.

        Returns:
            Host time in monotonic seconds, and its data.
        """
        index = self._qmp.wait_event(name, self._events_read, timeout_s)
        if index is None:
            raise BoardFault(f"no {name} in {timeout_s:g} s\n{self._console.last()}")
        self._events_read = index + 1
        at_s, _, data = self._qmp.events[index]
        return at_s, data

    def pin(self, line: int) -> bool:
        """A line of the GPIO chip, read from outside."""
        return bool(self.pins.read() >> line & 1)

    def wait_pin(self, line: int, high: bool, timeout_s: float) -> float:
        """Until a line is so; returns since when, host time in monotonic seconds."""
        since_s = self.pins.wait(line, high, timeout_s)
        if since_s is None:
            word = "high" if high else "low"
            raise BoardFault(f"pin {line} not {word} in {timeout_s:g} s\n{self._console.last()}")
        return since_s

    def drive_input(self, line: int, high: bool) -> None:
        """Put a level on a line that the board reads."""
        self.pins.drive(line, high)

    def plug_stick(self, image: Path) -> None:
        """Plug a USB stick in: a raw image, with or without partitions."""
        file = {"driver": "file", "filename": str(image)}
        self.qmp("blockdev-add", **{"driver": "raw", "node-name": STICK, "file": file})
        self.qmp("device_add", driver="usb-storage", id=STICK, drive=STICK, bus="usb.0")

    def pull_stick(self) -> None:
        """Pull it out, whatever is going on."""
        since = len(self._qmp.events)
        self.qmp("device_del", id=STICK)
        self._qmp.wait_event("DEVICE_DELETED", since, CONNECT_S)
        end_s = time.monotonic() + CONNECT_S
        while True:  # the node is free some time after the device is gone
            try:
                self.qmp("blockdev-del", **{"node-name": STICK})
                return
            except QmpRefused:
                if time.monotonic() > end_s:
                    raise
                time.sleep(0.1)

    def _command(self) -> Iterator[str]:
        yield from ("qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a57")
        yield from (*self._accel, "-display", "none", "-nic", "none")
        yield from (*self._machine, "-monitor", "none")
        sockets = Path(self._sockets.name)
        yield from ("-chardev", f"socket,id=console,path={sockets}/console", "-serial")
        yield from ("chardev:console", "-qmp", f"unix:{sockets}/qmp")
        yield from ("-qtest", f"unix:{sockets}/qtest", "-qtest-log", "/dev/null")
        cable = f"socket,id=cable,path={self.serial},server=on,wait=off"
        yield from ("-chardev", cable, "-device", "pci-serial,chardev=cable")
        yield from ("-device", "i6300esb", "-action", "watchdog=reset")
        yield from ("-device", "qemu-xhci,id=usb")
        yield from self._boot_options()
        for drive in self._drives:
            yield from drive.options()
        for name, folder in self._shares.items():
            share = f"local,id={name},path={folder},security_model=none,readonly=on"
            yield from ("-fsdev", share, "-device", f"virtio-9p-pci,fsdev={name},mount_tag={name}")
        yield from self._extra

    def _boot_options(self) -> Iterator[str]:
        kernel, initrd, bios, append = self._starts_from
        if bios is not None:
            yield from ("-bios", str(bios))
            return
        if kernel is None:
            guest = build_guest()
            kernel, initrd = guest.kernel, guest.initrd
            for name, image in (("root", guest.root), ("code", guest.code)):
                yield from Drive(image, name, readonly=True).options()
        yield from ("-kernel", str(kernel), "-append", f"{APPEND} {append}")
        if initrd is not None:
            yield from ("-initrd", str(initrd))
