"""What Rockchip's SoCs are to us: their NPU cores, and how the device tree names them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

CORES: Final = {"rk3588": 3, "rk3576": 2, "rk3562": 1, "rk3566": 1, "rk3568": 1, "rv1126b": 1}
"""NPU cores by target. A core mask on a SoC of one core is an error of its runtime (-13)."""
ANY_CORE: Final = 0
"""The mask that leaves the choice to the runtime."""
DEVICE_TREE: Final = Path("/proc/device-tree/compatible")


def masks(target: str) -> tuple[int, ...]:
    """Core masks that a target has: any, each core, the first two, and so on.

    Others are replaced without a word: 4 on a rk3576 by 1.
    """
    cores = CORES[target]
    if cores == 1:
        return (ANY_CORE,)
    return (ANY_CORE, *(1 << i for i in range(cores)), *((1 << i) - 1 for i in range(2, cores + 1)))


def single_cores(target: str, mask: int) -> tuple[int, ...]:
    """The masks of each core that `mask` may use; empty where there is nothing to choose."""
    cores = CORES[target]
    if cores == 1:
        return ()
    return tuple(1 << i for i in range(cores) if mask in (ANY_CORE, mask | 1 << i))


def soc_names(path: Path = DEVICE_TREE) -> tuple[str, ...]:
    """SoCs that the device tree says this is, e.g. ("rk3588s", "rk3588"); empty where unknown."""
    try:
        compatible = path.read_bytes().split(b"\0")
    except OSError:
        return ()
    words = [one.decode("ascii", "replace").partition(",") for one in compatible]
    return tuple(name for vendor, _, name in words if vendor == "rockchip" and name)
