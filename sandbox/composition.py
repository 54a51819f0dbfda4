"""Puts the sandbox together: binds the ports, starts what was asked for, says where everything is."""

import asyncio
import secrets
import ssl
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox import key_vault, storage_proxy
from sandbox.authority import Authority
from sandbox.azurite import Storage, StoragePorts, azurite
from sandbox.cast import default_people, people_from, tenants
from sandbox.certificate import SECRET_NAME, client_certificate
from sandbox.control import Control, Controlled, register
from sandbox.endpoints import endpoints
from sandbox.entra.issuer import Issuer
from sandbox.entra.service import Entra, operation_of
from sandbox.entra.tokens import ExchangeTokens, GraphTokens
from sandbox.ews_gateway import EwsGateway
from sandbox.faults import OperationOf
from sandbox.forge import Forge
from sandbox.key_vault import KeyVault
from sandbox.managed_identity import ManagedIdentity
from sandbox.options import Options
from sandbox.parts import Parts
from sandbox.server import bind, serving
from sandbox.state_folder import STORAGE, claimed
from sandbox.storage_proxy import StorageProxy, session_to
from sandbox.world import EWS_APP_ROLE, GRAPH_APP_ROLES, App, Person, Tenant, World

if TYPE_CHECKING:
    from sandbox.mailboxes.mailbox_store import MailboxStore

Verify = Callable[[str], Mapping[str, Any]]
_DOORS = ("entra", "exchange", "key_vault", "identity", "control", "graph")
_STORAGE_DOORS = ("blob", "queue", "table")
_APP_NAME = "Mailbox Sync"


@asynccontextmanager
async def sandbox(options: Options) -> AsyncIterator[dict[str, Any]]:
    """Run the sandbox until the block ends; gives what endpoints.json says. Raises AlreadyRunning."""
    async with AsyncExitStack() as stack:
        stack.enter_context(claimed(options.state))
        (options.state / "endpoints.json").unlink(missing_ok=True)
        parts = _parts(options)
        storage = await _storage(parts, stack)
        _entra(parts)
        await _exchange(parts, stack)
        _vault_and_identity(parts)
        _control(parts)
        await stack.enter_async_context(serving(parts.services, parts.authority.server_context()))
        yield endpoints(parts, storage)


def _parts(options: Options) -> Parts:
    doors = {name: bind(options.port_base and options.port_base + n) for n, name in enumerate(_DOORS)}
    there = tenants()
    people = people_from(options.people, there[0]) if options.people else default_people(there, options.messages)
    issuer = Issuer(doors["entra"].url)
    vault = KeyVault(issuer, there[0].id, doors["key_vault"].port)
    header = secrets.token_urlsafe(24)
    identity = ManagedIdentity(issuer, there[0].id, header, vault.resource)
    app = _app(options, there[0].id, issuer, identity)
    there[0].known_apps.add(app.client_id)
    there[0].app_roles[app.client_id] = {EWS_APP_ROLE, *GRAPH_APP_ROLES}
    return Parts(
        options=options,
        authority=Authority.at(options.state.resolve() / "tls"),
        doors=doors,
        world=World(there, people, [app]),
        app=app,
        issuer=issuer,
        identity=identity,
        header=header,
        vault=vault,
    )


def _app(options: Options, tenant_id: str, issuer: Issuer, identity: ManagedIdentity) -> App:
    """Our app's registration, at home in the first tenant."""
    client_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"app:{tenant_id}"))
    app = App(client_id, _APP_NAME, tenant_id, federated={(issuer.v2(tenant_id), identity.principal_id)})
    for url in options.app_urls:
        register(app, url)
    return app


def _entra(parts: Parts) -> None:
    if "entra" not in parts.options.without:
        parts.serve("entra", Entra(parts.world, parts.issuer).application(), operation_of)


def _vault_and_identity(parts: Parts) -> None:
    pem, certificate = client_certificate(_APP_NAME)
    parts.app.certificates.append(certificate)
    parts.vault.vault.set(SECRET_NAME, pem, content_type="application/x-pem-file")
    if "key_vault" not in parts.options.without:
        parts.serve("key_vault", parts.vault.application(), key_vault.operation_of)
    if "identity" not in parts.options.without:
        parts.serve("identity", parts.identity.application(), _always("token"))


