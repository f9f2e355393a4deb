"""`[privacy]` of a site file: what of people, and of the room, a picture that leaves may show."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Mode = Literal["everything", "people", "skeleton"]


class PrivacyConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[privacy]`: every setting is safe; they differ in how much of the room can be seen."""

    mode: Mode = "everything"
    """`everything`: a coarse grid over the whole picture. `people`: the empty room, and people as a
    coarse grid. `skeleton`: the empty room, and people as drawn figures. Until the empty room is
    known, all three are `everything`."""
    rows: Annotated[int, Meta(ge=4, le=12)] = 8
    """Cells of the coarse grid over the shorter side of the picture: fewer show less."""
    learn_ms: Annotated[int, Meta(ge=5_000, le=3_600_000)] = 60_000
    """A place of the room is shown as it is after nobody was there and it looked the same for so
    long, in all."""
