"""Cost over people, as a picture."""

from __future__ import annotations

from pathlib import Path

from tests.bench.report import Crowds
from tests.bench.worker import OURS


def plot(crowds: Crowds, path: Path) -> None:
    """Write a PNG: ms per frame without the network, from one person to a crowd."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for name, row in crowds.items():
        style = {"linewidth": 2.6, "color": "black"} if name == OURS else {"linewidth": 1.4}
        axes.plot(list(row), list(row.values()), marker="o", label=name, **style)
    counts = list(next(iter(crowds.values())))
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.set_xlabel("people in view")
    axes.set_ylabel("ms per frame, without the network")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)
    plt.close(figure)
