"""Records as they were once written are understood for ever; add new ones, never change these."""

from __future__ import annotations

from base64 import b64decode

from ota.area import STATE_BYTES
from ota.store import Store
from tests.ota.camera import SLOT_BYTES, new_flash

FORMAT_1_0 = b64decode(
    """
SFRTVAEAAAAJAAAAAAAAABACAADNqzQSiKZhY3RpdmUApWZsb29yAaRsYXN0hqZkZXRhaWyxOTAgbXM7IGF0IG1v
c3QgNTCmZGlnZXN0xCD8jEMnoD+25Dny+NA4levueLKatJl12149v83+Gm8tj6dvdXRjb21lq3JvbGxlZF9iYWNr
pnJlYXNvbqdsYXRlbmN5p3JlbGVhc2UCp3ZlcnNpb26jMS4yqHByZXZpb3Vz/6RzaXRlhaljb25maXJtZWT/p2Rp
Z2VzdHOTxCCoLD+nH5KkcDPttFaFinj+k1kyWuKQNxr9TzD2g0lKAsQAxACkbGFzdIamZGV0YWlsoKZkaWdlc3TE
AKdvdXRjb21loKZyZWFzb26gp3JlbGVhc2UAp3ZlcnNpb26gpXRyaWFsAKV0cmllcwGlc2xvdHOSh6djb3VudGVy
AaZkaWdlc3TEIBC6yfHdsvq8MKX7cXDiGDeNsMs9Ppd08divCqx9jSSbqmhlYWRfYnl0ZXPNAgSncmVsZWFzZQGm
c3RhdHVzqWNvbmZpcm1lZKd2ZXJzaW9uozEuMaN3aHmgh6djb3VudGVyAaZkaWdlc3TEIPyMQyegP7bkOfL40DiV
6+54spq0mXXbXj2/zf4aby2PqmhlYWRfYnl0ZXPNAgSncmVsZWFzZQKmc3RhdHVzo2JhZKd2ZXJzaW9uozEuMqN3
aHmnbGF0ZW5jeaV0cmlhbP+ldHJpZXMAZAFSVw==
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
