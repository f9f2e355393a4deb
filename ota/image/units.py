"""systemd on a camera: what starts, what never does, who watches whom."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from drivers.board import Board
from ota.image.config import BoardImage

ENABLED: Final = (("haetae.service", "multi-user.target"),)
"""Unit, and the target that wants it."""
MASKED: Final = (
    # nobody logs in
    "getty.target", "getty@.service", "serial-getty@.service", "console-getty.service",
    "systemd-logind.service", "systemd-user-sessions.service", "user@.service",
    "systemd-ask-password-wall.path", "systemd-ask-password-console.path", "debug-shell.service",
    # nothing of this is kept over a boot, as /etc is read-only and /var is in memory
    "systemd-firstboot.service", "systemd-machine-id-commit.service", "systemd-sysusers.service",
    "systemd-update-utmp.service", "systemd-update-utmp-runlevel.service",
    "systemd-random-seed.service", "systemd-journal-flush.service",
    "systemd-journal-catalog.service",
    "systemd-hwdb-update.service", "systemd-update-done.service", "ldconfig.service",
    # the camera has nothing of this
    "cryptsetup.target", "integritysetup.target", "veritysetup.target", "systemd-binfmt.service",
    "systemd-pcrphase.service", "systemd-pcrphase-sysinit.service", "systemd-rfkill.socket",
    "proc-sys-fs-binfmt_misc.automount", "dev-hugepages.mount", "dev-mqueue.mount",
    "sys-fs-fuse-connections.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount",
    "sys-kernel-config.mount", "systemd-initctl.socket", "systemd-tmpfiles-clean.timer",
    "e2scrub_all.timer", "e2scrub_reap.service", "dpkg-db-backup.timer", "fstrim.timer",
    "hwclock.service", "systemd-fsckd.socket", "systemd-fsckd.service",
    "systemd-networkd.service", "systemd-networkd.socket",
    "rescue.service", "rescue.target",
)  # fmt: skip
KEPT_GENERATORS: Final = frozenset({"systemd-fstab-generator"})
"""Each of the others is a process at every boot, for what a camera does not have."""
KEPT_RULES: Final = frozenset({
    "50-udev-default.rules", "55-dm.rules", "60-block.rules", "60-persistent-storage.rules",
    "60-persistent-v4l.rules", "60-serial.rules", "80-drivers.rules", "95-dm-notify.rules",
    "99-systemd.rules",
})  # fmt: skip
"""Of Debian's udev: names by path, groups, modules for devices; no input, sound, networks."""
STARTS: Final = 5
"""So many times the board's boot time may pass until the first judged frame."""


def arrange_units(root: Path, board: Board, image: BoardImage) -> None:
    """Link, mask, and write what depends on the board."""
    system = root / "etc/systemd/system"
    shutil.rmtree(root / "usr/lib/systemd/system/multi-user.target.wants", ignore_errors=True)
    _keep(root / "usr/lib/systemd/system-generators", KEPT_GENERATORS)
    _keep(root / "usr/lib/udev/rules.d", KEPT_RULES)
    for unit, target in ENABLED:
        wants = system / f"{target}.wants"
        wants.mkdir(parents=True, exist_ok=True)
        (wants / unit).symlink_to(f"/etc/systemd/system/{unit}")
    for unit in MASKED:
        (system / unit).symlink_to("/dev/null")
    (system / "default.target").symlink_to("/usr/lib/systemd/system/multi-user.target")
    _write_watchdog(root, board)
    _write(root / "etc/modules-load.d/haetae.conf", [*image.load])
    options = [f"options {name} {words}" for name, words in sorted(image.module_options.items())]
    _write(root / "etc/modprobe.d/haetae.conf", options)


def _keep(folder: Path, names: frozenset[str]) -> None:
    for file in folder.glob("*"):
        if file.name not in names:
            file.unlink()


def _write_watchdog(root: Path, board: Board) -> None:
    """systemd waits for the loop as long as the board file says, and feeds the board's watchdog
    where the loop does not do so itself."""
    watch, system = board.watchdog, root / "etc/systemd"
    start_ms = STARTS * watch.boot_ms
    lines = ["[Service]", f"WatchdogSec={watch.timeout_ms}ms", f"TimeoutStartSec={start_ms}ms"]
    _write(system / "system/haetae.service.d/10-board.conf", lines)
    if watch.driver == "systemd":
        lines = ["[Manager]", "RuntimeWatchdogSec=10s", "RebootWatchdogSec=60s"]
        _write(system / "system.conf.d/10-board.conf", lines)


def _write(file: Path, lines: list[str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n" if lines else "")
