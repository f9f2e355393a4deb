"""Records as they were once written are understood for ever; add new ones, never change these."""

from __future__ import annotations

from base64 import b64decode

from ota.area import STATE_BYTES
from ota.store import Store
from tests.ota.camera import SLOT_BYTES, new_flash

FORMAT_1_0 = b64decode(
    """
SFRTVAEAAAAJAAAAAAAAABACAACIpmFjdGl2ZQClZmxvb3IBpGxhc3SGpmRldGFpbLE5MCBtczsgYXQgbW9zdCA1
MKZkaWdlc3TEIPyMQyegP7bkOfL40DiV6+54spq0mXXbXj2/zf4aby2Pp291dGNvbWWrcm9sbGVkX2JhY2umcmVh
c29up2xhdGVuY3mncmVsZWFzZQKndmVyc2lvbqMxLjKocHJldmlvdXP/pHNpdGWFqWNvbmZpcm1lZP+nZGlnZXN0
c5PEIKgsP6cfkqRwM+20VoWKeP6TWTJa4pA3Gv1PMPaDSUoCxADEAKRsYXN0hqZkZXRhaWygpmRpZ2VzdMQAp291
dGNvbWWgpnJlYXNvbqCncmVsZWFzZQCndmVyc2lvbqCldHJpYWwApXRyaWVzAaVzbG90c5KHp2NvdW50ZXIBpmRp
Z2VzdMQgELrJ8d2y+rwwpftxcOIYN42wyz0+l3Tx2K8KrH2NJJuqaGVhZF9ieXRlc80CBKdyZWxlYXNlAaZzdGF0
dXOpY29uZmlybWVkp3ZlcnNpb26jMS4xo3doeaCHp2NvdW50ZXIBpmRpZ2VzdMQg/IxDJ6A/tuQ58vjQOJXr7niy
mrSZddtePb/N/hpvLY+qaGVhZF9ieXRlc80CBKdyZWxlYXNlAqZzdGF0dXOjYmFkp3ZlcnNpb26jMS4yo3doeads
YXRlbmN5pXRyaWFs/6V0cmllcwC/kcws
"""
)


def test_a_state_of_format_1_0_is_understood():
    flash = new_flash()
    flash.visible[STATE_BYTES : STATE_BYTES + len(FORMAT_1_0)] = FORMAT_1_0
    store = Store(flash, SLOT_BYTES)
    state = store.state
    assert store.locked == ""
    assert (state.active, state.previous, state.trial, state.tries, state.floor) == (
        0,
        -1,
        -1,
        0,
        1,
    )
    first, second = state.slots
    assert (first.status, first.release, first.counter) == ("confirmed", 1, 1)
    assert (first.version, first.digest[:4].hex()) == ("1.1", "10bac9f1")
    assert (second.status, second.why, second.head_bytes) == ("bad", "latency", 516)
    assert (state.last.outcome, state.last.reason) == ("rolled_back", "latency")
    assert (state.site.confirmed, state.site.trial, state.site.tries) == (-1, 0, 1)
    store.drop_site("reset")
    assert Store(flash, SLOT_BYTES).state.slots == state.slots
