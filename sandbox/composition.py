"""Composes the sandbox: binds the ports, starts the requested services, and describes where each one is."""

import asyncio
import secrets
import ssl
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.control import Control, ControlTargets, register
from sandbox.endpoints import endpoints
from sandbox.entra.issuer import Issuer
from sandbox.entra.service import Entra, operation_of
from sandbox.entra.token_forge import Forge
from sandbox.entra.tokens import ExchangeTokens, GraphTokens
from sandbox.ews_gateway import EwsGateway
from sandbox.faults.fault_plan import OperationOf
from sandbox.key_vault import service
from sandbox.key_vault.service import KeyVault
from sandbox.mail_service import MailService
from sandbox.managed_identity import ManagedIdentity
from sandbox.options import Options
from sandbox.people.default_people import default_people, people_from, tenants
from sandbox.people.directory import EWS_APP_ROLE, GRAPH_APP_ROLES, App, Directory, Person, Tenant
from sandbox.services import Services
from sandbox.state_folder import STORAGE, claimed
from sandbox.storage import storage_proxy
from sandbox.storage.azurite import Storage, StoragePorts, azurite
from sandbox.storage.storage_proxy import StorageProxy, session_to
from sandbox.tls.authority import Authority
from sandbox.tls.client_certificate import SECRET_NAME, client_certificate
from sandbox.tls.server import bind, serving
from sandbox.webhook_receiver import WebhookReceivers

if TYPE_CHECKING:
    from sandbox.mailboxes.mailbox_store import MailboxStore

Verify = Callable[[str], Mapping[str, Any]]
_PORTS = ("entra", "exchange", "key_vault", "identity", "control", "graph", "webhooks", "mail")
_STORAGE_SERVICES = ("blob", "queue", "table")
_APP_NAME = "Mailbox Sync"


@asynccontextmanager
async def sandbox(options: Options) -> AsyncIterator[dict[str, Any]]:
    """Run the sandbox until the block ends; yields the contents of endpoints.json. Raises AlreadyRunning."""
    async with AsyncExitStack() as stack:
        stack.enter_context(claimed(options.state))
        (options.state / "endpoints.json").unlink(missing_ok=True)
        services = _make_services(options)
        storage = await _storage(services, stack)
        _entra(services)
        await _exchange(services, stack)
        _vault_and_identity(services)
        _webhooks(services)
        _mail(services)
        _control(services)
        await stack.enter_async_context(serving(services.served_apps, services.authority.server_context()))
        yield endpoints(services, storage)


def _make_services(options: Options) -> Services:
    ports = {name: bind(options.port_base and options.port_base + n) for n, name in enumerate(_PORTS)}
    all_tenants = tenants()
    home = all_tenants[0]
    people = people_from(options.people, home) if options.people else default_people(all_tenants, options.messages)
    issuer = Issuer(ports["entra"].url)
    vault = KeyVault(issuer, home.id, ports["key_vault"].port)
    header = secrets.token_urlsafe(24)
    identity = ManagedIdentity(issuer, home.id, header, vault.resource)
    app = _app(options, home.id, issuer, identity)
    home.known_apps.add(app.client_id)
    home.app_roles[app.client_id] = {EWS_APP_ROLE, *GRAPH_APP_ROLES}
    return Services(
        options=options,
        authority=Authority.at(options.state.resolve() / "tls"),
        ports=ports,
        directory=Directory(all_tenants, people, [app]),
        app=app,
        issuer=issuer,
        identity=identity,
        header=header,
        vault=vault,
    )


def _app(options: Options, tenant_id: str, issuer: Issuer, identity: ManagedIdentity) -> App:
    """The app's registration, whose home is the first tenant."""
    client_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"app:{tenant_id}"))
    app = App(client_id, _APP_NAME, tenant_id, federated={(issuer.v2(tenant_id), identity.principal_id)})
    for url in options.app_urls:
        register(app, url)
    return app


def _entra(services: Services) -> None:
    if "entra" not in services.options.without:
        services.serve("entra", Entra(services.directory, services.issuer).application(), operation_of)


def _vault_and_identity(services: Services) -> None:
    pem, certificate = client_certificate(_APP_NAME)
    services.app.certificates.append(certificate)
    services.vault.vault.set(SECRET_NAME, pem, content_type="application/x-pem-file")
    if "key_vault" not in services.options.without:
        services.serve("key_vault", services.vault.application(), service.operation_of)
    if "identity" not in services.options.without:
        services.serve("identity", services.identity.application(), _always("token"))


def _webhooks(services: Services) -> None:
    """Serve receivers of webhooks, as other programs would."""
    receivers = WebhookReceivers()
    services.serve("webhooks", receivers.application(), _always("webhook"))
    services.control_routes += receivers.control_routes()


