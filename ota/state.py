"""What a camera knows about its students and its site file: one `State` is one record on flash.

Keys that a newer runtime has written are kept, and written again. How it may change is in
`ota.steps`.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from ota import wire
from ota.area import SITES
from ota.refusal import Refused

FACTORY: Final = -1
"""Instead of a slot's number: the students (or the site file) that came with the image."""
NONE: Final = -1
DETAIL_CHARS: Final = 200

Slot = Annotated[int, Meta(ge=-1, le=1)]
SitePlace = Annotated[int, Meta(ge=-1, lt=SITES)]
Count = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
Digest = Annotated[bytes, Meta(max_length=32)]
Text = Annotated[str, Meta(max_length=4 * DETAIL_CHARS)]
Status = Literal["empty", "receiving", "staged", "confirmed", "bad"]


class _Kept(Struct, frozen=True, kw_only=True):
    """`unknown`: keys of a newer runtime."""

    unknown: dict[str, Any] = {}


class SlotInfo(_Kept, frozen=True, kw_only=True):
    """What a slot holds.

    Attributes:
        status: "bad" is a set that failed its trial; it is not taken again before `abandon`.
        digest: SHA-256 of the manifest.
        release, counter, version: of the manifest.
        head_bytes: length of the head in the slot.
        why: of a bad one: a word of `ota.refusal.REASONS`.
    """

    status: Status = "empty"
    digest: Digest = b""
    release: Count = 0
    counter: Count = 0
    version: Text = ""
    head_bytes: Count = 0
    why: Text = ""


class Last(_Kept, frozen=True, kw_only=True):
    """How the last trial, transfer or way back ended.

    Attributes:
        outcome: "", "confirmed", "rolled_back", "went_back", "abandoned", "damaged" or "image".
        reason: of `ota.refusal.REASONS`; "" where all is well. detail: values.
        release, version, digest: of what it was about.
    """

    outcome: Text = ""
    reason: Text = ""
    detail: Text = ""
    release: Count = 0
    version: Text = ""
    digest: Digest = b""


class SiteState(_Kept, frozen=True, kw_only=True):
    """Which site file counts.

    Attributes:
        confirmed: place of the one that has proved itself; FACTORY: that of the image.
        trial: place of the one to try; NONE: none.
        tries: of `trial`, made durable before each.
        digests: SHA-256 of the text in each place; b"": nothing of worth.
        last: how the last site file on trial ended.
    """

    confirmed: SitePlace = FACTORY
    trial: SitePlace = NONE
    tries: Count = 0
    digests: tuple[Digest, Digest, Digest] = (b"", b"", b"")
    last: Last = Last()


class State(_Kept, frozen=True, kw_only=True):
    """All of it.

    Attributes:
        active: slot of the students that run; FACTORY.
        previous: where `go_back` leads: a confirmed slot, or FACTORY.
        trial: slot that is being tried; NONE.
        tries: of the staged or tried slot, made durable before each.
        floor: least security counter that may run; rises on confirm.
        image: release of the students that came with the image, when that was last looked at.
        slots: what they hold.
        last: why the students are what they are.
        site: the site file.
    """

    active: Slot = FACTORY
    previous: Slot = FACTORY
    trial: Slot = NONE
    tries: Count = 0
    floor: Count = 0
    image: Count = 0
    slots: tuple[SlotInfo, SlotInfo] = (SlotInfo(), SlotInfo())
    last: Last = Last()
    site: SiteState = SiteState()


_T = TypeVar("_T", bound=_Kept)
_PARTS: Final[dict[str, type[_Kept]]] = {"last": Last, "site": SiteState}


def to_bytes(state: State) -> bytes:
    """The body of its record."""
    return wire.pack(_plain(state))


def from_bytes(body: bytes) -> State:
    """Understand a record, whatever it has besides.

    Raises:
        Refused: "malformed" and others of `ota.wire`: a valid record that says what this runtime
            does not know.
    """
    try:
        return _read(State, wire.unpack(body, 1 << 16, "state"))
    except (msgspec.ValidationError, ValueError, TypeError, AttributeError) as error:
        raise Refused("newer_format", f"state: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, _Kept):
        names = [name for name in value.__struct_fields__ if name != "unknown"]
        return {**value.unknown, **{name: _plain(getattr(value, name)) for name in names}}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _read(kind: type[_T], raw: dict[str, Any]) -> _T:
    names = [name for name in kind.__struct_fields__ if name != "unknown"]
    known = {name: raw[name] for name in names if name in raw}
    plain = {name: value for name, value in known.items() if name not in ("slots", *_PARTS)}
    made = msgspec.convert(plain, kind)
    parts: dict[str, Any] = {n: _read(_PARTS[n], known[n]) for n in _PARTS if n in known}
    if "slots" in known:
        first, second = known["slots"]
        parts["slots"] = _read(SlotInfo, first), _read(SlotInfo, second)
    rest = {name: value for name, value in raw.items() if name not in names}
    return replace(made, unknown=rest, **parts)
