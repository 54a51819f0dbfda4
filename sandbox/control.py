"""The control port: changes people, tenants and the app, injects faults, and reports what happened.

It listens on a port of its own, separate from the services.
"""

import dataclasses
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from aiohttp import web

from sandbox.entra.issuer import Issuer
from sandbox.entra.token_forge import Forge
from sandbox.faults.fault_plan import FaultPlan
from sandbox.key_vault.service import summary
from sandbox.key_vault.vault import Vault
from sandbox.people.default_people import person_from
from sandbox.people.directory import App, Directory, Person
from shared.pages.paths import APPROVAL_CALLBACK, SIGN_IN_CALLBACK

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_FIXED = {"address", "oid", "tenant_id", "grants"}


@dataclasses.dataclass(frozen=True, slots=True)
class ControlTargets:
    """The objects that the control port reads and changes."""

    directory: Directory
    issuer: Issuer
    app: App
    faults: FaultPlan
    vault: Vault
    token_forge: Forge


class Control:
    """The control port's routes. `more` are the routes of other services."""

    def __init__(self, controlled: ControlTargets, more: Iterable[web.RouteDef] = ()) -> None:
        self._targets = controlled
        self._more = list(more)

    def application(self) -> web.Application:
        """The web application of the control port."""
        application = web.Application(middlewares=[_errors], client_max_size=1 << 28)
        application.add_routes(
            [
                web.get("/health", self._health),
                web.get("/notes", self._notes),
                web.get("/people", self._people),
                web.post("/people", self._add_person),
                web.get("/people/{address}", self._person),
                web.patch("/people/{address}", self._change_person),
                web.get("/tenants", self._tenants),
                web.patch("/tenants/{name}", self._change_tenant),
                web.get("/app", self._app),
                web.patch("/app", self._change_app),
                web.post("/app/urls", self._add_url),
                web.post("/entra/rotate-key", self._rotate),
                web.post("/tokens", self._token),
                web.get("/key_vault", self._key_vault),
                web.patch("/key_vault", self._change_key_vault),
                web.get("/faults", self._faults),
                web.post("/faults", self._add_fault),
                web.delete("/faults", self._remove_faults),
                web.delete("/faults/{id}", self._remove_faults),
                web.get("/requests", self._requests),
                web.delete("/requests", self._forget_requests),
                *self._more,
            ]
        )
        return application

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"healthy": True})

    async def _notes(self, _: web.Request) -> web.Response:
        return web.json_response(self._targets.directory.notes)

    async def _people(self, _: web.Request) -> web.Response:
        return web.json_response([shown(person) for person in self._targets.directory.people])

    async def _add_person(self, request: web.Request) -> web.Response:
        person = self._targets.directory.add(person_from(await _object(request), self._targets.directory.tenants[0]))
        return web.json_response(shown(person), status=201)

    def _find(self, request: web.Request) -> Person:
        person = self._targets.directory.person(request.match_info["address"])
        if person is None:
            raise web.HTTPNotFound(reason="no such person")
        return person

    async def _person(self, request: web.Request) -> web.Response:
        return web.json_response(shown(self._find(request)))

    async def _change_person(self, request: web.Request) -> web.Response:
        person, changes = self._find(request), await _object(request)
        for name, act in (
            ("revoke_grants", person.revoke_grants),
            ("expire_refresh_tokens", person.expire_refresh_tokens),
            ("forget_consent", person.grants.clear),
        ):
            if changes.pop(name, False):
                act()
        _set(person, changes, _FIXED)
        return web.json_response(shown(person))

    async def _tenants(self, _: web.Request) -> web.Response:
        return web.json_response([_plain(dataclasses.asdict(tenant)) for tenant in self._targets.directory.tenants])

    async def _change_tenant(self, request: web.Request) -> web.Response:
        tenant, changes = self._targets.directory.tenant(request.match_info["name"]), await _object(request)
        if tenant is None:
            raise web.HTTPNotFound(reason="no such tenant")
        client_id = self._targets.app.client_id
        if changes.pop("forget_consent", False):
            tenant.admin_grants.clear()
        if "app_roles" in changes:
            tenant.app_roles[client_id] = set(changes.pop("app_roles"))
        if "app_known" in changes:
            (tenant.known_apps.add if changes.pop("app_known") else tenant.known_apps.discard)(client_id)
        _set(tenant, changes, {"id", "known_apps", "admin_grants", "requests"})
        return web.json_response(_plain(dataclasses.asdict(tenant)))

    async def _app(self, _: web.Request) -> web.Response:
        return web.json_response(self._shown_app())

    def _shown_app(self) -> dict[str, Any]:
        app = self._targets.app
        return {
            "client_id": app.client_id,
            "name": app.name,
            "redirect_uris": sorted(app.redirect_uris),
            "broken": app.broken,
            "certificates": len(app.certificates),
            "secrets": len(app.secrets),
        }

    async def _change_app(self, request: web.Request) -> web.Response:
        changes = await _object(request)
        for name in ("redirect_uris", "secrets"):
            if name in changes:
                changes[name] = set(changes[name])
        _set(self._targets.app, changes, {"client_id", "home_tenant", "certificates", "federated"})
        return web.json_response(self._shown_app())

    async def _add_url(self, request: web.Request) -> web.Response:
        register(self._targets.app, str((await _object(request))["url"]))
        return web.json_response(self._shown_app(), status=201)

    async def _rotate(self, request: web.Request) -> web.Response:
        forget = bool((await _object(request)).get("forget"))
        return web.json_response({"kid": self._targets.issuer.rotate(forget=forget)})

    async def _token(self, request: web.Request) -> web.Response:
        return web.json_response({"token": self._targets.token_forge.make(await _object(request))}, status=201)

    async def _key_vault(self, _: web.Request) -> web.Response:
        return web.json_response(summary(self._targets.vault))

    async def _change_key_vault(self, request: web.Request) -> web.Response:
        self._targets.vault.purge_protection = bool((await _object(request))["purge_protection"])
        return web.json_response({"purge_protection": self._targets.vault.purge_protection})

    async def _faults(self, _: web.Request) -> web.Response:
        return web.json_response({"rules": [rule.shown() for rule in self._targets.faults.rules]})

    async def _add_fault(self, request: web.Request) -> web.Response:
        return web.json_response(self._targets.faults.add(await _object(request)).shown(), status=201)

    async def _remove_faults(self, request: web.Request) -> web.Response:
        self._targets.faults.remove(request.match_info.get("id", ""))
        return web.Response(status=204)

    async def _requests(self, _: web.Request) -> web.Response:
        return web.json_response({service: dict(counts) for service, counts in self._targets.faults.requests.items()})

    async def _forget_requests(self, _: web.Request) -> web.Response:
        self._targets.faults.requests.clear()
        return web.Response(status=204)


