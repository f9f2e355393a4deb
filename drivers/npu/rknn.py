"""Rockchip's NPU (RK3588, RK3576, RK3568, ...) through rknn-toolkit-lite2.

RKNNLite raises nothing: it returns codes, or None, and prints. `load_rknn` of any file is 0, and a
mask of cores that are not there is replaced. So the file's header is read here first, everything
that can be asked for is asked for, and each core proves itself before the first picture.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Final

from drivers.clock import MonotonicClock
from drivers.faults import ModelRefused, NpuFault
from drivers.interfaces import Clock, Session
from drivers.npu import rockchip
from drivers.npu.bounded import within
from drivers.npu.guarded import GuardedSession
from drivers.npu.model_file import read_model
from drivers.npu.rknn_api import RknnApi
from drivers.npu.rknn_file import RknnRefused, header_of
from drivers.npu.rknn_session import RknnSession
from drivers.npu.stderr import Chatter, captured_stderr
from drivers.npu_config import NpuConfig

MODULE: Final = "rknnlite.api"
MODEL_CODES: Final = ("MODEL_INVALID", "PLATFORM_UNMATCH", "INCOMPATILE", "DECRYPT", "KEY_INVALID")
"""Words in the text of a failed start that blame the file, not the NPU."""
RUNTIME_ERRORS: Final = (RuntimeError, ValueError, TypeError, AttributeError, MemoryError, OSError)
"""What RKNNLite lets through in spite of itself."""


class RknnNpu:
    """Loads `.rknn` files.

    Attributes:
        target: the SoC, e.g. "rk3588".
    """

    def __init__(self, config: NpuConfig, clock: Clock | None = None) -> None:
        """Find the runtime, and see that this is the SoC that the board file names.

        Args:
            config: target, core mask, tried versions, deadline.
            clock: times the deadline's report; the system's monotonic clock by default.

        Raises:
            NpuFault: "no_runtime": rknn-toolkit-lite2 is not installed; "wrong_soc".
        """
        self._config = config
        self._clock = clock or MonotonicClock()
        self._make = _import_runtime()
        self.target = _target(config)

    def load(self, path: str) -> Session:
        """Load a model file, allocate its memory, and have every core answer alike.

        Args:
            path: a `.rknn` file.

        Returns:
            An `RknnSession`, on a thread of its own where `call_deadline_ms` is set.

        Raises:
            ModelRefused: missing, empty, truncated, not a .rknn file, for another SoC, or one that
                this runtime does not take.
            NpuFault: "init_failed"; "wrong_version" of runtime or driver; "self_test"; "hung", also
                where nothing comes back within `load_deadline_ms`: that call is left behind.
        """
        self._check_file(path)
        with captured_stderr() as chatter:
            try:
                return within(
                    self._config.load_deadline_ms, lambda: self._load(path, chatter), _close
                )
            except NpuFault as fault:
                if fault.reason != "hung" or chatter.last() in fault.detail:
                    raise
                raise NpuFault(fault.reason, _joined(fault.detail, chatter)) from fault

    def _load(self, path: str, chatter: Chatter) -> Session:
        config = self._config
        lite = self._make(verbose=False)
        session = self._start(lite, path, chatter)
        chatter.forget()
        run: Session = session
        if config.call_deadline_ms:
            run = GuardedSession(session, config.call_deadline_ms, self._clock)
        cores = rockchip.single_cores(self.target, config.core_mask)
        try:
            session.examine(run.invoke, cores, config.core_mask)
        except NpuFault as fault:
            run.close()
            raise NpuFault(fault.reason, _joined(fault.detail, chatter)) from fault
        return run

    def _check_file(self, path: str) -> None:
        content = read_model(path)
        try:
            header = header_of(content, Path(path))
        except RknnRefused as refused:
            raise ModelRefused(path, str(refused).removeprefix(f"{path}: ")) from None
        if self.target not in header.target_platform:
            platforms = ", ".join(header.target_platform)
            raise ModelRefused(path, f"compiled for {platforms}; this NPU is a {self.target}")

    def _start(self, lite: Any, path: str, chatter: Chatter) -> RknnSession:
        try:
            self._init(lite, path, chatter)
            api = _api(lite)
            self._check_versions(*api.versions())
            return RknnSession(api, lite.release, path)
        except (ModelRefused, NpuFault):
            lite.release()
            raise

    @staticmethod
    def _init(lite: Any, path: str, chatter: Chatter) -> None:
        for step, arguments in (("load_rknn", (path,)), ("init_runtime", ())):
            try:
                code = getattr(lite, step)(*arguments)
            except RUNTIME_ERRORS as error:
                raise NpuFault("init_failed", _joined(f"{step}: {error}", chatter)) from error
            if code != 0:
                text = _joined(f"{step} returned {code}", chatter)
                if any(word in text for word in MODEL_CODES):
                    raise ModelRefused(path, text)
                raise NpuFault("init_failed", text)

    def _check_versions(self, runtime: str, driver: str) -> None:
        for what, found, key in (
            ("librknnrt.so", runtime, "rknn_runtimes"),
            ("the NPU driver", driver, "rknn_drivers"),
        ):
            tried: list[str] = getattr(self._config, key)
            number = found.removeprefix("v").partition(" ")[0]
            if tried and number not in tried:
                allowed = ", ".join(tried)
                raise NpuFault(
                    "wrong_version", f"{what} is {found!r}; npu.{key} of the board file: {allowed}"
                )


def _import_runtime() -> Any:
    """RKNNLite, with everything imported that it imports when one is made."""
    try:
        with captured_stderr():
            make = importlib.import_module(MODULE).RKNNLite
            make(verbose=False).release()
    except (ImportError, OSError, AttributeError) as error:
        raise NpuFault(
            "no_runtime", f"needs rknn-toolkit-lite2 on an arm64 board: {error}"
        ) from error
    return make


def _target(config: NpuConfig) -> str:
    """The board file's SoC, which must be the device tree's; without one, the device tree's."""
    found = rockchip.soc_names(rockchip.DEVICE_TREE)
    known = [name for name in found if name in rockchip.CORES]
    target = config.target or next(iter(known), "")
    if target not in rockchip.CORES:
        raise NpuFault("wrong_soc", f"no Rockchip NPU that is known: {', '.join(found) or 'none'}")
    if known and target not in known:
        raise NpuFault("wrong_soc", f"this is a {', '.join(found)}; npu.target is {target!r}")
    return target


def _close(session: Session) -> None:
    session.close()


def _api(lite: Any) -> RknnApi:
    runtime = getattr(lite, "rknn_runtime", None)
    library, context = getattr(runtime, "lib", None), getattr(runtime, "context", None)
    if library is None or not isinstance(context, int):
        raise NpuFault("no_runtime", "this rknn-toolkit-lite2 hides its library; 2.3 to 2.5 do not")
    return RknnApi(library, context)


def _joined(text: str, chatter: Chatter) -> str:
    """What happened, and the last line that the runtime printed about it."""
    printed = chatter.last()
    return f"{text}: {printed}" if printed else text
