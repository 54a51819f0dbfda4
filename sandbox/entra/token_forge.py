"""Tokens on request, valid and invalid in every way, for tests of the code that verifies them."""

import base64
import hmac
import json
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.entra.grants import Grant
from sandbox.entra.issuer import EXCHANGE, GRAPH, Issuer
from sandbox.entra.scopes import Scopes
from sandbox.entra.tokens import Tokens
from sandbox.managed_identity import ManagedIdentity
from sandbox.people.directory import App, Directory

_GRAPH_SCOPES = ("Mail.Read", "Calendars.Read", "Contacts.Read", "Tasks.Read", "User.Read")


class Forge:
    """Makes tokens as requested.

    A request is {"person": address, "kind": "exchange" | "id" | "api" | "graph"}, {"tenant": ...} for an app-only
    token, or {"identity": resource} for a managed identity's. The keys lifetime, claims, drop, alg, headers and
    unknown_key change the token.
    """

    def __init__(self, directory: Directory, issuer: Issuer, identity: ManagedIdentity, app: App) -> None:
        self._directory = directory
        self._issuer = issuer
        self._identity = identity
        self._app = app

    def make(self, request: Mapping[str, Any]) -> str:
        """Make a token. Raises ValueError when the request is not understood."""
        token = self._valid(request)
        if not request.keys() & {"claims", "drop", "alg", "headers", "unknown_key", "lifetime"}:
            return token
        return self._altered(token, request)

    def _valid(self, request: Mapping[str, Any]) -> str:
        if "identity" in request:
            return self._identity.token(str(request["identity"]))
        tokens = Tokens(self._issuer)
        if "tenant" in request:
            tenant = self._directory.tenant(str(request["tenant"]))
            if tenant is None:
                raise ValueError("no such tenant")
            return tokens.app_token(self._app, tenant, GRAPH if request.get("kind") == "graph" else EXCHANGE)
        person = self._directory.person(str(request.get("person", "")))
        if person is None:
            raise ValueError("no such person")
        grant = Grant(self._app, person, verified=False, issued_at=0, scopes=Scopes(frozenset(), {}))
        match request.get("kind", "exchange"):
            case "exchange":
                return tokens.access_token(grant, EXCHANGE, frozenset({f"{EXCHANGE}/EWS.AccessAsUser.All"}))
            case "graph":
                scopes = request.get("scopes", _GRAPH_SCOPES)
                return tokens.access_token(grant, GRAPH, frozenset(f"{GRAPH}/{scope}" for scope in scopes))
            case "api":
                name = f"api://{self._app.client_id}/user_impersonation"
                return tokens.access_token(grant, self._app.client_id, frozenset({name}))
            case "id":
                return tokens.id_token(self._app, person, str(request.get("nonce", "")))
            case kind:
                raise ValueError(f"kind {kind} is none of exchange, graph, api, id")

    def _altered(self, token: str, request: Mapping[str, Any]) -> str:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        if "lifetime" in request:
            claims["exp"] = claims["iat"] + int(request["lifetime"])
        claims |= request.get("claims") or {}
        for name in request.get("drop") or []:
            claims.pop(name, None)
        headers = {"kid": self._issuer.kid} | (request.get("headers") or {})
        algorithm = request.get("alg", "RS256")
        if algorithm == "none":
            return jwt.encode(claims, "", algorithm="none", headers=headers)
        if algorithm == "HS256":
            return _signed_with_public_key(claims, headers, self._issuer.public_key_pem())
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048) if request.get("unknown_key") else None
        return jwt.encode(claims, key or self._issuer.private_key(), algorithm=algorithm, headers=headers)


def _signed_with_public_key(claims: dict[str, Any], headers: dict[str, str], pem: bytes) -> str:
    """The RS/HS confusion: an HMAC whose key is the public key. PyJWT rightly refuses to make one."""

    def part(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    header = {"alg": "HS256", "typ": "JWT", **headers}
    signed = part(json.dumps(header).encode()) + b"." + part(json.dumps(claims).encode())
    return (signed + b"." + part(hmac.digest(pem, signed, "sha256"))).decode()
