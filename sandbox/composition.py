"""Puts the sandbox together: binds the ports, starts what was asked for, says where everything is."""

import json
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.authority import Authority, trust
from sandbox.azurite import Storage, StoragePorts, azurite
from sandbox.cast import default_people, people_from, tenants
from sandbox.entra.issuer import Issuer
from sandbox.managed_identity import ManagedIdentity
from sandbox.options import Options
from sandbox.server import Door, bind, serving
from sandbox.world import World

_DOORS = ("entra", "exchange", "key_vault", "identity", "control", "blob", "queue", "table")


@asynccontextmanager
async def sandbox(options: Options) -> AsyncIterator[dict[str, Any]]:
    """Run the sandbox until the block ends; gives what endpoints.json says."""
    async with AsyncExitStack() as stack:
        built = await _build(options, stack)
        yield built


async def _build(options: Options, stack: AsyncExitStack) -> dict[str, Any]:
    options.state.mkdir(parents=True, exist_ok=True)
    (options.state / "endpoints.json").unlink(missing_ok=True)
    authority = Authority.at(options.state.resolve() / "tls")
    doors = {name: bind(options.port_base and options.port_base + n) for n, name in enumerate(_DOORS[:5])}
    world = _world(options)
    issuer = Issuer(doors["entra"].url)
    header = secrets.token_urlsafe(24)
    identity = ManagedIdentity(issuer, world.tenants[0].id, header, lambda: _vault_resource(doors["key_vault"]))
    services: list[tuple[Door, web.Application]] = [(doors["identity"], identity.application())]
    await stack.enter_async_context(serving(services, authority.server_context()))
    storage = await _storage(options, authority, stack)
    endpoints: dict[str, Any] = {
        "ca": str(authority.ca),
        "server_certificate": str(authority.certificate),
        "server_key": str(authority.key),
        "identity": {"endpoint": f"{doors['identity'].url}/msi/token", "header": header},
        "app_environment": trust(authority.ca)
        | {
            "IDENTITY_ENDPOINT": f"{doors['identity'].url}/msi/token",
            "IDENTITY_HEADER": header,
            "AZURE_CLIENT_ID": identity.client_id,
        },
    }
    if storage:
        endpoints |= {"blob": storage.blob, "queue": storage.queue, "table": storage.table}
    return endpoints


def _vault_resource(door: Door) -> str:
    return f"https://0.0.1:{door.port}"


def _world(options: Options) -> World:
    there = tenants()
    people = people_from(options.people, there[0]) if options.people else default_people(there, options.messages)
    return World(there, people)


async def _storage(options: Options, authority: Authority, stack: AsyncExitStack) -> Storage | None:
    if "storage" in options.without:
        return None
    directory = None if options.in_memory else options.state / "azurite"
    if directory:
        shutil.rmtree(directory, ignore_errors=True)
    return await stack.enter_async_context(azurite(authority, directory, StoragePorts()))


def publish(endpoints: dict[str, Any], state: Path) -> Path:
    """Write endpoints.json in one step, readable by its owner alone."""
    path = state / "endpoints.json"
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(endpoints, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
    return path
