"""`[updates]` of a board file: where new students lie, who may bring them, how they are tried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from drivers.operator_config import MAX_SOCKET_PATH, Name
from drivers.toml_strict import Check, Complaint

SCHEMES = ("serial", "tcp", "unix")
Word = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]


class UpdatesConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[updates]`: left out, the camera keeps the students it was made with."""

    path: Name
    """The file that holds both slots, the state, the key ring and the site that was pushed."""
    driver: Name = "file"
    """Of the storage."""
    slot_mb: Annotated[int, Meta(ge=1, le=256)] = 8
    """Room for one student set; there are two."""
    product: Word = "haetae"
    """Bundles for other products are refused."""
    device: Word = "camera"
    """Name of this camera: operators sign their commands for it."""
    ring: Name
    """File with the key ring that the camera was provisioned with."""
    factory_release: Annotated[int, Meta(ge=0, le=0xFFFFFFFF)] = 0
    """Release of the students that came with the image: older bundles are refused."""
    factory_counter: Annotated[int, Meta(ge=0, le=0xFFFFFFFF)] = 0
    """Their security counter: below the floor there is no way back to them."""
    links: Annotated[list[str], Meta(max_length=4)] = []
    """Where to listen: "serial:/dev/ttyS2:921600", "unix:/run/haetae/link", "tcp:0.0.0.0:7007"."""
    worker: Name = "thread"
    """Driver of what the links and the flash are worked on by."""
    memory_mb: Annotated[int, Meta(ge=1, le=4096)] = 32
    """What a second student set may take while it is on trial."""
    shadow_ms: Annotated[int, Meta(ge=0, le=3_600_000)] = 20_000
    """New students look beside the present ones for at least this long before they take over."""
    probation_ms: Annotated[int, Meta(ge=1000, le=86_400_000)] = 300_000
    """The present ones look on for at least this long before they are let go of."""
    most_ms: Annotated[int, Meta(ge=1000, le=604_800_000)] = 86_400_000
    """A trial in which too few people come by to compare ends after this long, rolled back."""
    people: Annotated[int, Meta(ge=1, le=1000)] = 24
    """So many people, at different places, must have been compared."""
    invoke_ms: Annotated[float, Meta(ge=0, le=1000)] = 0.0
    """Longest inference of a new detector; 0: four tenths of a frame's period."""
    max_tries: Annotated[int, Meta(ge=1, le=5)] = 2
    """A trial that a reset ended may begin again, up to so many times in all."""
    settle_ms: Annotated[int, Meta(ge=0, le=3_600_000)] = 10_000
    """The camera must have been healthy for this long before a trial begins."""


def _links(links: list[str]) -> Iterator[Complaint]:
    for number, link in enumerate(links):
        scheme, _, rest = link.partition(":")
        if scheme not in SCHEMES or not rest:
            allowed = "must begin with serial:, tcp: or unix:, then say where"
            yield f"updates.links[{number}]", link, allowed
        elif scheme == "unix" and len(rest.encode()) > MAX_SOCKET_PATH:
            yield f"updates.links[{number}]", link, f"must be at most {MAX_SOCKET_PATH} bytes long"
        if links.count(link) > 1:
            yield f"updates.links[{number}]", link, "must be named once"


def _times(updates: UpdatesConfig | None) -> Iterator[Complaint]:
    if updates is not None and updates.most_ms < updates.probation_ms:
        allowed = f"must be >= updates.probation_ms = {updates.probation_ms}"
        yield "updates.most_ms", updates.most_ms, allowed


CHECKS = (Check(("updates.links",), _links), Check(("updates",), _times))
