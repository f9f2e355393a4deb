"""Eclipse hawkBit's Direct Device Integration API, as far as a camera needs it.

A device polls its own resource; links in the answer say what the server wants of it. What comes is
decoded into the types below, bounded, and passed over where it is unknown.

Source: https://eclipse.dev/hawkbit/rest-api/ddi/ and docs/direct-device-integration-api.md of
https://github.com/eclipse-hawkbit/hawkbit (model classes Ddi*.java of hawkbit-ddi-api). The time of
a feedback is left out, which the server then puts in: a camera's clock may be wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Struct, field

from ota.carriers.camera import SourceGone, SourceLost
from ota.carriers.web import PASSING, Web

MAX_JSON_BYTES: Final = 1 << 18
MAX_ARTIFACTS: Final = 16
MAX_DETAIL_CHARS: Final = 400
GONE: Final = (404, 410)
"""Feedback for an action that is not open any more."""
Execution = Literal[
    "closed", "proceeding", "canceled", "scheduled", "rejected", "resumed", "downloaded", "download"
]
Finished = Literal["success", "failure", "none"]
_SLEEP: Final = re.compile(r"(\d{1,3}):(\d{2}):(\d{2})")


class _Href(Struct):
    href: str = ""


class _Polling(Struct):
    sleep: str = ""


class _Config(Struct):
    polling: _Polling = field(default_factory=_Polling)


class _Base(Struct):
    config: _Config = field(default_factory=_Config)
    links: dict[str, _Href] = field(name="_links", default_factory=dict)


class _Artifact(Struct):
    filename: str
    size: int = 0
    links: dict[str, _Href] = field(name="_links", default_factory=dict)


class _Chunk(Struct):
    artifacts: list[_Artifact] = []


class _Deployment(Struct):
    download: str = "attempt"
    update: str = "attempt"
    window: str | None = field(name="maintenanceWindow", default=None)
    chunks: list[_Chunk] = []


class _DeploymentBase(Struct):
    id: str
    deployment: _Deployment


class _Stop(Struct):
    stop_id: str = field(name="stopId")


class _Cancel(Struct):
    id: str
    action: _Stop = field(name="cancelAction")


class Base(NamedTuple):
    """What the server wants: the URLs of what there is, "" where there is nothing.

    Attributes:
        sleep_ms: until the next poll; 0 where the server does not say.
        deployment, cancel, config_data: URLs.
    """

    sleep_ms: float
    deployment: str
    cancel: str
    config_data: str


class Artifact(NamedTuple):
    """A file of a deployment; size 0 where it is not told."""

    filename: str
    size: int
    url: str


class Deployment(NamedTuple):
    """An action.

    Attributes:
        action: its id.
        may_begin: neither skipped nor outside of its maintenance window.
        artifacts: at most MAX_ARTIFACTS.
    """

    action: str
    may_begin: bool
    artifacts: tuple[Artifact, ...]


class Ddi:
    """One device at one hawkBit.

    Args:
        web: with the device's token.
        server: URL of hawkBit.
        tenant, controller: as they are named there.
    """

    def __init__(self, web: Web, server: str, tenant: str, controller: str) -> None:
        self._web = web
        names = f"{quote(tenant, safe='')}/controller/v1/{quote(controller, safe='')}"
        self._base = f"{server.rstrip('/')}/{names}"

    def poll(self) -> Base:
        """Ask what the server wants. Raises SourceLost."""
        base = self._get(self._base, _Base)
        links = {name: link.href for name, link in base.links.items()}
        return Base(
            _sleep_ms(base.config.polling.sleep),
            links.get("deploymentBase", ""),
            links.get("cancelAction", ""),
            links.get("configData", ""),
        )

    def deployment(self, url: str) -> Deployment:
        """The action behind a link of `poll`. Raises SourceLost."""
        found = self._get(url, _DeploymentBase)
        how = found.deployment
        may_begin = "skip" not in (how.download, how.update) and how.window != "unavailable"
        artifacts = [_artifact(one) for chunk in how.chunks for one in chunk.artifacts]
        return Deployment(found.id, may_begin, tuple(artifacts[:MAX_ARTIFACTS]))

    def cancel(self, url: str) -> tuple[str, str]:
        """The id of a cancellation, and of the action that shall stop. Raises SourceLost."""
        found = self._get(url, _Cancel)
        return found.id, found.action.stop_id

    def feedback(
        self,
        what: Literal["deploymentBase", "cancelAction"],
        action: str,
        execution: Execution,
        finished: Finished,
        details: Sequence[str],
    ) -> None:
        """Tell how far an action is; none the wiser where it is not open any more.

        Raises:
            SourceLost: it was not told.
        """
        status = {
            "execution": execution,
            "result": {"finished": finished},
            "details": [detail[:MAX_DETAIL_CHARS] for detail in details],
        }
        url = f"{self._base}/{what}/{quote(action, safe='')}/feedback"
        self._send("POST", url, {"id": action, "status": status}, GONE)

    def tell_attributes(self, url: str, attributes: Mapping[str, str]) -> None:
        """What the device is. Raises SourceLost."""
        self._send("PUT", url, {"mode": "merge", "data": dict(attributes)}, ())

    def _get(self, url: str, kind: type[Any]) -> Any:
        reply = self._web.get(url, MAX_JSON_BYTES, {"Accept": "application/hal+json"})
        _check(url, reply.status, ())
        try:
            return msgspec.json.decode(reply.data, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise SourceLost(f"{url}: not the answer of a hawkBit: {error}") from error

    def _send(self, method: str, url: str, body: object, passed: Sequence[int]) -> None:
        data = json.dumps(body).encode()
        _check(url, self._web.send(method, url, data, MAX_JSON_BYTES).status, passed)


def _check(url: str, status: int, passed: Sequence[int]) -> None:
    if status in (200, 201, 202, 204) or status in passed:
        return
    if status in (401, 403):
        raise SourceLost(f"{url}: hawkBit does not know this device or its token ({status})")
    kind = SourceLost if status in PASSING else SourceGone
    raise kind(f"{url}: hawkBit answers {status}")


def _sleep_ms(text: str) -> float:
    """ "HH:MM:SS" in ms; 0 for anything else."""
    found = _SLEEP.fullmatch(text)
    if found is None:
        return 0.0
    hours, minutes, seconds = map(int, found.groups())
    return (hours * 3600 + minutes * 60 + seconds) * 1000.0


def _artifact(of: _Artifact) -> Artifact:
    """With its https link where there is one."""
    link = of.links.get("download") or of.links.get("download-http") or _Href()
    is_address = urlsplit(link.href).scheme in ("http", "https") if link.href else False
    return Artifact(of.filename, of.size, link.href if is_address else "")
