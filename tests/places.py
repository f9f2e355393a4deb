"""Where things are: the repository, and the data sets beside it."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def data_root() -> Path:
    """The folder of data sets: HAETAE_DATA, default `../shared/data`."""
    root = Path(os.environ.get("HAETAE_DATA", "../shared/data"))
    return root if root.is_absolute() else (REPOSITORY / root).resolve()
