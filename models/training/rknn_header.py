"""Says what .rknn files were compiled for.

python -m models.training.rknn_header FILE...
"""

from __future__ import annotations

import sys
from pathlib import Path

from drivers.npu.rknn_file import BODY_AT as BODY_AT
from drivers.npu.rknn_file import MAGIC as MAGIC
from drivers.npu.rknn_file import RknnRefused as RknnRefused
from drivers.npu.rknn_file import read_header as read_header


def main() -> None:
    """Print the header of each file named on the command line."""
    for name in sys.argv[1:]:
        header = read_header(Path(name))
        print(f"{name}: {', '.join(header.target_platform)}  toolkit {header.version}")


if __name__ == "__main__":
    main()
