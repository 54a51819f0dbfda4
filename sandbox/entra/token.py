"""The token endpoint: redeems codes, refreshes tokens, and issues app-only tokens."""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.entra.clients import Clients
from sandbox.entra.errors import EntraError
from sandbox.entra.grants import Grant, Grants
from sandbox.entra.policy import Policy
from sandbox.entra.scopes import DEFAULT, Scopes, parse, single
from sandbox.entra.tokens import APP_TOKEN_SECONDS, Tokens, client_info
from sandbox.people.directory import Directory

_KNOWN = {
    *("client_id", "client_assertion", "client_assertion_type", "client_secret", "client_info", "grant_type"),
    *("scope", "code", "redirect_uri", "code_verifier", "refresh_token", "claims"),
}


class TokenEndpoint:
    """Answers a token request, decoded from its form."""

    def __init__(self, directory: Directory, policy: Policy, clients: Clients, grants: Grants, tokens: Tokens) -> None:
        self._directory = directory
        self._policy = policy
        self._clients = clients
        self._grants = grants
        self._tokens = tokens

    def answer(self, tenant: str, form: Mapping[str, str]) -> dict[str, Any]:
        """The requested tokens. Raises EntraError."""
        for name in sorted(form.keys() - _KNOWN):
            if not name.startswith("x-"):
                self._directory.note(f"entra token: unknown parameter {name}")
        self._policy.tenant(tenant)
        match form.get("grant_type"):
            case "authorization_code":
                return self._code(tenant, form)
            case "refresh_token":
                return self._refresh(tenant, form)
            case "client_credentials":
                return self._client_credentials(tenant, form)
            case None:
                raise EntraError(900144, "grant_type")
            case _:
                raise EntraError(70003)

    def _code(self, tenant: str, form: Mapping[str, str]) -> dict[str, Any]:
        app = self._clients.authenticate(form)
        grant = self._grants.redeem(_required(form, "code"))
        if grant.app is not app:
            raise EntraError(9002313, "The code was given to another application.")
        if grant.redirect_uri != _required(form, "redirect_uri"):
            raise EntraError(50011)
        _check_verifier(grant.challenge, form.get("code_verifier", ""))
        return self._tokens_for(grant, tenant, form)

    def _refresh(self, tenant: str, form: Mapping[str, str]) -> dict[str, Any]:
        app = self._clients.authenticate(form)
        grant = self._grants.refresh(_required(form, "refresh_token"))
        if grant.app is not app:
            raise EntraError(9002313, "The refresh token was given to another application.")
        return self._tokens_for(replace(grant, nonce="", issued_at=time.time()), tenant, form)

    def _tokens_for(self, grant: Grant, tenant: str, form: Mapping[str, str]) -> dict[str, Any]:
        person = grant.person
        self._policy.admit(person, tenant)
        if person.token_error:
            raise EntraError(person.token_error)
        if person.mfa == "step_up" and not grant.verified:
            raise EntraError(50076)
        requested = parse(form["scope"], grant.app.client_id) if form.get("scope") else grant.scopes
        resource = single(requested)
        permissions = requested.by_resource.get(resource, frozenset())
        if missing := self._policy.missing(grant.app, person, permissions):
            raise EntraError(65001, " ".join(sorted(missing)))
        return self._answer(grant, requested, resource, permissions) | (
            {"client_info": client_info(person)} if form.get("client_info") else {}
        )

    def _answer(self, grant: Grant, requested: Scopes, resource: str, permissions: frozenset[str]) -> dict[str, Any]:
        oidc = grant.scopes.oidc
        answer: dict[str, Any] = {
            "token_type": "Bearer",
            "scope": " ".join([*sorted(permissions), *sorted(oidc & requested.oidc - {"offline_access"})]),
            "expires_in": grant.person.token_seconds,
            "ext_expires_in": grant.person.token_seconds,
            "access_token": self._tokens.access_token(grant, resource, permissions),
        }
        if "offline_access" in oidc:
            answer["refresh_token"] = self._grants.refresh_token(replace(grant, challenge="", redirect_uri=""))
        if "openid" in oidc:
            answer["id_token"] = self._tokens.id_token(
                grant.app, grant.person, grant.nonce, verified=grant.verified, authenticated_at=grant.authenticated_at
            )
        return answer

    def _client_credentials(self, name: str, form: Mapping[str, str]) -> dict[str, Any]:
        app = self._clients.authenticate(form)
        tenant = self._policy.tenant(name)
        if tenant is None:
            raise EntraError(50059, "Client credentials need the tenant by name.")
        if app.client_id not in tenant.known_apps:
            raise EntraError(700016, f"Tenant '{tenant.name}'.")
        scope = _required(form, "scope")
        if not scope.endswith("/" + DEFAULT) or " " in scope:
            raise EntraError(1002012)
        resource = single(parse(scope, app.client_id))
        return {
            "token_type": "Bearer",
            "expires_in": APP_TOKEN_SECONDS,
            "ext_expires_in": APP_TOKEN_SECONDS,
            "access_token": self._tokens.app_token(app, tenant, resource),
        }


def _required(form: Mapping[str, str], name: str) -> str:
    if not form.get(name):
        raise EntraError(900144, name)
    return form[name]


def _check_verifier(challenge: str, verifier: str) -> None:
    """Check PKCE (RFC 7636): the verifier's SHA-256 is the challenge."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    if not 43 <= len(verifier) <= 128 or not hmac.compare_digest(digest, challenge.encode()):
        raise EntraError(501481)
