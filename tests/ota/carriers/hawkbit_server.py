"""A small hawkBit on loopback: one tenant, one device, its DDI resources and its strictness.

Source: https://eclipse.dev/hawkbit/rest-api/ddi/ (paths, statuses, examples) and the model classes
DdiControllerBase, DdiDeploymentBase, DdiCancel, DdiActionFeedback, DdiStatus, DdiResult and
DdiConfigData in https://github.com/eclipse-hawkbit/hawkbit, hawkbit-ddi-api.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.ota.carriers.servers import Handler, Static, running

TENANT, DEVICE, TOKEN = "DEFAULT", "mast-7", "bH7XXAprK1ChnLfKSdtlsp7NOlPnZAYY"
BASE = f"/{TENANT}/controller/v1/{DEVICE}"
EXECUTIONS = {"closed", "proceeding", "canceled", "scheduled", "rejected", "resumed"}
EXECUTIONS |= {"downloaded", "download"}
FINISHED = {"success", "failure", "none"}


class Hawkbit(Static):
    """What is assigned, and what the device told.

    Attributes:
        action: id of the open one, "" for none. cancelling: whether it shall stop.
        feedback: (resource, action, execution, finished, details) in order.
        attributes: of the device; asked for while empty.
        wrong: requests that a real one would not take.
    """

    def __init__(self) -> None:
        super().__init__()
        self.url = ""
        self.sleep = "00:10:00"
        self.action, self.chunks = "", list[dict[str, Any]]()
        self.how: dict[str, str] = {"download": "forced", "update": "forced"}
        self.cancelling = False
        self.feedback: list[tuple[str, str, str, str, list[str]]] = []
        self.attributes: dict[str, str] = {}
        self.closed: dict[str, str] = {}
        self.wrong: list[str] = []
        self.refuse_closed = 0

    def assign(self, action: str, data: bytes, filename: str = "students.bundle") -> None:
        """Assign a distribution set with one artifact."""
        path = f"{BASE}/softwaremodules/23/artifacts/{filename}"
        self.files[path] = data
        hashes = {name: hashlib.new(name, data).hexdigest() for name in ("sha1", "md5", "sha256")}
        href = {"href": self.url + path}
        artifact = {
            "filename": filename,
            "hashes": hashes,
            "size": len(data),
            "_links": {"download-http": href, "md5sum-http": {"href": href["href"] + ".MD5SUM"}},
        }
        self.chunks = [
            {"part": "bApp", "version": "1.0", "name": "students", "artifacts": [artifact]}
        ]
        self.action, self.cancelling = action, False

    def told(self) -> list[tuple[str, str]]:
        """Execution and result of all feedback to deployments."""
        return [(one[2], one[3]) for one in self.feedback if one[0] == "deploymentBase"]

    def base(self) -> dict[str, Any]:
        links: dict[str, Any] = {}
        if self.action and not self.cancelling:
            links["deploymentBase"] = f"{self.url}{BASE}/deploymentBase/{self.action}?c=-2127183556"
        if self.action and self.cancelling:
            links["cancelAction"] = f"{self.url}{BASE}/cancelAction/{self.action}"
        if not self.attributes:
            links["configData"] = f"{self.url}{BASE}/configData"
        hrefs = {name: {"href": href} for name, href in links.items()}
        return {"config": {"polling": {"sleep": self.sleep}}, "_links": hrefs}

    def deployment(self) -> dict[str, Any]:
        return {
            "id": self.action,
            "deployment": {**self.how, "chunks": self.chunks},
            "actionHistory": {"status": "RUNNING", "messages": ["Assignment initiated"]},
        }


class DdiHandler(Handler):
    static: Hawkbit

    def get(self) -> None:
        hawkbit, path = self.static, self.path.partition("?")[0]
        if not self.may():
            return None
        if path == BASE:
            hawkbit.asked.append((path, ""))
            return self.json(hawkbit.base())
        if path == f"{BASE}/deploymentBase/{hawkbit.action}":
            return self.json(hawkbit.deployment())
        if path == f"{BASE}/cancelAction/{hawkbit.action}" and hawkbit.cancelling:
            stop = {"stopId": hawkbit.action}
            return self.json({"id": hawkbit.action, "cancelAction": stop})
        return super().get()

    def put(self) -> None:
        body = self.body()
        if not self.may():
            return None
        if self.path != f"{BASE}/configData" or not self.is_config(body):
            return self.bad(f"PUT {self.path} {body}")
        self.static.attributes |= body["data"]
        return self.answer(200, b"")

    def post(self) -> None:
        hawkbit, body = self.static, self.body()
        found = re.fullmatch(rf"{BASE}/(deploymentBase|cancelAction)/(\d+)/feedback", self.path)
        if not self.may():
            return None
        if found is None or not self.is_feedback(body):
            return self.bad(f"POST {self.path} {body}")
        if hawkbit.refuse_closed and body["status"]["execution"] == "closed":
            hawkbit.refuse_closed -= 1
            return self.answer(503, b"")
        what, action = found.groups()
        if action != hawkbit.action:
            return self.answer(410 if action in hawkbit.closed else 404, b"")
        status = body["status"]
        execution, finished = status["execution"], status["result"]["finished"]
        hawkbit.feedback.append((what, action, execution, finished, status["details"]))
        if execution == "closed":
            hawkbit.closed[action] = finished if what == "deploymentBase" else "canceled"
            hawkbit.action, hawkbit.cancelling = "", False
            hawkbit.attributes.clear()  # asked for again after an action
        elif what == "cancelAction" and execution == "rejected":
            hawkbit.cancelling = False
        return self.answer(200, b"")

    def may(self) -> bool:
        if self.headers.get("Authorization") == f"TargetToken {TOKEN}":
            return True
        self.answer(401, b"")
        return False

    def body(self) -> Any:
        data = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.headers.get("Content-Type") != "application/json":
            return None
        return json.loads(data)

    def json(self, value: object) -> None:
        self.answer(200, json.dumps(value).encode(), {"Content-Type": "application/hal+json"})

    def bad(self, what: str) -> None:
        self.static.wrong.append(what)
        self.answer(400, b"")

    @staticmethod
    def is_config(body: Any) -> bool:
        if not isinstance(body, dict) or body.get("mode", "merge") not in ("merge", "replace"):
            return False
        data = body.get("data")
        return isinstance(data, dict) and all(
            0 < len(name) <= 128 and isinstance(value, str) and len(value) <= 128
            for name, value in data.items()
        )

    @staticmethod
    def is_feedback(body: Any) -> bool:
        status = body.get("status") if isinstance(body, dict) else None
        if not isinstance(status, dict) or not isinstance(status.get("result"), dict):
            return False
        details = status.get("details", [])
        return (
            status.get("execution") in EXECUTIONS
            and status["result"].get("finished") in FINISHED
            and isinstance(details, list)
            and all(isinstance(one, str) for one in details)
        )


@contextmanager
def hawkbit() -> Iterator[Hawkbit]:
    """A running one."""
    static = Hawkbit()
    handler = type("Bound", (DdiHandler,), {"static": static})
    with running(handler) as url:
        static.url = url
        yield static
