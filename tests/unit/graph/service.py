"""A scripted Graph for unit tests: answers by path, plays $batch, and keeps what it was asked. No sockets."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from shared.sources.graph.mailbox import GraphMailbox
from shared.sources.graph.transport.client import GraphClient
from shared.sources.https_pool import HttpReply, TransportFailed
from shared.sources.model import Access, AccessMode

ROOT = "https://graph.microsoft.com/v1.0"
ME = "/users/alex@contoso.example"
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Answer:
    """One answer: JSON or bytes, a status, headers."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def error(status: int, code: str = "", **headers: str) -> Answer:
    """A refusal as Graph writes it; without a code an empty body."""
    body: Any = {"error": {"code": code, "message": "of no consequence"}} if code else b""
    return Answer(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def page(*members: Any, following: str = "", delta: str = "") -> Answer:
    """A page of a collection; links are paths below the mailbox."""
    body: dict[str, Any] = {"value": list(members)}
    if following:
        body["@odata.nextLink"] = ROOT + ME + following
    if delta:
        body["@odata.deltaLink"] = ROOT + ME + delta
    return Answer(body)


type Script = Answer | TransportFailed | Callable[[], Answer] | list[Any]


@dataclass
class Asked:
    """One request, or one part of a batch."""

    method: str
    path: str
    """Unquoted, below the mailbox where it begins so."""
    headers: Mapping[str, str]
    batched: bool
    body: bytes | None = None


class Service:
    """Fulfills the client's Channel. A path's script is one answer for ever, or a list of answers, the last for ever.

    A path is looked up whole, then without its query.
    """

    def __init__(self) -> None:
        self.script: dict[str, Script] = {}
        self.asked: list[Asked] = []
        self.requests = 0
        self.bytes_received = 0
        self.tokens: list[str] = []
        self.valid_tokens: set[str] | None = None
        self.closed = False

    def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None, most: int | None = None
    ) -> HttpReply:
        self.requests += 1
        self.tokens.append(headers["Authorization"].removeprefix("Bearer "))
        path = target.removeprefix("/v1.0")
        if path == "/$batch":
            assert body is not None
            answer = self._batch(json.loads(body), headers)
        else:
            answer = self._answer(method, path, headers, batched=False, body=body)
        self.bytes_received += len(answer.data)
        return HttpReply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data)

    def _batch(self, requests: Any, headers: Mapping[str, str]) -> Answer:
        parts = requests["requests"]
        assert len(parts) <= 20
        assert len({part["id"] for part in parts}) == len(parts)
        responses = []
        for part in reversed(parts):
            assert part["method"] == "GET"
            signed = {**part.get("headers", {}), "Authorization": headers["Authorization"]}
            responses.append(_response(part["id"], self._answer("GET", part["url"], signed, batched=True)))
        return Answer({"responses": responses})

    def _answer(
        self, method: str, path: str, headers: Mapping[str, str], *, batched: bool, body: bytes | None = None
    ) -> Answer:
        known = unquote(path).removeprefix(ME)
        self.asked.append(Asked(method, known, headers, batched, body))
        if self.valid_tokens is not None and headers["Authorization"].removeprefix("Bearer ") not in self.valid_tokens:
            return error(401, "InvalidAuthenticationToken")
        for key in (known, known.partition("?")[0]):
            if key in self.script:
                return self._played(key)
        return error(404, "ErrorItemNotFound")

    def _played(self, key: str) -> Answer:
        script = self.script[key]
        if isinstance(script, list):
            script = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(script, TransportFailed):
            raise script
        return script if isinstance(script, Answer) else script()

    def close(self) -> None:
        self.closed = True

    def paths(self) -> list[str]:
        """What was asked, without queries."""
        return [asked.path.partition("?")[0] for asked in self.asked]


def _response(identifier: str, answer: Answer) -> dict[str, Any]:
    told: dict[str, Any] = {"id": identifier, "status": answer.status, "headers": dict(answer.headers)}
    if answer.body not in (None, b""):
        told["body"] = answer.body
    return told


def access_of(renew: Callable[[], str] | None = None) -> Access:
    return Access("alex@contoso.example", AccessMode.DELEGATED, "token", renew)


def client_of(service: Service, access: Access | None = None) -> GraphClient:
    """A client of the scripted service."""
    return GraphClient(ROOT, access or access_of(), service, lambda: NOW)


def mailbox_of(service: Service, *, isolate_failures: bool = False, largest: int = 1 << 20) -> GraphMailbox:
    """A mailbox of the scripted service."""
    return GraphMailbox(
        client_of(service),
        connections=4,
        largest_item_bytes=largest,
        remembered=None,
        remember=lambda memory: None,
        isolate_failures=isolate_failures,
    )


def message(identifier: str, **changes: Any) -> dict[str, Any]:
    """A message as a page of changes carries it."""
    told: dict[str, Any] = {
        "@odata.type": "#microsoft.graph.message",
        "@odata.etag": f'W/"CK-{identifier}"',
        "id": identifier,
        "changeKey": f"CK-{identifier}",
        "subject": "Quarterly figures",
        "receivedDateTime": "2026-11-20T08:15:00Z",
        "sentDateTime": "2026-11-20T08:14:58Z",
        "createdDateTime": "2026-11-20T08:15:00Z",
        "lastModifiedDateTime": "2026-11-20T08:15:01Z",
        "categories": [],
        "importance": "normal",
        "hasAttachments": False,
        "isDraft": False,
        "isRead": False,
        "conversationId": "AAQkAD-x_y=",
        "flag": {"flagStatus": "notFlagged"},
        "from": {"emailAddress": {"name": "Ada", "address": "Ada@X.example"}},
        "sender": {"emailAddress": {"name": "Ada", "address": "Ada@X.example"}},
        "toRecipients": [{"emailAddress": {"name": "Alex", "address": "alex@contoso.example"}}],
        "ccRecipients": [],
        "bccRecipients": [],
        "internetMessageId": "<1@x.example>",
        "singleValueExtendedProperties": [
            {"id": "Binary 0x300b", "value": "AAECAw=="},
            {"id": "String 0x1a", "value": "IPM.Note"},
            {"id": "Integer 0xe08", "value": "2048"},
            {"id": "Integer 0x36", "value": "0"},
        ],
    }
    return {**told, **changes}


def removed(identifier: str, reason: str = "deleted") -> dict[str, Any]:
    """An item that has left the folder."""
    return {"id": identifier, "@removed": {"reason": reason}}
