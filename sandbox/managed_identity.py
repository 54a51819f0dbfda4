"""The managed identity endpoint of App Service and Functions: gives a token to a caller who knows the header.

https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
"""

import hmac
import time
import uuid

from aiohttp import web

from sandbox.entra.issuer import ASSERTION, STORAGE, Issuer
from sandbox.mail_service import RESOURCE as MAIL

LIFETIME_SECONDS = 24 * 3600
_STORAGE_RESOURCES = {STORAGE, "https://storage.azure.com/"}
_MONITOR_RESOURCE = "https://monitor.azure.com/"


class ManagedIdentity:
    """One user-assigned identity. `vault` is the resource (audience) that this run's Key Vault accepts tokens for."""

    def __init__(self, issuer: Issuer, tenant_id: str, header: str, vault: str) -> None:
        self.client_id = str(uuid.uuid4())
        self.principal_id = str(uuid.uuid4())
        self._issuer = issuer
        self._tenant_id = tenant_id
        self._header = header
        self._vault = vault

    def application(self) -> web.Application:
        """The web application of the endpoint."""
        application = web.Application()
        application.add_routes([web.get("/msi/token", self._token)])
        return application

    async def _token(self, request: web.Request) -> web.Response:
        if not hmac.compare_digest(request.headers.get("X-IDENTITY-HEADER", "").encode(), self._header.encode()):
            return _refused(401, "the X-IDENTITY-HEADER is missing or wrong")
        if request.query.get("api-version") != "2019-08-01":
            return _refused(400, "api-version must be 2019-08-01")
        if request.query.get("client_id", self.client_id) != self.client_id:
            return _refused(400, "no managed identity with this client_id is assigned")
        resource = request.query.get("resource", "")
        if resource not in {ASSERTION, self._vault, MAIL, f"{MAIL}/", _MONITOR_RESOURCE, *_STORAGE_RESOURCES}:
            return _refused(400, "the resource principal was not found in the tenant")
        expires = int(time.time()) + LIFETIME_SECONDS
        return web.json_response(
            {
                "access_token": self.token(resource),
                "client_id": self.client_id,
                "expires_on": str(expires),
                "resource": resource,
                "token_type": "Bearer",
            }
        )

    def token(self, resource: str, lifetime: float = LIFETIME_SECONDS) -> str:
        """A token of this identity for a resource; for the token exchange, one that a federated credential accepts."""
        issuer = self._issuer.v2 if resource == ASSERTION else self._issuer.v1
        claims = {
            "aud": resource.rstrip("/"),
            "iss": issuer(self._tenant_id),
            "tid": self._tenant_id,
            "sub": self.principal_id,
            "oid": self.principal_id,
            "appid": self.client_id,
            "idtyp": "app",
        }
        return self._issuer.sign(claims, lifetime)


def _refused(status: int, message: str) -> web.Response:
    return web.json_response({"statusCode": status, "message": message}, status=status)
