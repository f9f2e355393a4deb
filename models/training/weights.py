"""A student's floating-point weights beside its package, so that others can train it further."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

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


class WeightsRefused(ValueError):
    """The file cannot be begun with; the message says which and why."""


def start_from(student: nn.Module, path: Path) -> None:
    """Load what `keep` wrote.

    Raises:
        WeightsRefused: it is not there, damaged, or of a network of another shape.
    """
    state = student.state_dict()
    try:
        with path.open("rb") as raw, np.load(raw) as file:
            values = {n: torch.from_numpy(file[n].astype(np.float32)) for n in file.files}
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise WeightsRefused(f"{path}: cannot be read: {error}") from error
    wanted = {name for name, value in state.items() if value.dtype.is_floating_point}
    wrong = wanted ^ values.keys() or {n for n in wanted if state[n].shape != values[n].shape}
    if wrong:
        raise WeightsRefused(f"{path}: not of this network, as {min(wrong)} shows")
    student.load_state_dict({**state, **values})
