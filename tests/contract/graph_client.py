"""The sandbox's Graph in this process, and a plain client that checks every answer against Microsoft's metadata."""

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
    """The token of somebody who has signed in."""
    return token(oid=person.oid, tid=person.tenant_id, scp=scopes, appid="app")


def app_only(*roles: str) -> str:
    """An application's own token."""
    return token(tid="contoso", roles=list(roles or ALL_ROLES), oid="sp", appid="app")


class Graph:
    """A client with a token; answers of 200 are checked against the metadata under the `kind` that is named."""

    def __init__(self, service: GraphService, http: TestClient[Any, Any]) -> None:
        self.service = service
        self.token = delegated(ALEX)
        self._http = http

    def mailbox(self, person: Someone = ALEX) -> Mailbox:
        """A mailbox of the store."""
        return self.service.store.mailbox(person.address)

    async def ask(self, method: str, path: str, json: Any = None, **headers: str) -> tuple[int, Any, dict[str, str]]:
        """Status, body and headers of an answer."""
        said = {"Authorization": f"Bearer {self.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        async with self._http.request(method, path, json=json, headers=said) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await (answer.json() if is_json else answer.read()), dict(answer.headers)

    async def get(self, path: str, kind: str = "", **headers: str) -> Any:
        """The body of a successful GET; of a list every entry is checked, else the entity."""
        status, body, _ = await self.ask("GET", self.local(path), **headers)
        assert status == 200, body
        if kind:
            for one in body.get("value", [body]):
                if "@removed" not in one:
                    assert list(load().problems(one, kind)) == []
        return body

    async def code(self, path: str, **headers: str) -> tuple[int, str]:
        """Status and code of a refused GET."""
        status, body, _ = await self.ask("GET", path, **headers)
        return status, body["error"]["code"]

    async def round(self, path: str, kind: str = "", **headers: str) -> tuple[list[dict[str, Any]], str]:
        """Every entry of a delta round, and the link to the next one."""
        found: list[dict[str, Any]] = []
        body = await self.get(path, kind, **headers)
        found += body["value"]
        while "@odata.nextLink" in body:
            body = await self.get(body["@odata.nextLink"], kind, **headers)
            found += body["value"]
        return found, body["@odata.deltaLink"]

    @staticmethod
    def local(url: str) -> str:
        """A link without its host."""
        return url[url.index("/v1.0/") :] if url.startswith("http") else url


@asynccontextmanager
async def graph_over(store: MailboxStore | None = None) -> AsyncIterator[Graph]:
    """Serve Graph over a store, by default an empty one, until the block ends."""
    service = GraphService(store or MailboxStore(PEOPLE), claims)
    async with TestClient(TestServer(application(service))) as http:
        yield Graph(service, http)
