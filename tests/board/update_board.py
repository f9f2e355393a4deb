"""The virtual board for updates: its data disk recorded, an adapter on its USB, and what is typed.

The cable is an FTDI adapter with a terminal of this machine at its far end. Every
write of the data disk goes into a log, in its order, for the power cuts.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from tests.board.machine import STICK, BoardFault, Drive, VirtualBoard
from tests.board.update_vendor import Vendor, environment, haetae
from tests.board.usb_cable import UsbCable

ADAPTER: Final = "ftdi"
MODULES: Final = "xhci_pci,ftdi_sio,usb-storage,sd_mod,vfat,nls_cp437,nls_ascii"
STICK_BYTES_PER_S: Final = 120_000
"""As slow as the worst of sticks, so that it can be pulled out half way."""
MOUNT: Final = "mkdir -p /run/usb && mount -t vfat -o ro,noexec,nosuid,nodev /dev/sda /run/usb"
SHELL_S: Final = 120.0
"""For a word with the board's shell, on a busy machine."""


class Typed:
    """A command of the technician's that runs, and what it has said.

    Args:
        vendor: in whose folder it is typed. log: takes what it says.
        words: behind `haetae`.
    """

    def __init__(self, vendor: Vendor, log: Path, *words: str) -> None:
        self._log = log
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                haetae(*words),
                cwd=vendor.folder,
                env=environment(vendor.folder),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        """All of it until now."""
        return self._log.read_text(errors="replace")

    def wait_said(self, pattern: str, timeout_s: float) -> re.Match[str]:
        """Until a line with this. Raises BoardFault."""
        end_s = time.monotonic() + timeout_s
        while not (match := re.search(pattern, self.said, re.MULTILINE)):
            if self._process.poll() is not None or time.monotonic() > end_s:
                raise BoardFault(f"{pattern!r} was not said:\n{self.said}")
            time.sleep(0.02)
        return match

    def wait_done(self, timeout_s: float) -> int:
        """Its exit code. Raises BoardFault."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise BoardFault(f"not done in {timeout_s:g} s:\n{self.said}") from error

    def kill(self) -> None:
        """May be called twice."""
        self._process.kill()
        self._process.wait()


class UpdateBoard(VirtualBoard):
    """The board with its recorded disk and the adapter.

    Args:
        folder: for logs.
        vendor: gives the bundles.
        image, log: the disk, and its log.
    """

    def __init__(self, folder: Path, vendor: Vendor, image: Path, log: Path) -> None:
        log.write_bytes(b"")
        recorded = (
            f"driver=file,node-name=data-file,filename={image}",
            f"driver=file,node-name=data-log,filename={log}",
            "driver=blklogwrites,node-name=data,file=data-file,log=data-log",
        )
        # a socket's path has to be short
        self._adapter_folder = tempfile.TemporaryDirectory(prefix="cable")
        socket = Path(self._adapter_folder.name) / "adapter"
        self._cable = UsbCable(socket)
        adapter = f"socket,id={ADAPTER},path={socket},server=on,wait=off"
        super().__init__(
            folder,
            append=f"board.modules={MODULES}",
            drives=[Drive(None, "data", blockdev=recorded)],
            extra=("-chardev", adapter, "-device", f"usb-serial,chardev={ADAPTER},bus=usb.0"),
        )
        self._folder, self._vendor = folder, vendor
        self._has_limit = False

    def __enter__(self) -> Self:
        super().__enter__()
        self._cable.plug()
        return self

    def __exit__(self, *raised: Any) -> None:
        self._cable.close()
        super().__exit__(*raised)
        self._adapter_folder.cleanup()

    @property
    def cable(self) -> str:
        """The link at the technician's end."""
        return f"serial:{self._cable.port}"

    def unplug_cable(self) -> None:
        """At the camera's end."""
        self._cable.unplug()

    def plug_cable(self) -> None:
        """The same adapter again."""
        self._cable.plug()

    def plug_slow_stick(self, image: Path) -> None:
        """And mount it, as udev and systemd would."""
        if not self._has_limit:
            self._has_limit = True
            limits = {"bps-read": STICK_BYTES_PER_S}
            self.qmp("object-add", **{"qom-type": "throttle-group", "id": "slow", "limits": limits})
        file = {"driver": "raw", "file": {"driver": "file", "filename": str(image)}}
        slow = {"driver": "throttle", "node-name": STICK, "throttle-group": "slow", "file": file}
        self.qmp("blockdev-add", **slow)
        self.qmp("device_add", driver="usb-storage", id=STICK, drive=STICK, bus="usb.0")
        wait = "for n in $(seq 100); do [ -b /dev/sda ] && break; sleep 0.2; done"
        self.run(f"{wait}; {MOUNT}", SHELL_S)

    def pull_slow_stick(self) -> None:
        """Whatever is going on; systemd unmounts what has gone."""
        self.pull_stick()
        self.run("umount -l /run/usb", SHELL_S)

    @contextmanager
    def typed(self, name: str, *words: str) -> Iterator[Typed]:
        """A command of this machine's, ended in any case; `name` of its log."""
        command = Typed(self._vendor, self._folder / f"{name}.log", *words)
        try:
            yield command
        finally:
            command.kill()

    def start(self, name: str, command: str) -> None:
        """In the background, on the board; what it says is in /run/NAME.log."""
        self.run(f"{command} > /run/{name}.log 2>&1 & echo $! > /run/{name}.pid", SHELL_S)

    def stop(self, name: str) -> None:
        """As systemd stops it; returns at once."""
        self.run(f"kill $(cat /run/{name}.pid)", SHELL_S)

    def wait_in(self, path: str, pattern: str, timeout_s: float) -> None:
        """Until a file on the board has a line with this. Raises BoardFault."""
        times = int(timeout_s * 2)
        look = f"grep -qE '{pattern}' {path} && exit"
        code, _ = self.ask(f"for n in $(seq {times}); do {look}; sleep 0.5; done; exit 1",
                           timeout_s * 2)  # fmt: skip
        if code:
            logs = self.run(
                f"cat {path}; tail -n 20 /run/camera.log; mount; dmesg | tail -n 8", SHELL_S
            )
            raise BoardFault(f"{path}: no {pattern!r} in {timeout_s:g} s\n{logs}")
