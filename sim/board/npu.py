"""The real back end with faults in front of it, all in virtual time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from drivers.faults import NpuFault
from drivers.interfaces import Npu, Session
from drivers.npu.tensors import DescribedSession, TensorDetail
from sim.board.clock import SimClock
from sim.board.faults import Faults


class SimNpu:
    """Loads models with a real back end. Implements `Npu`.

    Args:
        npu: the back end, without a thread of its own.
        clock: virtual time.
        faults: what is broken.
        deadline_ms: `npu.call_deadline_ms` of the board file, kept in virtual time.
    """

    def __init__(self, npu: Npu, clock: SimClock, faults: Faults, deadline_ms: int) -> None:
        self.target = npu.target
        self._npu = npu
        self._clock = clock
        self._faults = faults
        self._deadline_ms = deadline_ms

    def load(self, path: str) -> Session:
        """Load a model file. Raises ModelRefused, NpuFault."""
        session = self._npu.load(path)
        return SimSession(session, self._clock, self._faults, self._deadline_ms)


class SimSession:
    """One network. Implements `DescribedSession`; inference itself takes no virtual time."""

    def __init__(self, session: Session, clock: SimClock, faults: Faults, deadline_ms: int) -> None:
        self._session = session
        self._run = session.invoke
        self._clock = clock
        self._npu = faults.of("npu")
        self._memory = faults.of("memory")
        self._deadline_ms = deadline_ms
        self._busy_since_ms: float | None = None
        self.inputs: Sequence[npt.NDArray[Any]] = session.inputs
        self.outputs: Sequence[npt.NDArray[Any]] = session.outputs
        self.input_details: Sequence[TensorDetail] = ()
        self.output_details: Sequence[TensorDetail] = ()
        if isinstance(session, DescribedSession):
            self.input_details = session.input_details
            self.output_details = session.output_details

    def invoke(self) -> None:
        """Run the network once, or fail as the scenario asks. Raises NpuFault, MemoryError."""
        if self._npu or self._memory or self._busy_since_ms is not None:
            self._suffer()
            if "stale" in self._npu:
                return
        self._run()

    def close(self) -> None:
        """Free the network. May be called twice."""
        self._session.close()

    def _suffer(self) -> None:
        """Whatever is wrong before the network may run."""
        if "refused" in self._memory:
            raise MemoryError("asked for by the scenario")
        if "error" in self._npu:
            raise NpuFault("invoke_failed", "asked for by the scenario")
        if "slow" in self._npu:
            self._take(float(self._npu["slow"]["ms"]))
        self._hang()

    def _take(self, time_ms: float) -> None:
        """A call that needs this long; with a deadline it is given up there."""
        if self._deadline_ms and time_ms > self._deadline_ms:
            self._clock.sleep_until_ms(self._clock.now_ms() + self._deadline_ms)
            raise NpuFault("hung", f"no answer within {self._deadline_ms} ms")
        self._clock.sleep_until_ms(self._clock.now_ms() + time_ms)

    def _hang(self) -> None:
        """As `drivers.npu.guarded`: late is abandoned, and until it returns all fail at once.

        Without a deadline the caller stands still until the hang is over or the board is reset.
        """
        clock = self._clock
        if "hang" not in self._npu:
            self._busy_since_ms = None
            return
        if self._busy_since_ms is not None:
            waited_ms = clock.now_ms() - self._busy_since_ms
            raise NpuFault("hung", f"no answer for {waited_ms:.0f} ms")
        began_ms = clock.now_ms()
        if self._deadline_ms:
            clock.sleep_until_ms(began_ms + self._deadline_ms)
            if "hang" in self._npu:
                self._busy_since_ms = began_ms
                raise NpuFault("hung", f"no answer within {self._deadline_ms} ms")
        while "hang" in self._npu:
            clock.sleep_to_next_timer()
