"""One network on a Rockchip NPU, whose every answer is proven to be new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy.typing as npt

from drivers.faults import NpuFault
from drivers.npu import rknn_api
from drivers.npu.rknn_api import RknnApi
from drivers.npu.rknn_tensors import Catch, Exam, Feed, Tensor
from drivers.npu.tensors import TensorDetail

PATTERNS: Final = 4
"""Inputs tried at most until two are answered differently."""


class RknnSession:
    """Runs a network that RKNNLite has loaded.

    Return codes are checked; outputs are poisoned before they are fetched; and an answer that is
    the same to the bit as the last one, for another input, is not believed: the NPU must first
    answer an exam as it did when it was loaded, and then the input again. A run that fails without
    a word is found in the frame where it happens.

    Attributes:
        inputs: channels-last arrays, one per input tensor.
        outputs: channels-last arrays, one per output tensor.
        input_details: what the library says of each input.
        output_details: what the library says of each output.
    """

    def __init__(self, api: RknnApi, release: Callable[[], object], path: str) -> None:
        """Ask for the tensors and allocate everything.

        Args:
            api: the loaded network.
            release: gives the network back.
            path: of the model file, for refusals.

        Raises:
            ModelRefused: a tensor that no decoder could read.
            NpuFault: a query failed.
        """
        inputs, outputs = api.counts()
        self._tensors_in = _tensors(api, rknn_api.QUERY_INPUT, inputs, path)
        self._tensors_out = _tensors(api, rknn_api.QUERY_OUTPUT, outputs, path)
        self._api: RknnApi | None = api
        self._release = release
        self.input_details: Sequence[TensorDetail] = tuple(t.detail for t in self._tensors_in)
        self.output_details: Sequence[TensorDetail] = tuple(t.detail for t in self._tensors_out)
        self._inputs = [tensor.zeros() for tensor in self._tensors_in]
        self._outputs = [tensor.zeros() for tensor in self._tensors_out]
        self.inputs: Sequence[npt.NDArray[Any]] = self._inputs
        self.outputs: Sequence[npt.NDArray[Any]] = self._outputs
        self._feed, self._last_feed = Feed(self._tensors_in), Feed(self._tensors_in)
        self._catch, self._last_catch = Catch(self._tensors_out), Catch(self._tensors_out)
        self._scratch = Catch(self._tensors_out)
        self._has_last = False
        self._exams: list[Exam] = []
        self._sitting: tuple[Feed, Catch] | None = None

    def invoke(self) -> None:
        """Run the network once on `inputs`; up to three times where the answer is doubtful.

        Raises:
            NpuFault: "invoke_failed" with the code; "not_written"; "not_finite"; "stale_output";
                "wrong_output"; "closed".
        """
        if self._api is None:
            raise NpuFault("closed", "the session is closed")
        if self._sitting is not None:
            self._run(self._api, *self._sitting)
            return
        self._feed.take(self._inputs)
        self._run(self._api, self._feed, self._catch)
        if self._repeats():
            self._prove(self._api)
        self._catch.copy_to(self._outputs)
        self._feed, self._last_feed = self._last_feed, self._feed
        self._catch, self._last_catch = self._last_catch, self._catch
        self._has_last = True

    @staticmethod
    def _run(api: RknnApi, feed: Feed, catch: Catch) -> None:
        catch.poison()
        api.set_inputs(feed.count, feed.address)
        api.run()
        api.get_outputs(catch.count, catch.address)
        wrong = catch.wrong()
        api.release_outputs(catch.count, catch.address)
        if wrong is not None:
            raise NpuFault(*wrong)

    def _repeats(self) -> bool:
        """The answer is the last good one again, though the input is another."""
        if not self._has_last or self._catch.differs(self._last_catch):
            return False
        return self._feed.differs(self._last_feed)

    def _prove(self, api: RknnApi) -> None:
        """Make the NPU answer something else in between. Two exams have two answers."""
        for exam in self._exams:
            if exam.answer.differs(self._catch):
                self._run(api, exam, self._scratch)
                if self._scratch.differs(exam.answer):
                    raise NpuFault(*self._blame(self._scratch.differs(self._catch)))
                self._run(api, self._feed, self._catch)
                if not self._catch.differs(exam.answer):
                    raise NpuFault(*self._blame(False))
                return

    @staticmethod
    def _blame(has_changed: bool) -> tuple[str, str]:
        if has_changed:
            return "wrong_output", "a known input is answered otherwise than when it was loaded"
        return "stale_output", "another input has the same answer, and so has a known one"

    def examine(self, invoke: Callable[[], None], cores: Sequence[int], mask: int) -> None:
        """Prove that the network answers, and that each core answers alike; once, after loading.

        Args:
            invoke: this session's, or that of the thread that it is called on.
            cores: the mask of each core that may run it; empty on a SoC that has one.
            mask: of the cores that shall run it from now on.

        Raises:
            NpuFault: "self_test", or what a run raises, with the core in its detail.
        """
        first = cores[0] if cores else None
        self._use(first)
        self._set_exams(invoke, first)
        for core in (*cores, mask) if cores else (None,):
            self._use(core)
            for exam in self._exams:
                self._sit(invoke, exam, self._scratch, core)
                if self._scratch.differs(exam.answer):
                    text = f"{_named(core)}: answers otherwise than {_named(first)} before"
                    raise NpuFault("self_test", text)

    def _set_exams(self, invoke: Callable[[], None], core: int | None) -> None:
        """Two of them, with different answers."""
        for pattern in range(PATTERNS):
            exam = Exam(self._tensors_in, self._tensors_out, pattern)
            self._sit(invoke, exam, exam.answer, core)
            if not self._exams or exam.answer.differs(self._exams[0].answer):
                self._exams.append(exam)
            if len(self._exams) == 2:
                return
        raise NpuFault("self_test", f"{_named(core)}: the same answer to different inputs")

    def _sit(self, invoke: Callable[[], None], feed: Feed, catch: Catch, core: int | None) -> None:
        self._sitting = (feed, catch)
        try:
            invoke()
        except NpuFault as fault:
            raise NpuFault(fault.reason, f"{_named(core)}: {fault.detail}") from fault
        self._sitting = None

    def _use(self, core: int | None) -> None:
        if self._api is not None and core is not None:
            try:
                self._api.use_cores(core)
            except NpuFault as fault:
                raise NpuFault("self_test", f"{_named(core)}: {fault.detail}") from fault

    def close(self) -> None:
        """Free the network. May be called twice."""
        self.inputs = self.outputs = ()
        if self._api is not None:
            self._api = None
            self._release()


def _tensors(api: RknnApi, query: int, count: int, path: str) -> list[Tensor]:
    return [Tensor(api.attribute(query, i), path) for i in range(count)]


def _named(mask: int | None) -> str:
    """The NPU cores of a mask, for people."""
    if not mask:
        return "any core" if mask == 0 else "the NPU"
    cores = [str(i) for i in range(mask.bit_length()) if mask >> i & 1]
    return f"core{'s' * (len(cores) > 1)} {' and '.join(cores)}"
