"""A student's floating-point weights beside its package, so that others can train it further."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

FILE = "weights.npz"


def keep(student: nn.Module, path: Path) -> None:
    """Write every weight as float16: half the size, and training goes on all the same.

    Args:
        student: whose weights.
        path: an .npz file.
    """
    values = {name: value.half().numpy() for name, value in student.state_dict().items()
              if value.dtype.is_floating_point}  # fmt: skip
    np.savez_compressed(path, **values)


def start_from(student: nn.Module, path: Path) -> None:
    """Load what `keep` wrote.

    Raises:
        ValueError: it is of a network of another shape.
    """
    state = student.state_dict()
    with np.load(path) as file:
        values = {name: torch.from_numpy(file[name].astype(np.float32)) for name in file.files}
    wanted = {name for name, value in state.items() if value.dtype.is_floating_point}
    wrong = wanted ^ values.keys() or {n for n in wanted if state[n].shape != values[n].shape}
    if wrong:
        raise ValueError(f"{path}: not of this network, as {sorted(wrong)[0]} shows")
    student.load_state_dict({**state, **values})