def _mail(services: Services) -> None:
    """Serve the service that the app sends mail with."""
    mail = MailService(services.issuer)
    services.serve("mail", mail.application(), _always("send"))
    services.control_routes += mail.control_routes()


def _control(services: Services) -> None:
    token_forge = Forge(services.directory, services.issuer, services.identity, services.app)
    controlled = ControlTargets(
        services.directory, services.issuer, services.app, services.faults, services.vault.vault, token_forge
    )
    services.served_apps.append((services.ports["control"], Control(controlled, services.control_routes).application()))


def _always(operation: str) -> OperationOf:
    async def operation_of(_: web.Request) -> str:
        return operation

    return operation_of


# ---------------------------------------------------------------- Exchange


async def _exchange(services: Services, stack: AsyncExitStack) -> None:
    """Serve the sandbox's own Exchange, or the gateway to a real one, or neither."""
    verify = ExchangeTokens(services.issuer).verify
    options = services.options
    if "exchange" not in options.without:
        await _own_exchange(services, verify)
    elif options.ews_url and options.ews_auth == "basic":
        tls = ssl.create_default_context(cafile=str(options.ews_ca) if options.ews_ca else None)
        session = await stack.enter_async_context(session_to(tls))
        gateway = EwsGateway(session, options.ews_url, services.directory, verify)
        services.serve("exchange", gateway.application(), _always("EWS"))


async def _own_exchange(services: Services, verify: Verify) -> None:
    # Imported here because it is the largest part and is often left out.
    from sandbox.ews import EwsService, control, http
    from sandbox.mailboxes.control import routes
    from sandbox.mailboxes.mailbox_store import MailboxStore

    store = MailboxStore(services.directory)
    await asyncio.to_thread(_load, services.options, store, services.directory.people)
    ews = EwsService(store, verify, lambda tenant_id: _tenant(services, tenant_id).ews_block)
    services.serve("exchange", http.application(ews, services.options.ews_schema), http.operation)
    services.control_routes = routes(store, control.COMMANDS)
    if "graph" not in services.options.without:
        _graph(services, store)


def _tenant(services: Services, tenant_id: str) -> Tenant:
    tenant = services.directory.tenant(tenant_id)
    assert tenant is not None  # noqa: S101 -- people have no others
    return tenant


def _graph(services: Services, store: "MailboxStore") -> None:
    """Serve Microsoft Graph over the same mailboxes."""
    from sandbox.graph import GraphService, control, http

    def fault_of(method: str, path: str, operation: str) -> Mapping[str, Any] | None:
        services.faults.count("graph", operation)
        rule = services.faults.strike("graph", method, path, operation)
        return rule.fault if rule else None

    graph = GraphService(store, GraphTokens(services.issuer).verify, fault_of)
    services.serve("graph", http.application(graph), http.operation)
    services.control_routes += control.routes(graph)


def _load(options: Options, store: "MailboxStore", people: list[Person]) -> None:
    """Fill the mailboxes with the corpus, or the first person's with the given mbox or Maildir."""
    from sandbox.mailboxes.samples import corpus

    if options.mbox:
        corpus.load_mbox(store, people[0].address, options.mbox)
    elif options.maildir:
        corpus.load_maildir(store, people[0].address, options.maildir)
    else:
        corpus.load_default(store, people, **({} if options.messages is None else {"messages": options.messages}))


# ---------------------------------------------------------------- Storage


async def _storage(services: Services, stack: AsyncExitStack) -> Storage | None:
    options = services.options
    if "storage" in options.without:
        return None
    directory = None if options.in_memory else options.state.resolve() / STORAGE
    base = options.port_base and options.port_base + len(_PORTS)
    ports = [base and base + n + (3 if options.storage_proxy else 0) for n in range(3)]
    storage = await stack.enter_async_context(azurite(services.authority, directory, StoragePorts(*ports)))
    return await _behind_proxies(services, storage, stack) if options.storage_proxy else storage


async def _behind_proxies(services: Services, storage: Storage, stack: AsyncExitStack) -> Storage:
    """Put a proxy in front of each of Azurite's services."""
    session = await stack.enter_async_context(session_to(services.authority.client_context()))
    urls = {}
    for number, name in enumerate(_STORAGE_SERVICES, start=len(_PORTS)):
        port = services.ports[name] = bind(services.options.port_base and services.options.port_base + number)
        upstream, _, account = getattr(storage, name).rpartition("/")
        services.serve(name, StorageProxy(session, upstream).application(), storage_proxy.operation_of)
        urls[name] = f"{port.url}/{account}"
    return Storage(**urls, pid=storage.pid)
