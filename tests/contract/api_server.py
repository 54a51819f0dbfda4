"""The API of this process, on the sandbox's storage and tokens: its functions called as the host calls them."""

import asyncio
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import azure.functions as func
from werkzeug.serving import make_server

from functions.api import routes
from sandbox.host.routes import RouteTable
from sandbox.local.sandbox_process import Sandbox
from shared.api.routes import PREFIX
from shared.app import App
from shared.mailboxes.model import Mailbox
from shared.replica.change_log.port import SETTLED_AFTER
from shared.replica.change_log.table import TableChangeLog
from shared.replica.port import Cursor, FeedChange
from shared.sources.model import AccessMode
from tests.unit.replica.samples import commit

OPERATOR = "robin@contoso.example"


@dataclass
class ApiServer:
    """Calls the API as a person with these roles; `app` are the components behind it."""

    app: App
    sandbox: Sandbox
    tokens: dict[tuple[str, ...], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        paths = {f"{PREFIX}{path}": handler for path, handler in routes.HANDLERS.items()}
        self._log = TableChangeLog(self.app.tables, lambda: self.app.clock() - SETTLED_AFTER - timedelta(seconds=1))
        self._routes = RouteTable((path, (), handler) for path, handler in paths.items())

    def token(self, *roles: str) -> str:
        """An access token with these app roles."""
        if roles not in self.tokens:
            asked = {"person": OPERATOR, "kind": "api", "claims": {"roles": list(roles)}}
            self.tokens[roles] = self.sandbox.control.post("/tokens", asked)["token"]
        return self.tokens[roles]

    def ask(
        self,
        method: str,
        path: str,
        *,
        roles: tuple[str, ...] = ("Operator",),
        headers: Mapping[str, str] | None = None,
        json_body: object = None,
        **query: str,
    ) -> func.HttpResponse:
        """Call one path below /api/v1 with a token."""
        given = {"Authorization": f"Bearer {self.token(*roles)}"} | dict(headers or {})
        body = b""
        if json_body is not None:
            body, given["Content-Type"] = json.dumps(json_body).encode(), "application/json"
        return self.send(method, f"/{PREFIX}{path}", given, body, query)

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, str] | None = None
    ) -> func.HttpResponse:
        """Send one request as it is; 404 for a path that no function serves."""
        parts = urlsplit(url)
        found = self._routes.find(method, parts.path)
        if found is None:
            return func.HttpResponse(b"", status_code=404, mimetype="application/problem+json")
        handler, values = found
        params = dict(parse_qsl(parts.query)) | dict(query or {})
        request = func.HttpRequest(
            method, f"https://localhost{parts.path}", headers=dict(headers), params=params, route_params=dict(values),
            body=body,
        )  # fmt: skip
        answer = handler(request)
        if isinstance(answer, func.HttpResponse):
            return answer
        return asyncio.run(answer)

    def connect(self, *changes: FeedChange, folders: Cursor | None = None) -> Mailbox:
        """A new mailbox of the operators' tenant with these changes, told to the change log."""
        unique = uuid.uuid4().hex
        tenant = self.app.settings.operator_tenant
        mailbox = self.app.registry.add(
            Mailbox(
                unique, 0, tenant, unique, f"{unique}@contoso.example", "", "a", AccessMode.DELEGATED, self.app.clock()
            )
        )
        if changes:
            self.commit(mailbox, *changes, folders=folders)
        return mailbox

    def commit(self, mailbox: Mailbox, *changes: FeedChange, folders: Cursor | None = None) -> None:
        """Commit a page, and tell the change log. All entries of this server are dated back alike, so none waits."""
        cursor = commit(self.app.replica, mailbox.id, *changes, after=folders)
        self._log.append(mailbox.id, mailbox.tenant_id, cursor.sequence - 1, cursor.sequence)

    def wsgi(self, environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
        """The same as a WSGI application, with a caller's own token."""
        headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
        headers |= {name: environ[key] for name, key in _OTHER_HEADERS.items() if environ.get(key)}
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        path = quote(environ["PATH_INFO"].encode("latin-1"))
        answer = self.send(environ["REQUEST_METHOD"], f"{path}?{environ.get('QUERY_STRING', '')}", headers, body)
        return _sent(answer, start)

    @contextmanager
    def served(
        self, seen: Callable[[], None] = lambda: None, refused: list[func.HttpResponse] | None = None
    ) -> Iterator[str]:
        """Serve the application on a port of this machine; yields its URL.

        `seen` is called before each request. `refused` answers the first requests in its place, and is used up.
        """

        def application(environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
            seen()
            return _sent(refused.pop(0), start) if refused else self.wsgi(environ, start)

        server = make_server("127.0.0.1", 0, application, threaded=True)
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _sent(answer: func.HttpResponse, start: Callable[..., object]) -> list[bytes]:
    """Send an answer of a function as a WSGI application does."""
    listed = [*answer.headers.items(), ("Content-Type", answer.mimetype)]
    start(f"{answer.status_code} {HTTPStatus(answer.status_code).phrase}", listed)
    return [answer.get_body()]


_OTHER_HEADERS = {"Content-Type": "CONTENT_TYPE"}


def body_of(answer: func.HttpResponse) -> Any:
    """The JSON of an answer."""
    return json.loads(answer.get_body())


def lines_of(answer: func.HttpResponse) -> list[Any]:
    """The JSON lines of an answer."""
    return [json.loads(line) for line in answer.get_body().splitlines()]
