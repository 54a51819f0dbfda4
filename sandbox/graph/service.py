"""Graph as a whole: from one request to its answer, by itself or as a part of a batch."""

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from sandbox.graph.access import Caller, Verify, caller_of, claims_challenge, mailbox_of, user_of
from sandbox.graph.behavior import Behavior
from sandbox.graph.call import Call
from sandbox.graph.delta import Rounds
from sandbox.graph.routes import Route, find
from sandbox.graph.throttle import Throttle
from sandbox.graph.wire.errors import GraphError
from sandbox.graph.wire.query import Query
from sandbox.graph.wire.request import GraphRequest, GraphResponse
from sandbox.graph.wire.spelling import spelled_for
from sandbox.mailboxes.address_book import Person
from sandbox.mailboxes.default_folders import new_mailbox
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.store import Mailbox

type Fault = Mapping[str, Any]
type FaultOf = Callable[[str, str, str], Fault | None]
"""The fault that strikes a request within a batch: by method, path and operation."""


class GraphService:
    """Answers requests about the mailboxes of a store."""

    def __init__(self, store: MailboxStore, verify: Verify, fault_of: FaultOf = lambda *_: None) -> None:
        self.store = store
        self.verify = verify
        self.fault_of = fault_of
        self.rounds = Rounds()
        self.throttle = Throttle(store.clock)
        self._behaviors: dict[str, Behavior] = {}

    def behavior(self, address: str) -> Behavior:
        """The switches of a mailbox."""
        return self._behaviors.setdefault(address.lower(), Behavior())

    def caller(self, request: GraphRequest) -> Caller:
        """Who asks. Raises GraphError."""
        return caller_of(request.headers.get("authorization"), self.verify, self.store)

    def answer(self, request: GraphRequest, caller: Caller, fault: Fault | None = None) -> GraphResponse:
        """Answer one request; whatever goes wrong becomes its answer."""
        try:
            return self._answer(request, caller, fault or {})
        except GraphError as exc:
            return failure(exc, request.headers)

    def _answer(self, request: GraphRequest, caller: Caller, fault: Fault) -> GraphResponse:
        owner, named, segments = _owner(request.segments)
        route, keys = find(request.method, segments)
        caller.check(route.area)
        person = user_of(caller, named, self.store)
        self.throttle.count((caller.app_id, person.address))
        raise_fault(fault, request)
        call = Call(
            store=self.store,
            rounds=self.rounds,
            caller=caller,
            person=person,
            mailbox=self._mailbox(caller, person, route),
            behavior=self.behavior(person.address),
            request=request,
            query=Query(request.query),
            owner=owner,
            fault=fault,
        )
        with spelled_for(call.behavior):
            return route.answer(call, keys)

    def _mailbox(self, caller: Caller, person: Person, route: Route) -> Mailbox:
        """The mailbox that a request is about; whoever asks for the person alone needs none. Raises GraphError."""
        if route.operation == "GET user":
            return self.store.find(person.address) or new_mailbox(person.address, self.store.clock)
        if self.behavior(person.address).on_premises:
            raise GraphError(404, "MailboxNotHostedInExchangeOnline", "The mailbox is not hosted in Exchange Online.")
        return mailbox_of(caller, person, route.area, self.store)

    def bucket(self, request: GraphRequest, caller: Caller) -> tuple[str, str]:
        """What throttling counts a request under: the application and the mailbox that the path names."""
        _, named, _ = _owner(request.segments)
        try:
            return caller.app_id, user_of(caller, named, self.store).address
        except GraphError:
            return caller.app_id, ""


def _owner(segments: tuple[str, ...]) -> tuple[str, str | None, tuple[str, ...]]:
    """Whom a path is about: the beginning of its links, the name (None: me) and the rest. Raises GraphError."""
    if segments[:1] == ("me",):
        return "me", None, segments[1:]
    if segments[:1] == ("users",) and len(segments) > 1:
        return f"users('{quote(segments[1], safe='@')}')", segments[1], segments[2:]
    named = segments[0] if segments else ""
    raise GraphError(400, "BadRequest", f"Resource not found for the segment '{named}'.")


def operation_of(request: GraphRequest) -> str:
    """The name of what a request asks for; empty where that is nothing the service knows."""
    if request.segments == ("$batch",):
        return "POST $batch"
    try:
        _, _, segments = _owner(request.segments)
        return find(request.method, segments)[0].operation
    except GraphError:
        return ""


def raise_fault(fault: Fault, request: GraphRequest) -> None:
    """Fail as a fault of kind `graph` says: with a code, a claims challenge or a redirect. Raises GraphError."""
    if "claims" in fault:
        raise claims_challenge(str(fault["claims"]))
    if fault.get("status") == 308:
        where = str(fault.get("location") or f"{request.base}{request.path}")
        raise GraphError(308, "Redirect", "Moved.", {"Location": where})
    if "code" in fault or "status" in fault:
        headers = {str(name): str(value) for name, value in (fault.get("headers") or {}).items()}
        code, status = str(fault.get("code", "UnknownError")), int(fault.get("status", 500))
        raise GraphError(status, code, str(fault.get("message", "")), headers, empty=bool(fault.get("empty")))


def failure(exc: GraphError, headers: Mapping[str, str]) -> GraphResponse:
    """An error as an answer."""
    if exc.empty:
        return GraphResponse(exc.status, None, exc.headers)
    request_id = str(uuid.uuid4())
    inner = {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": request_id,
        "client-request-id": headers.get("client-request-id", request_id),
    }
    body = {"error": {"code": exc.code, "message": exc.message, "innerError": inner}}
    return GraphResponse(exc.status, body, exc.headers)
