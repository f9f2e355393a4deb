"""`[counts]` of the site file: what is counted, how finely, and from how many people on it is told.

Counting is off without this section: it is a purpose of its own that a site has to state.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

from msgspec import UNSET, Meta, Struct, field

from drivers.toml_strict import Check, Complaint

MAX_CELLS = 1536
"""Cells of the grid: a byte of memory each per track slot, and 3 to 7 bytes in the journal."""
MAX_EDGES = 12


class CountsConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[counts]`: how many people were where and for how long, journalled every hour."""

    columns: Annotated[int, Meta(ge=1, le=96)] = 24
    """The picture is divided into columns x rows cells; a person counts where the feet are."""
    rows: Annotated[int, Meta(ge=1, le=96)] = 14
    k: Annotated[int, Meta(ge=1, le=100)] = 5
    """A report withholds what fewer people than this account for; 1 withholds nothing."""
    settle_ms: Annotated[int, Meta(ge=0, le=10_000)] = 300
    """Inside or outside of a zone for this long to count as an entry or an exit."""
    dwell_s: list[Annotated[int, Meta(ge=1, le=86_400)]] = field(
        default_factory=lambda: [5, 15, 30, 60, 120, 300, 900]
    )
    """Edges between the classes of the time that people stay in a zone, ascending, seconds."""
    background: str = ""
    """Picture of the empty scene for the report, anonymised, renewed every hour; empty: none."""


def _grid(counts: CountsConfig | None) -> Iterator[Complaint]:
    if counts is not None and counts.columns * counts.rows > MAX_CELLS:
        cells = f"{counts.columns} x {counts.rows} = {counts.columns * counts.rows} cells"
        yield "counts.columns", counts.columns, f"at most {MAX_CELLS} cells are possible: {cells}"


def _edges(counts: CountsConfig | None) -> Iterator[Complaint]:
    if counts is None:
        return
    edges = counts.dwell_s
    if not 1 <= len(edges) <= MAX_EDGES:
        yield "counts.dwell_s", UNSET, f"must hold 1 to {MAX_EDGES} edges, has {len(edges)}"
    if any(after <= before for before, after in pairwise(edges)):
        yield "counts.dwell_s", edges, "must rise from edge to edge"


CHECKS = (Check(("counts",), _grid), Check(("counts",), _edges))