def _control(parts: Parts) -> None:
    forge = Forge(parts.world, parts.issuer, parts.identity, parts.app)
    controlled = Controlled(parts.world, parts.issuer, parts.app, parts.faults, parts.vault.vault, forge)
    parts.services.append((parts.doors["control"], Control(controlled, parts.control_routes).application()))


def _always(operation: str) -> OperationOf:
    async def operation_of(_: web.Request) -> str:
        return operation

    return operation_of


# ---------------------------------------------------------------- Exchange


async def _exchange(parts: Parts, stack: AsyncExitStack) -> None:
    """The sandbox's own Exchange, or the gateway to another one, or nothing."""
    verify = ExchangeTokens(parts.issuer).verify
    options = parts.options
    if "exchange" not in options.without:
        await _own_exchange(parts, verify)
    elif options.ews_url and options.ews_auth == "basic":
        tls = ssl.create_default_context(cafile=str(options.ews_ca) if options.ews_ca else None)
        session = await stack.enter_async_context(session_to(tls))
        gateway = EwsGateway(session, options.ews_url, parts.world, verify)
        parts.serve("exchange", gateway.application(), _always("EWS"))


async def _own_exchange(parts: Parts, verify: Verify) -> None:
    # The biggest part, and often left out.
    from sandbox.ews import EwsService, control, http
    from sandbox.mailboxes.control import routes
    from sandbox.mailboxes.mailbox_store import MailboxStore

    store = MailboxStore(parts.world)
    await asyncio.to_thread(_load, parts.options, store, parts.world.people)
    ews = EwsService(store, verify, lambda tenant_id: _tenant(parts, tenant_id).ews_block)
    parts.serve("exchange", http.application(ews), http.operation)
    parts.control_routes = routes(store, control.COMMANDS)
    if "graph" not in parts.options.without:
        _graph(parts, store)


def _tenant(parts: Parts, tenant_id: str) -> Tenant:
    tenant = parts.world.tenant(tenant_id)
    assert tenant is not None  # noqa: S101 -- people have no others
    return tenant


def _graph(parts: Parts, store: "MailboxStore") -> None:
    """Microsoft Graph over the same mailboxes."""
    from sandbox.graph import GraphService, control, http

    def fault_of(method: str, path: str, operation: str) -> Mapping[str, Any] | None:
        parts.faults.count("graph", operation)
        rule = parts.faults.strike("graph", method, path, operation)
        return rule.fault if rule else None

    graph = GraphService(store, GraphTokens(parts.issuer).verify, fault_of)
    parts.serve("graph", http.application(graph), http.operation)
    parts.control_routes += control.routes(graph)


def _load(options: Options, store: "MailboxStore", people: list[Person]) -> None:
    """Fill the mailboxes: the corpus, or somebody's own mail for the first person."""
    from sandbox.mailboxes.samples import corpus

    if options.mbox:
        corpus.load_mbox(store, people[0].address, options.mbox)
    elif options.maildir:
        corpus.load_maildir(store, people[0].address, options.maildir)
    else:
        corpus.load_default(store, people, **({} if options.messages is None else {"messages": options.messages}))


# ---------------------------------------------------------------- Storage


async def _storage(parts: Parts, stack: AsyncExitStack) -> Storage | None:
    options = parts.options
    if "storage" in options.without:
        return None
    directory = None if options.in_memory else options.state.resolve() / STORAGE
    base = options.port_base and options.port_base + len(_DOORS)
    ports = [base and base + n + (3 if options.storage_proxy else 0) for n in range(3)]
    storage = await stack.enter_async_context(azurite(parts.authority, directory, StoragePorts(*ports)))
    return await _behind_proxies(parts, storage, stack) if options.storage_proxy else storage


async def _behind_proxies(parts: Parts, storage: Storage, stack: AsyncExitStack) -> Storage:
    """Azurite with a proxy before each of its services."""
    session = await stack.enter_async_context(session_to(parts.authority.client_context()))
    urls = {}
    for number, name in enumerate(_STORAGE_DOORS, start=len(_DOORS)):
        door = parts.doors[name] = bind(parts.options.port_base and parts.options.port_base + number)
        upstream, _, account = getattr(storage, name).rpartition("/")
        parts.serve(name, StorageProxy(session, upstream).application(), storage_proxy.operation_of)
        urls[name] = f"{door.url}/{account}"
    return Storage(**urls, pid=storage.pid)
