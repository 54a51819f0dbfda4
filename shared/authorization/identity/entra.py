"""The adapter for Microsoft Entra ID. msal implements the protocol; id_token.py validates what msal does not check."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from shared.authorization.errors import SignInRefused, TokenInvalid
from shared.authorization.identity.entra_errors import OAuthStep, error_for_response
from shared.authorization.identity.http_client import HttpClient
from shared.authorization.identity.id_token import ANY_TENANT, TokenValidator, identity_of
from shared.authorization.model import Identity, Tokens
from shared.errors import AdministratorMustAct, OperatorMustAct, Reason, RetryLater
from shared.sources.model import SourceName

MAX_TENANTS = 256
"""How many tenants' msal applications are cached; creating one costs one discovery request."""

_MOST_DIGITS = 9
"""Digits of the seconds that a token is valid for. A token of more than 30 years is not Entra ID's."""


class EntraIdentityProvider:
    """Implements IdentityProvider.

    A person consents to all `scopes` together. `mail_scopes` are the scopes to redeem for each source, because a token
    has one audience. `app_scopes` are the scopes of app-only access.
    `client_credential` is called once per tenant, and again after Entra ID has refused the credential, because the
    certificate may have been replaced.
    """

    def __init__(
        self,
        *,
        authority: str,
        client_id: str,
        tenants: Sequence[str],
        scopes: Sequence[str],
        mail_scopes: Mapping[SourceName, Sequence[str]],
        app_scopes: Mapping[SourceName, str],
        client_credential: Callable[[], Mapping[str, object]],
        validator: TokenValidator,
        clock: Callable[[], datetime],
    ) -> None:
        self._authority = authority
        self._client_id = client_id
        self._tenants = tuple(tenants)
        self._scopes = list(scopes)
        self._mail_scopes = mail_scopes
        self._app_scopes = app_scopes
        self._client_credential = client_credential
        self._validator = validator
        self._clock = clock
        self._apps: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()

    def begin(
        self, *, redirect_uri: str, login_hint: str = "", prompt: str = "", claims: str = "", mail: bool = True
    ) -> tuple[str, Mapping[str, object]]:
        """Start a code flow. msal creates PKCE, state, and nonce; the nonce as sent is stored with the flow."""
        flow = self._app(self._sign_in_tenant()).initiate_auth_code_flow(
            self._scopes if mail else [],
            redirect_uri=redirect_uri,
            login_hint=login_hint or None,
            prompt=prompt or None,
            claims_challenge=claims or None,
            response_mode="form_post",
        )
        url = flow.pop("auth_uri")
        return url, {**flow, "nonce_sent": parse_qs(urlsplit(url).query)["nonce"][0], "mail": mail}

    def redeem(self, flow: Mapping[str, object], answer: Mapping[str, str]) -> tuple[Identity, Tokens]:
        """Redeem the code, then validate the id token before any of its claims is used."""
        if answer.get("error"):
            raise error_for_response(answer, OAuthStep.CALLBACK)
        if not answer.get("code"):
            raise SignInRefused("malformed")
        result = self._redeemed(dict(flow), {"code": answer["code"], "state": answer.get("state", "")})
        try:
            claims = self._validator.id_token(str(result.get("id_token", "")), str(flow["nonce_sent"]))
        except TokenInvalid as exc:
            raise SignInRefused("sign_in_failed") from exc
        return identity_of(claims, self._tenants), self._tokens(result)

    def refresh(self, tenant_id: str, refresh_token: str, source: SourceName = SourceName.EWS) -> Tokens:
        """Refresh at the tenant's own authority, for the source's resource."""
        scopes = list(self._mail_scopes[source])
        result = self._ask(tenant_id, OAuthStep.REFRESH, "acquire_token_by_refresh_token", refresh_token, scopes)
        return self._tokens(result)

    def app_token(self, tenant_id: str, source: SourceName = SourceName.EWS) -> Tokens:
        """Obtain a token with the client credentials flow, without a person."""
        return self._tokens(self._ask(tenant_id, OAuthStep.APP, "acquire_token_for_client", [self._app_scopes[source]]))

    def admin_consent_url(self, *, tenant: str, redirect_uri: str, state: str) -> str:
        """Return the URL of the v2 admin consent endpoint, which grants all `scopes` for everyone in the tenant.

        https://learn.microsoft.com/en-us/entra/identity-platform/v2-admin-consent
        """
        query = {
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self._scopes),
            "state": state,
        }
        return (
            f"{self._authority}/{quote(tenant or self._sign_in_tenant(), safe='')}/v2.0/adminconsent?{urlencode(query)}"
        )

    def _sign_in_tenant(self) -> str:
        """Return the authority where people sign in: the only tenant, or `organizations`.

        With `organizations`, the tenant is checked against the list after the sign-in.
        """
        return self._tenants[0] if len(self._tenants) == 1 else ANY_TENANT

    def _redeemed(self, flow: dict[str, Any], answer: dict[str, str]) -> dict[str, Any]:
        mail = flow.pop("mail")
        # msal raises ValueError for a wrong state and RuntimeError for a wrong nonce, and quotes both values.
        try:
            return self._ask(
                self._sign_in_tenant(),
                OAuthStep.REDEEM,
                "acquire_token_by_auth_code_flow",
                flow,
                answer,
                scopes=list(self._mail_scopes[SourceName.EWS]) if mail else None,
            )
        except (ValueError, RuntimeError) as exc:
            raise SignInRefused("sign_in_failed") from exc

    def _ask(self, tenant: str, step: OAuthStep, method: str, /, *args: object, **options: object) -> dict[str, Any]:
        try:
            result = getattr(self._app(tenant), method)(*args, **options)
        except json.JSONDecodeError as exc:
            raise RetryLater(Reason.UNAVAILABLE, "the identity provider did not answer with JSON") from exc
        except (ValueError, LookupError, TypeError, AttributeError) as exc:
            # msal expects every field to be of its type, and decodes an id token that a refresh does not need. A
            # ValueError at the redemption is about the person's answer.
            if step is OAuthStep.REDEEM and isinstance(exc, ValueError):
                raise
            raise RetryLater(Reason.UNAVAILABLE, "the identity provider's answer cannot be used") from exc
        if "error" not in result:
            return cast(dict[str, Any], result)
        error = error_for_response(result, step)
        if isinstance(error, OperatorMustAct):
            self._forget_apps()
        raise error

    def _tokens(self, result: Mapping[str, Any]) -> Tokens:
        token, seconds = result.get("access_token"), str(result.get("expires_in"))
        if not isinstance(token, str) or not token or not seconds.isdecimal() or len(seconds) > _MOST_DIGITS:
            raise RetryLater(Reason.UNAVAILABLE, "the identity provider's answer holds no access token")
        rotated = result.get("refresh_token")
        return Tokens(
            access_token=token,
            expires_at=self._clock() + timedelta(seconds=int(seconds)),
            refresh_token=rotated if isinstance(rotated, str) else "",
        )

    def _app(self, tenant: str) -> Any:
        """Return the msal application of one tenant's authority; it is created at first use."""
        with self._lock:
            if tenant in self._apps:
                self._apps.move_to_end(tenant)
                return self._apps[tenant]
        created = self._new_app(tenant)
        with self._lock:
            self._apps[tenant] = created
            while len(self._apps) > MAX_TENANTS:
                self._apps.popitem(last=False)
        return created

    def _forget_apps(self) -> None:
        with self._lock:
            self._apps.clear()

    def _new_app(self, tenant: str) -> Any:
        import msal

        class NoTokenCache(msal.TokenCache):  # type: ignore[misc]
            """A cache that stores nothing. msal keeps every token without limit; AccessTokenCache has a limit."""

            def add(self, event: object, now: object = None) -> None:
                """Store nothing."""

        credential, client = self._client_credential(), HttpClient()
        try:
            return msal.ConfidentialClientApplication(
                self._client_id,
                client_credential=credential,
                authority=f"{self._authority}/{tenant}",
                instance_discovery=False,
                http_client=client,
                http_cache=_NoHttpCache(),
                token_cache=NoTokenCache(),
            )
        except (ValueError, LookupError, TypeError, AttributeError) as exc:
            # msal raises the same error for a missing tenant and for a malformed response. Only the missing tenant is
            # the administrator's or the operator's matter, so the response itself decides.
            client.close()
            error = error_for_response(client.refusal, OAuthStep.REFRESH)
            if not isinstance(error, AdministratorMustAct):
                raise RetryLater(Reason.UNAVAILABLE, "the authority's discovery document cannot be used") from exc
            if tenant in self._tenants:
                raise OperatorMustAct(Reason.OUR_CONFIGURATION, "a tenant of the settings does not exist") from exc
            raise error from exc


class _NoHttpCache(dict[str, object]):
    """An http_cache that stores nothing. With a cache, msal repeats a 400 for a minute after its cause was fixed."""

    def __setitem__(self, key: str, value: object) -> None:
        pass


def fetch_published_keys(authority: str, tenant: str) -> Mapping[str, Any]:
    """Return the JWKS document of the keys that this authority currently signs with."""
    client = HttpClient()
    try:
        answer = client.get(f"{authority}/{quote(tenant, safe='')}/discovery/v2.0/keys")
        document = answer.json() if answer.status_code == 200 else None
    except ValueError as exc:
        raise RetryLater(Reason.UNAVAILABLE, "the published keys are not JSON") from exc
    finally:
        client.close()
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise RetryLater(Reason.UNAVAILABLE, "the published keys cannot be read")
    return document
