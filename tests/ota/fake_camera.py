"""A camera in memory behind a real link: it takes bundles and plays a trial from a script.

python -m tests.ota.fake_camera serial:PATH|unix:PATH|tcp:HOST:PORT [SCRIPT AS JSON]
"""

from __future__ import annotations

import hashlib
import json
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from drivers.clock import MonotonicClock
from drivers.faults import LinkFault
from drivers.interfaces import Clock
from drivers.socket_port import listen_tcp, listen_unix
from drivers.storage import FileStorage
from drivers.toml_strict import ConfigErrors
from ota.head import parse_head
from ota.key_ring import parse_chain
from ota.keys import key_id as id_of
from ota.link.address import open_port, parse
from ota.link.server import LinkServer
from ota.manifest import parse_manifest, take
from ota.refusal import Refused
from ota.service import Asker, Rank
from ota.service import Path as Way
from runtime.journal import Journal, read_all
from runtime.journal_slot import Kind
from runtime.site_check import load_site
from runtime.update_service import checked

SESSION_BYTES = 16
SLOTS, SLOT_BYTES = 64, 4096
PAGE = 3
SITE_MS = 300.0


@dataclass
class Script:
    """What this camera does.

    Attributes:
        staged_ms, shadow_ms, probation_ms: how long each phase of a trial lasts.
        verdict: "confirmed", or the reason of the roll-back, with its detail.
        operators: public key in hex -> rank.
        faults: name -> reason.
        refuse: reason with which every offer is refused, "" for none.
        wall_ms: of its records. fps: as it tells it; 0: not.
        test: how its self test ends.
        chunk_ms: how long its flash takes for one.
        site: why it goes back from a pushed site file; "": it stays.
    """

    staged_ms: float = 100.0
    shadow_ms: float = 200.0
    probation_ms: float = 600.0
    verdict: str = "confirmed"
    detail: str = ""
    operators: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    refuse: str = ""
    wall_ms: int = 1_763_700_000_000
    fps: float = 10.0
    test: str = "passed"
    chunk_ms: float = 0.0
    site: str = ""


FACTORY = {"from": "factory", "version": "2026.1", "release": 1, "counter": 1, "digest": b"\1" * 32}


