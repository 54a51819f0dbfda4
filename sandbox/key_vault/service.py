"""Key Vault's secrets API as Microsoft's clients call it: first the challenge, then a token for this vault.

https://learn.microsoft.com/rest/api/keyvault/secrets/operation-groups
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from sandbox.entra.issuer import Issuer
from sandbox.key_vault.vault import Secret, Vault, VaultError, Version

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
_API_VERSION = re.compile(r"7\.\d|20\d\d-\d\d-\d\d(-preview)?")
_PAGE = 25


class KeyVault:
    """One vault. `resource` is the audience of its tokens.

    The resource is named 0.0.1 with the vault's port: SecretClient checks that the vault's host, 127.0.0.1, ends with a
    dot and the challenge's resource, as contoso.vault.azure.net ends with vault.azure.net.
    """

    def __init__(self, issuer: Issuer, tenant_id: str, port: int) -> None:
        self.url = f"https://127.0.0.1:{port}"
        self.resource = f"https://0.0.1:{port}"
        self.vault = Vault()
        self._issuer = issuer
        self._tenant_id = tenant_id

    def application(self) -> web.Application:
        """The web application of the vault."""
        application = web.Application(middlewares=[self._errors, self._authentication], client_max_size=1 << 17)
        application.add_routes(
            [
                web.get("/secrets", self._list),
                web.put("/secrets/{name}", self._set),
                web.delete("/secrets/{name}", self._delete),
                web.get("/secrets/{name}/versions", self._versions),
                web.get(r"/secrets/{name}{slash:/?}", self._get),
                web.get("/secrets/{name}/{version}", self._get),
                web.patch("/secrets/{name}{slash:/?}", self._update),
                web.patch("/secrets/{name}/{version}", self._update),
                web.get("/deletedsecrets", self._list_deleted),
                web.get("/deletedsecrets/{name}", self._get_deleted),
                web.post("/deletedsecrets/{name}/recover", self._recover),
                web.delete("/deletedsecrets/{name}", self._purge),
            ]
        )
        return application

    @web.middleware
    async def _errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except VaultError as refused:
            return _error(refused)
        except web.HTTPException as exc:
            return _error(VaultError(exc.status, "BadParameter", exc.reason))

    @web.middleware
    async def _authentication(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            if scheme != "Bearer":
                raise ValueError("no bearer token")
            self._issuer.verify(token, self.resource)
        except ValueError as exc:
            challenge = f'Bearer authorization="{self._issuer.entra_url}/{self._tenant_id}", resource="{self.resource}"'
            response = _error(VaultError(401, "Unauthorized", f"AKV10000: {exc}"))
            response.headers["WWW-Authenticate"] = challenge
            return response
        if not _API_VERSION.fullmatch(request.query.get("api-version", "")):
            raise VaultError(400, "BadParameter", "api-version is missing or unknown")
        if "name" in request.match_info and not _NAME.fullmatch(request.match_info["name"]):
            raise VaultError(400, "BadParameter", "The request URI contains an invalid name.")
        return await handler(request)

    async def _set(self, request: web.Request) -> web.Response:
        body = await _body(request)
        if not isinstance(body.get("value"), str) or not body["value"]:
            raise VaultError(400, "BadParameter", "The value is required.")
        attributes = body.get("attributes") or {}
        secret, version = self.vault.set(
            request.match_info["name"],
            body["value"],
            content_type=body.get("contentType"),
            tags=body.get("tags"),
            enabled=attributes.get("enabled", True),
            not_before=attributes.get("nbf"),
            expires=attributes.get("exp"),
        )
        return web.json_response(self._bundle(secret.name, version, value=True))

    async def _get(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        version = self.vault.get(name, request.match_info.get("version", ""))
        return web.json_response(self._bundle(name, version, value=True))

    async def _update(self, request: web.Request) -> web.Response:
        body = await _body(request)
        name = request.match_info["name"]
        version = self.vault.find(name, request.match_info.get("version", ""))
        attributes = body.get("attributes") or {}
        version.enabled = attributes.get("enabled", version.enabled)
        version.not_before = attributes.get("nbf", version.not_before)
        version.expires = attributes.get("exp", version.expires)
        version.content_type = body.get("contentType", version.content_type)
        version.tags = body.get("tags", version.tags)
        return web.json_response(self._bundle(name, version))

    async def _list(self, request: web.Request) -> web.Response:
        secrets = [self._bundle(s.name, s.version()) | {"id": self._id(s.name)} for s in self.vault.secrets()]
        return self._page(request, secrets)

    async def _versions(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return self._page(request, [self._bundle(name, version) for version in self.vault.versions(name)])

    async def _delete(self, request: web.Request) -> web.Response:
        return web.json_response(self._deleted_bundle(self.vault.delete(request.match_info["name"])))

    async def _list_deleted(self, request: web.Request) -> web.Response:
        return self._page(request, [self._deleted_bundle(secret) for secret in self.vault.all_deleted()])

    async def _get_deleted(self, request: web.Request) -> web.Response:
        return web.json_response(self._deleted_bundle(self.vault.deleted(request.match_info["name"])))

    async def _recover(self, request: web.Request) -> web.Response:
        secret = self.vault.recover(request.match_info["name"])
        return web.json_response(self._bundle(secret.name, secret.version()))

    async def _purge(self, request: web.Request) -> web.Response:
        self.vault.purge(request.match_info["name"])
        return web.Response(status=204)

    def _id(self, name: str, version: str = "") -> str:
        return f"{self.url}/secrets/{name}" + (f"/{version}" if version else "")

    def _bundle(self, name: str, version: Version, *, value: bool = False) -> dict[str, Any]:
        attributes = {
            "enabled": version.enabled,
            "nbf": version.not_before,
            "exp": version.expires,
            "created": int(version.created),
            "updated": int(version.updated),
            "recoveryLevel": "Recoverable" if self.vault.purge_protection else "Recoverable+Purgeable",
            "recoverableDays": 90,
        }
        bundle = {
            "value": version.value if value else None,
            "id": self._id(name, version.id),
            "contentType": version.content_type,
            "tags": version.tags or None,
            "attributes": {key: known for key, known in attributes.items() if known is not None},
        }
        return {key: known for key, known in bundle.items() if known is not None}

    def _deleted_bundle(self, secret: Secret) -> dict[str, Any]:
        return self._bundle(secret.name, secret.version()) | {
            "recoveryId": f"{self.url}/deletedsecrets/{secret.name}",
            "deletedDate": int(secret.deleted_at),
            "scheduledPurgeDate": int(secret.purged_at),
        }

    def _page(self, request: web.Request, items: list[dict[str, Any]]) -> web.Response:
        """One page of a list and the address of the next page; the skip token is opaque to clients."""
        start = int(request.query.get("$skiptoken", "0"))
        size = min(int(request.query.get("maxresults", _PAGE)), _PAGE)
        more = start + size < len(items)
        following = request.url.update_query({"$skiptoken": str(start + size)}).with_scheme("https")
        return web.json_response(
            {"value": items[start : start + size], "nextLink": str(following.with_host("127.0.0.1")) if more else None}
        )


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except json.JSONDecodeError as exc:
        raise VaultError(400, "BadParameter", "The body is not JSON.") from exc
    if not isinstance(body, dict):
        raise VaultError(400, "BadParameter", "The body is not a JSON object.")
    return body


def _error(refused: VaultError) -> web.Response:
    error: dict[str, Any] = {"code": refused.code, "message": refused.message}
    if refused.inner:
        error["innererror"] = {"code": refused.inner}
    return web.json_response({"error": error}, status=refused.status)


async def operation_of(request: web.Request) -> str:
    """The name of an operation, for faults and counts: GET secret, PUT secret, DELETE deletedsecret..."""
    first, *rest = request.path.strip("/").split("/")
    what = first.removesuffix("s") if rest else first
    return f"{request.method} {what}" + (" versions" if rest[1:] == ["versions"] else "")


def summary(vault: Vault) -> list[Mapping[str, Any]]:
    """The vault's contents without values, for the control port."""
    return [
        {
            "name": secret.name,
            "deleted": bool(secret.deleted_at),
            "versions": [{"id": v.id, "enabled": v.enabled, "content_type": v.content_type} for v in secret.versions],
        }
        for secret in vault
    ]
