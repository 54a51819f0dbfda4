"""The sandbox's Graph without sockets: requests go directly to the service, and responses can be replaced by faults."""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.graph import GraphService
from sandbox.graph.service import failure, operation_of
from sandbox.graph.wire import batch
from sandbox.graph.wire.errors import GraphError
from sandbox.graph.wire.request import GraphResponse, read_request
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.samples import message_samples
from sandbox.mailboxes.store import Mailbox as Stored
from shared.mailboxes.model import Status
from shared.sources.graph.ids import graph_id
from shared.sources.graph.sources import GraphSources
from shared.sources.https_pool import HttpReply, TransportFailed
from shared.sources.model import Access, AccessMode, SourceName
from shared.sync.scope import Scope
from tests.contract import graph_client
from tests.contract.exchange_server import ALEX, PEOPLE, claims
from tests.fakes.sync_harness import ID, OUT, SyncHarness
from tests.fakes.tokens import FakeAccessTokens

BASE = "https://graph.example"

type Fault = Callable[[HttpReply], HttpReply]


class InProcess:
    """Implements the client's Channel.

    `faults` has the faults by request number, from 1; each changes one response and is then removed.
    """

    def __init__(self, service: GraphService, faults: dict[int, Fault]) -> None:
        self._service = service
        self._faults = faults
        self._lock = threading.Lock()
        self.requests = 0
        self.bytes_received = 0

    def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None, most: int | None = None
    ) -> HttpReply:
        with self._lock:
            self.requests += 1
            fault = self._faults.pop(self.requests, None)
            reply = _written(self._answer(method, target, dict(headers), json.loads(body) if body else None))
            self.bytes_received += len(reply.body)
        return fault(reply) if fault else reply

    def _answer(self, method: str, target: str, headers: dict[str, str], body: Any) -> GraphResponse:
        try:
            request = read_request(method, target, headers, body, BASE)
            caller = self._service.caller(request)
            if request.segments != ("$batch",):
                return self._service.answer(request, caller, {})
            return batch.answer(request.body, lambda *asked: self._part(caller, *asked))
        except GraphError as exc:
            return failure(exc, headers)

    def _part(self, caller: Any, method: str, url: str, headers: dict[str, str], body: Any) -> GraphResponse:
        try:
            inner = read_request(method, f"/v1.0{url}", headers, body, BASE)
        except GraphError as exc:
            return failure(exc, headers)
        service_fault = self._service.fault_of(method, f"/v1.0{url}", operation_of(inner))
        return self._service.answer(inner, caller, service_fault)

    def close(self) -> None:
        pass


def _written(answer: GraphResponse) -> HttpReply:
    body = json.dumps(answer.body).encode() if isinstance(answer.body, dict) else answer.body or b""
    return HttpReply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, body)


def refusing(status: int, code: str = "", **headers: str) -> Fault:
    """A fault that replaces the response by an error response."""
    body = json.dumps({"error": {"code": code, "message": "no"}}).encode() if code else b""
    return lambda _: HttpReply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def breaking(failed: TransportFailed) -> Fault:
    """A fault that raises an error instead of returning a response."""

    def fault(_: HttpReply) -> HttpReply:
        raise failed

    return fault


class GraphTokens(FakeAccessTokens):
    """Tokens that the sandbox's Graph accepts."""

    def access(
        self, authorization_id: str, address: str, source: SourceName = SourceName.EWS, *, own: bool = False
    ) -> Access:
        token = graph_client.delegated(ALEX)
        return Access(address, AccessMode.DELEGATED, token, lambda: token, SourceName.GRAPH, own)


class GraphWorld(SyncHarness):
    """A mailbox on the sandbox's Graph without sockets, and its replica in memory."""

    def __init__(self) -> None:
        self.service = GraphService(MailboxStore(PEOPLE), claims)
        self.faults: dict[int, Fault] = {}
        self.over_graph = GraphSources(BASE, connect=lambda: InProcess(self.service, self.faults))
        super().__init__(Scope(folders_out=OUT, private_items=True))
        self.exchange: Stored = self.service.store.mailbox(ALEX.address)
        self.registry.change(ID, lambda mailbox: mailbox.with_changes(source=SourceName.GRAPH))

    def other_parts(self) -> dict[str, Any]:
        return {"sources": self.over_graph, "access_tokens": GraphTokens()}

    def insert(self, role: str, number: int) -> str:
        """Add a message to a folder and return its Graph id."""
        item = message_samples.message(f"From: a@x.example\r\nSubject: Letter {number}\r\n\r\nWords\r\n".encode())
        return graph_id(self.exchange.insert(self.exchange.distinguished[role], item).id)

    def heal(self) -> None:
        """Remove all faults and run passes until everything that was delayed has been retried."""
        self.faults.clear()
        self.registry.change(ID, lambda mailbox: mailbox.with_changes(due_at=None))
        for _ in range(4):
            self.clock.pass_by(hours=25)
            self.sync()
            if self.subjects() == self.wanted() and not self.stored.issues and self.stored.status is Status.ACTIVE:
                return

    def subjects(self) -> list[str]:
        return sorted(item.subject for item in self.items().values())

    def wanted(self) -> list[str]:
        """The subjects of all messages in synced folders."""
        out = {self.exchange.distinguished[role] for role in ("deleteditems", "junkemail")}
        return sorted(item.text("Subject") for item in self.exchange.items.values() if item.folder not in out)
