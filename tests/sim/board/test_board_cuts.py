"""Every class of what a power cut may leave is there."""

from __future__ import annotations

from sim.board.cuts import Cut, outcomes, prefixes, take
from sim.board.flash import Flash

UNIT = 64


def cut_in_a_write(units: int) -> Cut:
    """Of `units` new units over old ones, one of which had been written before."""
    flash = Flash(b"o" * UNIT * 6, UNIT)
    flash.write_at(5 * UNIT, b"n" * UNIT)
    found = []
    flash.before = lambda now, units: found.append(take(now, units))
    flash.write_at(0, b"n" * UNIT * units)
    return found[0]


def kept(cut: Cut, patch) -> tuple[bool, ...]:
    image = cut.image(patch)
    return tuple(image[unit * UNIT : (unit + 1) * UNIT] == b"n" * UNIT for unit in cut.new)


def test_every_class_of_subsets_is_there():
    cut = cut_in_a_write(3)
    assert [*cut.new] == [0, 1, 2, 5]
    found = {kept(cut, patch) for patch in outcomes(cut)}
    for wanted in ("0000", "1111", "1000", "0001", "0111", "1011", "1101", "1010", "0101"):
        assert tuple(digit == "1" for digit in wanted) in found
    assert all(
        bytes(cut.image(patch)[3 * UNIT : 5 * UNIT]) == b"o" * 2 * UNIT for patch in outcomes(cut)
    )


def test_a_torn_unit_has_every_tail():
    cut = cut_in_a_write(1)
    images = [bytes(cut.image(patch)) for patch in outcomes(cut, points=(0.25,))]
    begun = [image[:UNIT] for image in images if image[:16] == b"n" * 16 and image[16:17] != b"n"]
    assert b"n" * 16 + b"o" * 48 in begun
    assert b"n" * 16 + b"\xff" * 48 in begun
    assert any(len(set(image)) > 20 for image in begun), "garbage"


def test_what_was_synced_is_never_lost():
    flash = Flash(bytes(UNIT * 4), UNIT)
    flash.write_at(0, b"n" * UNIT)
    flash.sync()
    found = []
    flash.before = lambda now, units: found.append(take(now, units))
    flash.write_at(UNIT, b"n" * UNIT)
    flash.sync()
    for cut in found:
        assert [*cut.new] == [1]
        assert all(cut.image(patch)[:UNIT] == b"n" * UNIT for patch in outcomes(cut))


def test_the_weak_model_knows_whole_units_in_order_only():
    cut = cut_in_a_write(2)
    assert [kept(cut, patch) for patch in prefixes(cut)] == [
        (False, False, False),
        (True, False, False),
        (True, True, False),
        (True, True, True),
    ]
