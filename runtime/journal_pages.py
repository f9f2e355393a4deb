"""The journal in pages, for a link: records from a number on, as plain values."""

from __future__ import annotations

from typing import Any, Final

from runtime.journal import Journal

MOST: Final = 64
"""Records in a page."""
PAGE_BYTES: Final = 16_384
"""Of their bodies, about."""
BODY_BYTES: Final = 48
"""Of a record beside its body, about."""


def page(journal: Journal, from_seq: int, most: int = 0) -> dict[str, Any]:
    """Records from `from_seq` on, oldest first.

    Args:
        journal: only read, from whatever thread.
        from_seq: first sequence number that is wanted.
        most: records; 0: as many as a page takes.

    Returns:
        records: each {seq, boot, mono_ms, wall_ms, kind, body}; next: the number to go on with,
        last: the newest record's number.
    """
    records: list[dict[str, Any]] = []
    size, limit = 0, min(most or MOST, MOST)
    for record in journal.read_from(from_seq, limit):
        size += BODY_BYTES + record_bytes(record.body)
        if records and size > PAGE_BYTES:
            break
        records.append(
            {
                "seq": record.seq,
                "boot": record.boot_id,
                "mono_ms": record.mono_ms,
                "wall_ms": record.wall_ms,
                "kind": record.kind_name,
                "body": record.body,
            }
        )
    following = records[-1]["seq"] + 1 if records else from_seq
    return {"records": records, "next": following, "last": journal.next_seq - 1}


def record_bytes(body: dict[str, Any]) -> int:
    """About how long a body is."""
    return len(repr(body))