def register(app: App, url: str) -> None:
    """Serve the app at another URL: add the redirect URIs that its registration would list."""
    app.redirect_uris |= {url.rstrip("/") + path for path in (SIGN_IN_CALLBACK, APPROVAL_CALLBACK)}


def shown(person: Person) -> dict[str, Any]:
    """A person as the control port returns them."""
    return dict(_plain(dataclasses.asdict(person)))


def _plain(value: Any) -> Any:
    """Convert sets and tuples to lists, which JSON can hold."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return sorted(value) if isinstance(value, set) else value


def _set(thing: Any, changes: Mapping[str, Any], fixed: set[str]) -> None:
    """Change fields by name, each converted to its type. Raises ValueError."""
    for name, value in changes.items():
        if name in fixed or name not in {field.name for field in dataclasses.fields(thing)}:
            raise ValueError(f"{name} cannot be changed")
        kind = type(getattr(thing, name))
        setattr(thing, name, kind(value) if value is not None and kind is not type(None) else value)


async def _object(request: web.Request) -> dict[str, Any]:
    body = await request.json() if request.can_read_body else {}
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    return body


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every refusal with JSON that says what was wrong."""
    try:
        return await handler(request)
    except web.HTTPException as exc:
        return web.json_response({"error": exc.reason}, status=exc.status)
    except (ValueError, KeyError, TypeError, json.JSONDecodeError) as exc:
        return web.json_response({"error": f"{type(exc).__name__}: {exc}"}, status=400)
