"""The claims of each kind of token: id tokens, access tokens, app-only tokens."""

import base64
import json
import uuid
from typing import Any

from sandbox.entra.grants import Grant
from sandbox.entra.issuer import EXCHANGE, GRAPH, Issuer
from sandbox.people.directory import EWS_APP_ROLE, App, Person, Tenant

ID_TOKEN_SECONDS = 3600
APP_TOKEN_SECONDS = 3600


class Tokens:
    """Makes tokens signed with an issuer's key."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    def id_token(
        self, app: App, person: Person, nonce: str = "", *, verified: bool = False, authenticated_at: float = 0.0
    ) -> str:
        """An id token: tells the app who signed in, and when they entered their password (the claim `auth_time`)."""
        claims = self.id_claims(app, person) | ({"nonce": nonce} if nonce else {}) | _methods(verified)
        claims |= {"auth_time": int(authenticated_at)} if authenticated_at else {}
        return self._issuer.sign(claims, ID_TOKEN_SECONDS)

    def id_claims(self, app: App, person: Person) -> dict[str, Any]:
        """The claims of a version 2 id token, except times and nonce."""
        claims = {
            "aud": app.client_id,
            "iss": self._issuer.v2(person.tenant_id),
            "tid": person.tenant_id,
            "oid": person.oid,
            "sub": _pairwise(app.client_id, person.oid),
            "preferred_username": person.principal_name,
            "name": person.display_name,
            "email": person.address,
            "ver": "2.0",
            "uti": uuid.uuid4().hex,
        }
        return claims | ({"roles": list(person.roles)} if person.roles else {})

    def access_token(self, grant: Grant, resource: str, permissions: frozenset[str]) -> str:
        """A delegated access token for a resource."""
        person, scopes = grant.person, " ".join(sorted(name.rpartition("/")[2] for name in permissions))
        if resource == grant.app.client_id:
            claims = self.id_claims(grant.app, person) | {"azp": grant.app.client_id, "scp": scopes}
            return self._issuer.sign(claims, person.token_seconds)
        return self._issuer.sign(
            self._delegated(grant.app, person, resource) | {"scp": scopes} | _methods(grant.verified),
            person.token_seconds,
        )

    def _delegated(self, app: App, person: Person, resource: str) -> dict[str, Any]:
        # Exchange Server and other EWS servers read upn, preferred_username or email, depending on their configuration.
        return {
            "aud": resource,
            "iss": self._issuer.v1(person.tenant_id),
            "tid": person.tenant_id,
            "oid": person.oid,
            "sub": _pairwise(resource, person.oid),
            "appid": app.client_id,
            "app_displayname": app.name,
            "appidacr": "2",
            "idtyp": "user",
            "name": person.display_name,
            "upn": person.principal_name,
            "unique_name": person.principal_name,
            "preferred_username": person.principal_name,
            "email": person.address,
            "ver": "1.0",
            "uti": uuid.uuid4().hex,
        }

    def exchange_token(self, app: App, person: Person, lifetime: float) -> str:
        """A delegated Exchange token with a chosen lifetime."""
        claims = self._delegated(app, person, EXCHANGE) | {"scp": "EWS.AccessAsUser.All"}
        return self._issuer.sign(claims, lifetime)

    def app_token(self, app: App, tenant: Tenant, resource: str, lifetime: float = APP_TOKEN_SECONDS) -> str:
        """An app-only access token for a resource: roles instead of scopes, no upn."""
        principal = str(uuid.uuid5(uuid.NAMESPACE_URL, f"sp:{tenant.id}:{app.client_id}"))
        claims: dict[str, Any] = {
            "aud": resource,
            "iss": self._issuer.v1(tenant.id),
            "tid": tenant.id,
            "oid": principal,
            "sub": principal,
            "appid": app.client_id,
            "app_displayname": app.name,
            "appidacr": "2",
            "idtyp": "app",
            "ver": "1.0",
            "uti": uuid.uuid4().hex,
        }
        granted = tenant.app_roles.get(app.client_id, set())
        roles = sorted(granted & {EWS_APP_ROLE} if resource == EXCHANGE else granted - {EWS_APP_ROLE})
        roles = roles if resource in (EXCHANGE, GRAPH) else []
        return self._issuer.sign(claims | ({"roles": roles} if roles else {}), lifetime)


class ExchangeTokens:
    """Verifies tokens for Exchange: valid, for this audience, and with a permission to read mailboxes."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    def verify(self, token: str) -> dict[str, Any]:
        """A token's claims. Raises ValueError when Exchange must refuse the token."""
        claims = self._issuer.verify(token, EXCHANGE)
        if "EWS.AccessAsUser.All" in claims.get("scp", "").split() or EWS_APP_ROLE in claims.get("roles", []):
            return claims
        raise ValueError("token refused: it grants nothing in Exchange")


class GraphTokens:
    """Verifies tokens for Graph: valid and for this audience. Graph itself checks the permissions that a path needs."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    def verify(self, token: str) -> dict[str, Any]:
        """A token's claims. Raises ValueError when Graph must refuse the token."""
        return self._issuer.verify(token, GRAPH)


def client_info(person: Person) -> str:
    """The client_info that msal uses to identify the account later."""
    info = json.dumps({"uid": person.oid, "utid": person.tenant_id}).encode()
    return base64.urlsafe_b64encode(info).rstrip(b"=").decode()


def _pairwise(client: str, oid: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"sub:{client}:{oid}"))


def _methods(verified: bool) -> dict[str, Any]:
    return {"amr": ["pwd", "mfa"], "acrs": ["c1"]} if verified else {"amr": ["pwd"]}
