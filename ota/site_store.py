"""The site file on flash: one that has proved itself, and one on trial."""

from __future__ import annotations

import hashlib
from typing import Final

from drivers.faults import StorageFault
from ota import records, site_steps
from ota.records import write_through
from ota.refusal import Refused
from ota.state_store import StateStore, refusing

SITE_MAGIC: Final = b"HTSF"


class SiteFile:
    """The site file to use now.

    Attributes:
        text: of the file; "" where none was stored: use the one that came with the image.
        digest: SHA-256 of it, b"" without one.
        is_trial: it has not proved itself yet.
        tries: how often it was started.
    """

    def __init__(self, text: str = "", is_trial: bool = False, tries: int = 0) -> None:
        self.text = text
        self.digest = hashlib.sha256(text.encode()).digest() if text else b""
        self.is_trial = is_trial
        self.tries = tries


class SiteStore(StateStore):
    """Keeps site files; see `ota.store`."""

    @property
    def site(self) -> SiteFile:
        """The site file to use: the one on trial, else `site_confirmed`.

        One that is damaged counts as not there.
        """
        site = self.state.site
        text = self._site_text(site.trial) if site.trial >= 0 else ""
        return SiteFile(text, True, site.tries) if text else self.site_confirmed

    @property
    def site_confirmed(self) -> SiteFile:
        """Without the one on trial: for when the flash does not take the count of its try."""
        place = self.state.site.confirmed
        return SiteFile(self._site_text(place) if place >= 0 else "")

    def _site_text(self, place: int) -> str:
        try:
            data = self._storage.read_at(self._layout.sites[place], self._layout.site_bytes)
        except StorageFault:
            return ""
        record = records.decode(data, SITE_MAGIC)
        wanted = self.state.site.digests[place]
        if record is None or hashlib.sha256(record.body).digest() != wanted:
            return ""
        return record.body.decode()

    def save_site(self, text: str) -> None:
        """Store a site file, to be tried at the next start. Whoever calls has checked it.

        The confirmed one stays, and so does another one on trial until this one is durable.

        Raises:
            Refused: "too_long", "argument": empty, "storage", "newer_format".
        """
        self.settle()
        body = text.encode()
        most = self._layout.site_bytes - records.OVERHEAD_BYTES
        if len(body) > most:
            raise Refused("too_long", f"site file: {len(body)} bytes; at most {most}")
        if not body:
            raise Refused("argument", "the site file is empty")
        place = site_steps.free_place(self.state.site)
        data = records.encode(SITE_MAGIC, 0, body, self._layout.unit_bytes)
        with refusing():
            write_through(self._storage, self._layout.sites[place], data)
        self.commit(site_steps.saved(self.state, place, hashlib.sha256(body).digest()))

    def site_started(self) -> int:
        """Count a try of the site file on trial, durably, before it is used.

        Returns:
            The tries with this one.

        Raises:
            Refused: "nothing" is on trial, "storage".
        """
        self.commit(site_steps.started(self.state))
        return self.state.site.tries

    def confirm_site(self) -> None:
        """The site file on trial stays. Raises Refused: "nothing", "storage"."""
        self.commit(site_steps.confirmed(self.state))

    def drop_site(self, reason: str, detail: str = "") -> None:
        """Give up the one on trial; `state.site.last` says why. Raises Refused as above."""
        self.commit(site_steps.dropped(self.state, reason, detail))
