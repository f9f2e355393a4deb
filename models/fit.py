"""Makes a package for a board's NPU out of one for TFLite: the board says what its tensors are.

The converter of an NPU chooses scales and zero points of its own, and only the NPU's runtime tells
them. So this is done once on a board, and the package that it leaves serves all boards of the kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from drivers.faults import ModelRefused
from drivers.interfaces import Npu
from drivers.npu.tensors import DescribedSession, TensorDetail
from models.pack import target_of, write_package
from models.package import InputInfo, ModelInfo, OutputInfo, Package, TargetInfo, read_info

Info = TypeVar("Info", InputInfo, OutputInfo)


def fit(folder: Path, file: Path, npu: Npu, out: Path) -> Package:
    """Write a package of `file`, which is the network of another package compiled for `npu`.

    Outputs are told apart by name: kind and stride, as "box_8", or the kind where there is one.

    Args:
        folder: the package whose network was compiled.
        file: what the NPU's converter made of it.
        npu: the back end of this board.
        out: the folder to write; made when it is not there.

    Returns:
        The package as read back from the folder. It claims no accuracy: that is still to measure.

    Raises:
        ModelRefused: the file is no such network.
        NpuFault: the device failed.
    """
    info = read_info(folder)
    session = npu.load(str(file))
    try:
        if not isinstance(session, DescribedSession):
            raise ModelRefused(str(file), "its tensors are not described")
        fitted = _fitted(info, session.input_details, session.output_details, str(file))
    finally:
        session.close()
    target = TargetInfo(**target_of(file, npu.target))
    return write_package(replace(fitted, targets=[target], accuracy={}), file, out)


def _fitted(
    info: ModelInfo, inputs: Sequence[TensorDetail], outputs: Sequence[TensorDetail], path: str
) -> ModelInfo:
    promised = _names(info.outputs)
    if len(inputs) != 1 or {one.name for one in outputs} != set(promised):
        have = ", ".join(one.name for one in outputs)
        wanted = ", ".join(promised)
        raise ModelRefused(
            path, f"{len(inputs)} inputs and outputs {have}; must be 1, and {wanted}"
        )
    return replace(
        info,
        input=_as_found(info.input, inputs[0], path),
        outputs=[
            replace(_as_found(promised[one.name], one, path), index=i)
            for i, one in enumerate(outputs)
        ],
    )


def _names(outputs: list[OutputInfo]) -> dict[str, OutputInfo]:
    times = Counter(one.kind for one in outputs)
    return {
        one.kind if times[one.kind] == 1 else f"{one.kind}_{one.stride}": one for one in outputs
    }


def _as_found(promise: Info, found: TensorDetail, path: str) -> Info:
    """A tensor with the board's quantization. Raises ModelRefused: it is another tensor."""
    if tuple(promise.shape) != found.shape or promise.dtype != found.dtype:
        raise ModelRefused(
            path,
            f"tensor {found.name} is {found.dtype} {list(found.shape)}; "
            f"must be {promise.dtype} {promise.shape}",
        )
    return replace(promise, scale=found.scale, zero_point=found.zero_point)
