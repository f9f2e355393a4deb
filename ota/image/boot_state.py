"""Which of the two slots boots, and how often it may be tried: text that U-Boot reads and writes.

Partition `misc` holds two copies, each one sector of 512 bytes: 508 bytes of text as U-Boot's
`env import -t` and `env export -t` have it, filled up with zeros, and the CRC-32 of those 508 as
its `crc32` command stores it (big endian). The copy with the higher `haetae_seq` counts. Whoever
changes the state writes the copy that does not count, with the next number: a cut or torn write
leaves the one that counted. Numbers are hexadecimal without 0x, since U-Boot's `setexpr` is.

    haetae_order      "a b": slots, the one to boot first
    haetae_a_left     tries of slot a, 0 to 3; U-Boot takes one before each boot
    haetae_a_proved   1: the camera was well with this slot once; see `ota.image.prove`
    haetae_b_left, haetae_b_proved
    haetae_seq        number of this record

Sources: U-Boot doc/usage/cmd/env.rst, cmd/nvedit.c and lib/hashtable.c (v2023.01).
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, replace
from typing import Final, Literal

Slot = Literal["a", "b"]
SLOTS: Final[tuple[Slot, Slot]] = ("a", "b")
TRIES: Final = 3
MISC_BYTES: Final = 1 << 20
SECTOR_BYTES: Final = 512
TEXT_BYTES: Final = SECTOR_BYTES - 4
COPIES_AT: Final = (0, MISC_BYTES // 2)
"""Offsets of the copies: in erase groups of their own on most flash."""
MOST_SEQ: Final = 0x7FFF_FFFF
NAMES: Final = (
    "haetae_a_left",
    "haetae_a_proved",
    "haetae_b_left",
    "haetae_b_proved",
    "haetae_order",
    "haetae_seq",
)
"""Sorted, as U-Boot writes them."""
_HEX: Final = re.compile(r"[0-9a-f]{1,8}")


class BootStateFault(Exception):
    """A copy of the boot state that cannot be used.

    Attributes:
        reason: "size", "crc" (never written, torn or damaged), "text" or "value".
        detail: what was found.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class SlotState:
    """One slot. `left`: tries before it is passed over. `is_proved`: the camera was well there."""

    left: int = TRIES
    is_proved: bool = False


@dataclass(frozen=True)
class BootState:
    """The state of both slots.

    Attributes:
        order: the slot to boot first, then the other one.
        a, b: the slots.
        seq: of the record that it was read from; 0: of none.
    """

    order: tuple[Slot, Slot] = SLOTS
    a: SlotState = SlotState()
    b: SlotState = SlotState()
    seq: int = 0

    def of(self, slot: Slot) -> SlotState:
        """What is known of a slot."""
        return self.a if slot == "a" else self.b

    @property
    def primary(self) -> Slot | None:
        """The slot that boots next; None: both are spent, and all tries will be given back."""
        return next((slot for slot in self.order if self.of(slot).left), None)


LOST: Final = BootState()
"""What is taken where no copy can be used; boot.cmd says the same."""


def factory(full: str = "ab") -> BootState:
    """The state of a new image: its slots have proved themselves in the vendor's hands.

    Args:
        full: the slots that hold something: "ab", or "a".
    """
    there, empty = SlotState(TRIES, True), SlotState(0, False)
    a, b = (there if slot in full else empty for slot in SLOTS)
    return BootState(SLOTS, a, b, seq=1)


def misc_image(state: BootState) -> bytes:
    """All of the partition for a new image: both copies, the second one counts."""
    image = bytearray(MISC_BYTES)
    for at, seq in zip(COPIES_AT, (state.seq, state.seq + 1), strict=True):
        image[at : at + SECTOR_BYTES] = to_sector(replace(state, seq=seq))
    return bytes(image)


def to_sector(state: BootState) -> bytes:
    """One copy, to the byte as U-Boot writes it."""
    values = (
        f"{state.a.left:x}",
        f"{state.a.is_proved:x}",
        f"{state.b.left:x}",
        f"{state.b.is_proved:x}",
        " ".join(state.order),
        f"{state.seq:x}",
    )
    lines = "".join(f"{name}={value}\n" for name, value in zip(NAMES, values, strict=True))
    text = lines.encode().ljust(TEXT_BYTES, b"\0")
    return text + zlib.crc32(text).to_bytes(4, "big")


