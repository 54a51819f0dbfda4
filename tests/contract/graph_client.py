"""The sandbox's Graph in this process, and a simple client that checks every response against Microsoft's metadata."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from sandbox.graph import GraphService
from sandbox.graph.http import application
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.store import Mailbox
from tests.contract.exchange_server import ALEX, PEOPLE, Someone, claims, token
from tests.contract.graph_metadata import load

ALL_SCOPES = "Mail.Read Calendars.Read Contacts.Read Tasks.Read User.Read"
ALL_ROLES = ["Mail.Read", "Calendars.Read", "Contacts.Read", "Tasks.Read.All", "User.Read.All"]


def delegated(person: Someone, scopes: str = ALL_SCOPES) -> str:
    """A delegated token of a person who has signed in."""
    return token(oid=person.oid, tid=person.tenant_id, scp=scopes, appid="app")


def app_only(*roles: str) -> str:
    """An app-only token."""
    return token(tid="contoso", roles=list(roles or ALL_ROLES), oid="sp", appid="app")


class Graph:
    """A client with a token. It checks responses with status 200 against the metadata of the given `kind`."""

    def __init__(self, service: GraphService, http: TestClient[Any, Any]) -> None:
        self.service = service
        self.token = delegated(ALEX)
        self._http = http

    def mailbox(self, person: Someone = ALEX) -> Mailbox:
        """A mailbox of the store."""
        return self.service.store.mailbox(person.address)

    async def ask(self, method: str, path: str, json: Any = None, **headers: str) -> tuple[int, Any, dict[str, str]]:
        """Send a request; returns the status, body and headers of the response."""
        sent_headers = {"Authorization": f"Bearer {self.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        async with self._http.request(method, path, json=json, headers=sent_headers) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await (answer.json() if is_json else answer.read()), dict(answer.headers)

    async def get(self, path: str, kind: str = "", **headers: str) -> Any:
        """The body of a successful GET. Checks the entity, or every entry of a list."""
        status, body, _ = await self.ask("GET", self.local(path), **headers)
        assert status == 200, body
        if kind:
            for one in body.get("value", [body]):
                if "@removed" not in one:
                    assert list(load().problems(one, kind)) == []
        return body

    async def code(self, path: str, **headers: str) -> tuple[int, str]:
        """The status and error code of a rejected GET."""
        status, body, _ = await self.ask("GET", path, **headers)
        return status, body["error"]["code"]

    async def round(self, path: str, kind: str = "", **headers: str) -> tuple[list[dict[str, Any]], str]:
        """All entries of a delta round, and the delta link for the next one."""
        found: list[dict[str, Any]] = []
        body = await self.get(path, kind, **headers)
        found += body["value"]
        while "@odata.nextLink" in body:
            body = await self.get(body["@odata.nextLink"], kind, **headers)
            found += body["value"]
        return found, body["@odata.deltaLink"]

    @staticmethod
    def local(url: str) -> str:
        """The link without its host."""
        return url[url.index("/v1.0/") :] if url.startswith("http") else url


@asynccontextmanager
async def graph_over(store: MailboxStore | None = None) -> AsyncIterator[Graph]:
    """Serve Graph for a store (by default an empty one) until the block ends."""
    service = GraphService(store or MailboxStore(PEOPLE), claims)
    async with TestClient(TestServer(application(service))) as http:
        yield Graph(service, http)
