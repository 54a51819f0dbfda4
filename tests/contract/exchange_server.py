"""Serves only the sandbox's Exchange over HTTPS from a thread, for ordinary clients."""

import asyncio
import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.ews import EwsService
from sandbox.ews.http import application
from sandbox.mailboxes.store import Mailbox
from sandbox.tls.authority import Authority
from sandbox.tls.server import bind, serving


@dataclass(frozen=True)
class Someone:
    address: str
    oid: str
    display_name: str
    aliases: tuple[str, ...] = ()
    tenant_id: str = "contoso"
    has_mailbox: bool = True
    may_impersonate: bool = False
    sign_in_name: str = ""
    messages: int = 0


ALEX = Someone("alex@contoso.example", "1", "Alex Berg", ("alexander@contoso.example",), messages=150)
BO = Someone("bo@contoso.example", "2", "Bo Lindqvist", messages=20)
FINN = Someone("finn@contoso.example", "3", "Finn Aalto")
SERVICE = Someone("service@contoso.example", "4", "Service", may_impersonate=True)
QUINN = Someone("quinn@contoso.example", "5", "Quinn Baker", sign_in_name="quinn@corp.internal")
PAT = Someone(
    "pat@contoso.example", "6", "Pat Ito", ("pat.ito@contoso.example",), sign_in_name="Pat.Ito@Contoso.example"
)
GUEST = Someone("max@adatum.example", "7", "Max Guest", has_mailbox=False)
PEOPLE = (ALEX, BO, FINN, SERVICE, QUINN, PAT, GUEST)


def claims(token: str) -> dict[str, Any]:
    """The claims of a token, which has the three parts of a JWT with the claims in the middle."""
    try:
        return dict(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")))
    except (IndexError, ValueError):
        raise ValueError("not a token") from None


def token(**values: Any) -> str:
    """An unsigned token with these claims."""
    middle = base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{middle}.c2ln"


def delegated(person: Someone) -> str:
    """A delegated token of a person who has signed in."""
    return token(oid=person.oid, tid=person.tenant_id, scp="EWS.AccessAsUser.All", unique_name=person.address)


def app_only() -> str:
    """An app-only token."""
    return token(tid="contoso", roles=["full_access_as_app"], oid="app")


@dataclass(frozen=True)
class Served:
    """The running Exchange and its URL."""

    exchange: EwsService
    url: str
    ca: Path

    def mailbox(self, person: Someone) -> Mailbox:
        return self.exchange.store.mailbox(person.address)


@contextmanager
def served(exchange: EwsService, authority: Authority) -> Iterator[Served]:
    """Serve an Exchange until the block ends."""
    with listening(application(exchange), authority) as url:
        yield Served(exchange, f"{url}/EWS/Exchange.asmx", authority.ca)


@contextmanager
def listening(app: web.Application, authority: Authority) -> Iterator[str]:
    """Serve an application over HTTPS from a thread until the block ends; yields its URL."""
    port, stopping = bind(), asyncio.Event()
    loop, ready = asyncio.new_event_loop(), threading.Event()

    async def run() -> None:
        async with serving([(port, app)], authority.server_context()):
            ready.set()
            await stopping.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield port.url
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
        loop.close()