def from_sector(sector: bytes) -> BootState:
    """Read one copy. Variables that this runtime does not know are passed over.

    Raises:
        BootStateFault: it cannot be used; nothing of it may be believed.
    """
    if len(sector) != SECTOR_BYTES:
        raise BootStateFault("size", f"{len(sector)} bytes, not {SECTOR_BYTES}")
    text, crc = sector[:TEXT_BYTES], sector[TEXT_BYTES:]
    if zlib.crc32(text).to_bytes(4, "big") != crc:
        raise BootStateFault("crc", f"{crc.hex()} does not fit the text")
    values = _variables(text)
    missing = [name for name in NAMES if name not in values]
    if missing:
        raise BootStateFault("text", f"{', '.join(missing)} missing")
    a, b = (_slot_state(values, slot) for slot in SLOTS)
    return BootState(_order(values["haetae_order"]), a, b, _number(values, "haetae_seq", MOST_SEQ))


def newest(sectors: tuple[bytes, bytes]) -> tuple[BootState | None, int, list[str]]:
    """The copy that counts.

    Returns:
        The state (None: neither can be used), which of the two it is (0 where neither), and what
        is wrong with each that cannot be used.
    """
    found: list[tuple[int, int, BootState]] = []
    faults: list[str] = []
    for number, sector in enumerate(sectors):
        try:
            state = from_sector(sector)
            found.append((state.seq, -number, state))
        except BootStateFault as fault:
            faults.append(f"copy {number}: {fault}")
    if not found:
        return None, 0, faults
    _, number, state = max(found, key=lambda one: one[:2])
    return state, -number, faults


def good(state: BootState, slot: Slot) -> BootState:
    """The camera is well with this slot: all its tries back; it leads where the first is spent."""
    state = _with(state, slot, SlotState(TRIES, True))
    return state if state.of(state.order[0]).left else replace(state, order=_first(slot))


def up(state: BootState, slot: Slot) -> BootState:
    """This slot has come up. One that has proved itself before gets its tries back, no other."""
    return good(state, slot) if state.of(slot).is_proved else state


def bad(state: BootState, slot: Slot) -> BootState:
    """This slot shall not boot, and has to prove itself again: it is about to be written over."""
    return _with(state, slot, SlotState(0, False))


def may_be_written(state: BootState, slot: Slot, running: Slot) -> bool:
    """Whether a slot may be given up: not what runs, nor the way back of what is on trial."""
    is_way_back = state.of(slot).is_proved and not state.of(running).is_proved
    return slot != running and not is_way_back


def primary(state: BootState, slot: Slot) -> BootState:
    """This slot boots next. What is known of it stays; one that was bad or spent is on trial."""
    known = state.of(slot)
    return replace(_with(state, slot, replace(known, left=TRIES)), order=_first(slot))


def tried(state: BootState) -> tuple[BootState, Slot]:
    """What boot.cmd does before each boot: takes a try; gives all back where both are spent."""
    if state.primary is None:
        state = given_back(state)
    slot = state.primary or state.order[0]
    known = state.of(slot)
    return _with(state, slot, replace(known, left=known.left - 1)), slot


def given_back(state: BootState) -> BootState:
    """Both slots are spent: all tries again, and one that has proved itself before leads."""
    first, second = state.order
    is_turned = state.of(second).is_proved and not state.of(first).is_proved
    a, b = (replace(state.of(slot), left=TRIES) for slot in SLOTS)
    return replace(state, order=_first(second) if is_turned else state.order, a=a, b=b)


def _first(slot: Slot) -> tuple[Slot, Slot]:
    return ("a", "b") if slot == "a" else ("b", "a")


def _with(state: BootState, slot: Slot, known: SlotState) -> BootState:
    return replace(state, a=known) if slot == "a" else replace(state, b=known)


def _variables(text: bytes) -> dict[str, str]:
    lines, _, rest = text.partition(b"\0")
    if rest.strip(b"\0") or not lines.isascii():
        raise BootStateFault("text", "it is not ASCII text filled up with zeros")
    pairs = [line.partition("=") for line in lines.decode("ascii").splitlines()]
    return {name: value for name, _, value in pairs}


def _slot_state(values: dict[str, str], slot: str) -> SlotState:
    left = _number(values, f"haetae_{slot}_left", TRIES)
    return SlotState(left, bool(_number(values, f"haetae_{slot}_proved", 1)))


def _order(value: str) -> tuple[Slot, Slot]:
    if value not in ("a b", "b a"):
        raise BootStateFault("value", f"haetae_order={value!r}: 'a b' or 'b a'")
    return _first("a" if value[0] == "a" else "b")


def _number(values: dict[str, str], name: str, most: int) -> int:
    value = values[name]
    if not _HEX.fullmatch(value) or int(value, 16) > most:
        raise BootStateFault("value", f"{name}={value!r}: hexadecimal, 0 to {most:x}")
    return int(value, 16)