class FakeCamera:
    """Implements `Service`."""

    def __init__(self, clock: Clock, script: Script, folder: Path) -> None:
        self.script, self._clock = script, clock
        self.students: dict[str, Any] = dict(FACTORY)
        self.previous: dict[str, Any] = {}
        self.last: dict[str, Any] = {}
        self.taken_bytes = self.busy = 0
        self.asked: list[str] = []
        self._folder = folder
        self._ended_ms = self._began_ms = clock.now_ms()
        self._bundle: dict[str, Any] = {}
        self._chunks: list[Any] = []
        self._there: set[int] = set()
        self._staged_ms: float | None = None
        self._bad: dict[bytes, str] = {}
        self._test_ms = 0.0
        self._site_ms = 0.0
        self._site_text = "# the site file of the fake camera\n"
        self._alarms = [
            {"number": 1, "rule": "zone", "place": "press", "severity": "danger",
             "state": "active_unacked", "shelved_ms": 0, "for_ms": 4000,
             "text": "person #12 is in zone press"},
        ]  # fmt: skip
        self._ring = FileStorage(folder / "journal.ring", SLOTS * SLOT_BYTES, SLOT_BYTES)
        self.journal = Journal(self._ring, clock, 77)
        for number in range(5):
            self.journal.append(Kind.FAULT, {"kind": "fault", "state": "raised", "number": number})

    def hello(self) -> dict[str, Any]:
        return {
            "device": "gate-3", "product": "haetae", "board": "sim", "runtime": "0.1.0",
            "target": "tflite", "unpack": True,
        }  # fmt: skip

    def operator(self, key_id: bytes) -> tuple[bytes, Rank, str] | None:
        for public, rank in self.script.operators.items():
            if id_of(bytes.fromhex(public)) == key_id:
                return bytes.fromhex(public), Rank[rank.upper()], "lee"
        return None

    def ask(self, command: str, arguments: dict[str, Any], by: Asker) -> dict[str, Any]:
        self.asked.append(command)
        self._step()
        do = getattr(self, f"_do_{command}", None)
        if do is None:
            raise Refused("unavailable", command)
        self.by = by
        if command == "status" and self.busy:
            self.busy -= 1
            raise Refused("unavailable", "the camera's loop does not answer")
        return do(checked(arguments))

    # the trial

    def _step(self) -> None:
        """Move the trial on to now."""
        if self._phase()[0] == "over":
            self._end(self.script.verdict)

    def _phase(self) -> tuple[str, float | None]:
        if self._staged_ms is None:
            return ("receiving" if self._bundle else "idle"), None
        after_ms, script = self._clock.now_ms() - self._staged_ms, self.script
        shadow_ms = script.staged_ms + script.shadow_ms
        over_ms = shadow_ms + script.probation_ms
        if after_ms < script.staged_ms:
            return "staged", None
        if after_ms < shadow_ms:
            return "shadow", over_ms - after_ms
        return ("probation", over_ms - after_ms) if after_ms < over_ms else ("over", 0.0)

    def _end(self, verdict: str) -> None:
        bundle = {key: self._bundle[key] for key in ("version", "release", "counter", "digest")}
        if verdict == "confirmed":
            self.previous, self.students = self.students, {"from": "slot 0", **bundle}
            self.last = {**bundle, "outcome": "confirmed", "reason": "", "detail": ""}
        else:
            self._bad[bundle["digest"]] = verdict
            detail = self.script.detail
            self.last = {**bundle, "outcome": "rolled_back", "reason": verdict, "detail": detail}
        self._ended_ms = self._clock.now_ms()
        self._bundle, self._staged_ms = {}, None
        self._there.clear()

    def _do_status(self, arguments: dict[str, Any]) -> dict[str, Any]:
        phase, left_ms = self._phase()
        now_ms = self._clock.now_ms()
        update: dict[str, Any] = {"phase": phase}
        if self._bundle:
            update |= {key: self._bundle[key] for key in ("version", "release", "digest", "bytes")}
            update["done"] = self._done()
        if left_ms is not None:
            left_ms -= self.script.probation_ms if phase == "shadow" else 0
            update |= {"left_ms": round(left_ms), "agreement": {"seen": 38, "of": 40}}
        ago = {"ago_ms": round(now_ms - self._ended_ms)} if self.last else {}
        is_tried = phase == "probation"
        running = {"from": "slot 0", **self._bundle} if is_tried else self.students
        keys = ("from", "version", "release", "counter", "digest")
        health = {"healthy": not self.script.faults, "faults": self.script.faults}
        status = {
            **self.hello(),
            "uptime_ms": round(now_ms - self._began_ms),
            "students": {key: running[key] for key in keys},
            "floor": 1,
            "update": update,
            "last": {**self.last, **ago},
            "previous": self.students if is_tried else self.previous,
            "ring": 1,
            "site": self._site_status(),
            "health": health,
            "alarms": {"standing": len(self._alarms)},
            "memory": {"rss_kb": 61_000, "budget_kb": 90_000},
        }
        if self.script.fps:
            status["camera"] = {"fps": self.script.fps, "wanted_fps": 10.0}
        return status

    def _do_offer(self, arguments: dict[str, Any]) -> dict[str, Any]:
        head = parse_head(arguments["head"])
        manifest, digest = parse_manifest(head.manifest), head.digest
        allow_older = bool(arguments.get("allow_older")) and self.by.rank >= Rank.TECHNICIAN
        self._check(manifest.release, digest, allow_older)
        if self._bundle.get("digest") != digest:
            taken = take(manifest, "tflite", SLOT_BYTES)
            self._chunks, self._there = list(taken.chunks), set()
            self._bundle = {
                "digest": digest, "version": manifest.version, "release": manifest.release,
                "counter": manifest.counter, "bytes": sum(chunk.size for chunk in taken.chunks),
            }  # fmt: skip
        return {
            "session": digest[:SESSION_BYTES], "next": self._next(), "chunks": len(self._chunks),
            "bytes": self._bundle["bytes"], "done": self._done(),
            "state": "receiving" if self._staged_ms is None else "trial",
        }  # fmt: skip

    def _check(self, release: int, digest: bytes, allow_older: bool) -> None:
        if self.script.refuse:
            raise Refused(self.script.refuse, "made for rk3588-box; this is sim")
        if digest in self._bad:
            raise Refused(self._bad[digest], "it failed its trial here")
        if digest == self.students["digest"]:
            raise Refused("nothing", "it runs already")
        if release < self.students["release"] and not allow_older:
            raise Refused("older", f"release {release}; {self.students['release']} runs")
        if self._staged_ms is not None and self._bundle["digest"] != digest:
            raise Refused("busy", "another bundle is on trial")

    def _do_chunk(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments["session"] != self._bundle.get("digest", b"")[:SESSION_BYTES]:
            raise Refused("session")
        chunk, data = self._chunks[arguments["index"]], arguments["data"]
        self._clock.sleep_until_ms(self._clock.now_ms() + self.script.chunk_ms)
        if hashlib.sha256(data).digest() != chunk.sha256:
            raise Refused("chunk", f"chunk {chunk.index}")
        self.taken_bytes += len(data)
        self._there.add(chunk.index)
        if self._next() < 0:
            self._staged_ms = self._clock.now_ms()
        return {"next": self._next()}

    def _next(self) -> int:
        return min(set(range(len(self._chunks))) - self._there, default=-1)

    def _done(self) -> int:
        return sum(self._chunks[index].size for index in self._there)

    def _do_ring(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"ring": len(parse_chain(arguments["rings"]))}

    def _do_abandon(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if self._phase()[0] in ("shadow", "probation"):
            raise Refused("busy", "students are on trial; roll them back instead")
        if not self._bad and not self._bundle:
            raise Refused("nothing", "no transfer is under way")
        self._bad.clear()
        self._bundle, self._staged_ms = {}, None
        return {}

    def _do_confirm(self, arguments: dict[str, Any]) -> dict[str, Any]:
        phase = self._phase()[0]
        if phase != "probation":
            raise Refused("nothing", f"no students are in probation; the trial is {phase}")
        self._end("confirmed")
        return {}

    def _do_rollback(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if self._phase()[0] in ("shadow", "probation"):
            self._end("operator")
        elif self.previous:
            self.students, self.previous = self.previous, self.students
            self.last = {**self.students, "outcome": "went_back", "reason": "operator"}
            self._ended_ms = self._clock.now_ms()
        else:
            raise Refused("nothing", "these are the students that came with the image")
        return {}

    # the rest

    def _do_journal(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if self._test_ms and self._clock.now_ms() >= self._test_ms:
            self._test_ms = 0.0
            state = self.script.test
            reason = {"failed": "siren: level is off", "interrupted": "an alarm came"}.get(state)
            why = {"by": "lee", "outputs": ["strobe", "siren"]}
            why |= {"reason": reason} if reason else {}
            body = {"kind": "operator", "rule": "self_test", "state": state, "why": why}
            self.journal.append(Kind.OPERATOR, body)
        found = [record for record in read_all(self._ring) if record.seq >= arguments["from_seq"]]
        records = [
            {"seq": r.seq, "boot": r.boot_id, "mono_ms": r.mono_ms, "kind": r.kind_name,
             "wall_ms": self.script.wall_ms, "body": r.body}
            for r in found[: min(arguments["most"], PAGE)]
        ]  # fmt: skip
        return {"records": records, "next": 0, "last": self.journal.next_seq - 1}

    def _do_alarms(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"alarms": self._alarms}

    def _do_ack(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments.get("number", 1) != 1:
            raise Refused("argument", f"alarm {arguments['number']}: there is 1")
        stood, self._alarms = len(self._alarms), []
        return {"alarms": stood}

    def _do_mute(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _do_shelve(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments["for_ms"] != 600_000:
            raise Refused("argument", "for_ms")
        return {"alarms": 1}

    def _do_unshelve(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"alarms": 0}

    def _do_self_test(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self._test_ms = self._clock.now_ms() + 200
        return {}

    def _do_site(self, arguments: dict[str, Any]) -> dict[str, Any]:
        draft = self._folder / "pushed.toml"
        draft.write_text(arguments["text"])
        try:
            load_site(draft)
        except ConfigErrors as errors:
            raise Refused("argument", str(errors)[:200]) from errors
        self._site_text = arguments["text"]
        self._site_ms = self._clock.now_ms()
        return {"restart": True}

    def _site_status(self) -> dict[str, Any]:
        digest = hashlib.sha256(self._site_text.encode()).hexdigest()
        told = {"name": "yard", "digest": digest, "from": "image", "last": {}}
        if not self._site_ms:
            return told
        if self._clock.now_ms() - self._site_ms < SITE_MS:
            return {**told, "from": "trial"}
        outcome = "rolled_back" if self.script.site else "confirmed"
        last = {"outcome": outcome, "reason": self.script.site, "digest": digest}
        return {**told, "from": "image" if self.script.site else "stored", "last": last}

    def _do_site_get(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"text": self._site_text, "name": "yard", "from": "link"}


WAYS = {"serial": Way.CABLE, "tcp": Way.LAN, "unix": Way.LOCAL}


def open_server(link: str, camera: FakeCamera, clock: Clock) -> LinkServer:
    """The camera's side of a link."""
    address = parse(link)
    match address.kind:
        case "serial":
            port = open_port(address)
        case "tcp":
            port = listen_tcp(address.where, address.number, clock)
        case _:
            port = listen_unix(address.where, clock)
    return LinkServer(port, WAYS[address.kind], camera, clock, lambda *_: None)


class Served:
    """A camera on a thread. Use it as a context manager.

    Attributes:
        link: as --link takes it.
        camera: look at it when nobody asks.
    """

    def __init__(self, link: str, script: Script, folder: Path) -> None:
        clock = MonotonicClock()
        self.link = link
        self.camera = FakeCamera(clock, script, folder)
        self._server = open_server(link, self.camera, clock)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Served:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._server.close()

    def _run(self) -> None:
        poll(self._server, MonotonicClock(), self._ended.is_set)


def poll(server: LinkServer, clock: Clock, is_over: Callable[[], bool]) -> None:
    while not is_over():
        try:
            if not server.poll(clock.now_ms()):
                clock.sleep_until_ms(clock.now_ms() + 1)
        except LinkFault:  # nobody is at the other end for now
            clock.sleep_until_ms(clock.now_ms() + 50)


def serve(link: str, script: Script, folder: Path) -> None:
    """Until SIGTERM; then says on standard output how many bytes of bundles came."""
    clock = MonotonicClock()
    camera = FakeCamera(clock, script, folder)
    server = open_server(link, camera, clock)
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
    print("ready", flush=True)
    poll(server, clock, lambda: bool(ended))
    print(json.dumps({"taken_bytes": camera.taken_bytes, "asked": camera.asked}), flush=True)


if __name__ == "__main__":
    given = msgspec.json.decode(sys.argv[2] if len(sys.argv) > 2 else "{}", type=Script)
    with tempfile.TemporaryDirectory() as made:
        serve(sys.argv[1], given, Path(made))
