"""Microsoft Entra ID through msal, which speaks the protocol; what it does not check is checked in id_token.py."""

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
from shared.authorization.port import Identity, Tokens
from shared.errors import AdministratorMustAct, OperatorMustAct, Reason, RetryLater
from shared.sources.port import SourceName

MAX_TENANTS = 256
"""How many tenants' msal applications are kept; each costs one discovery request to make."""


class EntraIdentityProvider:
    """Implements IdentityProvider.

    `scopes` are consented to together; of these `mail_scopes` are redeemed for each source, since a token has one
    audience. `app_scopes` are what the app asks for by itself.
    `client_credential` is asked once a tenant, and anew after Entra ID has refused it (a certificate may be replaced).
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
        """Begin a code flow. PKCE, state and nonce are msal's; the nonce as sent is kept with the flow."""
        flow = self._app(self._home()).initiate_auth_code_flow(
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
        """Redeem the code, then validate the id token before anything of it is believed."""
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
        """At the tenant's own authority, for the source's resource."""
        scopes = list(self._mail_scopes[source])
        result = self._ask(tenant_id, OAuthStep.REFRESH, "acquire_token_by_refresh_token", refresh_token, scopes)
        return self._tokens(result)

    def app_token(self, tenant_id: str, source: SourceName = SourceName.EWS) -> Tokens:
        """By client credentials, with no person in it."""
        return self._tokens(self._ask(tenant_id, OAuthStep.APP, "acquire_token_for_client", [self._app_scopes[source]]))

    def admin_consent_url(self, *, tenant: str, redirect_uri: str, state: str) -> str:
        """The v2 admin consent endpoint: everything that people would be asked for, approved for all of them.

        https://learn.microsoft.com/en-us/entra/identity-platform/v2-admin-consent
        """
        query = {
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self._scopes),
            "state": state,
        }
        return f"{self._authority}/{quote(tenant or self._home(), safe='')}/v2.0/adminconsent?{urlencode(query)}"

    def _home(self) -> str:
        """The authority where people sign in: the one tenant, or `organizations` (the list is checked afterward)."""
        return self._tenants[0] if len(self._tenants) == 1 else ANY_TENANT

    def _redeemed(self, flow: dict[str, Any], answer: dict[str, str]) -> dict[str, Any]:
        mail = flow.pop("mail")
        # msal raises ValueError for a foreign state and RuntimeError for a foreign nonce, and quotes both.
        try:
            return self._ask(
                self._home(),
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
            raise RetryLater(Reason.UNAVAILABLE, "the identity provider answered something else than JSON") from exc
        if "error" not in result:
            return cast(dict[str, Any], result)
        error = error_for_response(result, step)
        if isinstance(error, OperatorMustAct):
            self._forget_apps()
        raise error

    def _tokens(self, result: Mapping[str, Any]) -> Tokens:
        token, seconds = result.get("access_token"), result.get("expires_in")
        if not isinstance(token, str) or not token or not str(seconds).isdigit():
            raise RetryLater(Reason.UNAVAILABLE, "the identity provider's answer holds no access token")
        return Tokens(
            access_token=token,
            expires_at=self._clock() + timedelta(seconds=int(str(seconds))),
            refresh_token=str(result.get("refresh_token", "")),
        )

    def _app(self, tenant: str) -> Any:
        """The msal application of one tenant's authority, made at first use."""
        with self._lock:
            if tenant in self._apps:
                self._apps.move_to_end(tenant)
                return self._apps[tenant]
        made = self._made(tenant)
        with self._lock:
            self._apps[tenant] = made
            while len(self._apps) > MAX_TENANTS:
                self._apps.popitem(last=False)
        return made

    def _forget_apps(self) -> None:
        with self._lock:
            self._apps.clear()

    def _made(self, tenant: str) -> Any:
        import msal

        class Forgetful(msal.TokenCache):  # type: ignore[misc]
            """msal would keep every token it has seen; ours are kept by AccessTokens, within bounds."""

            def add(self, event: object, now: object = None) -> None:
                """Keep nothing."""

        credential, line = self._client_credential(), HttpClient()
        try:
            return msal.ConfidentialClientApplication(
                self._client_id,
                client_credential=credential,
                authority=f"{self._authority}/{tenant}",
                instance_discovery=False,
                http_client=line,
                http_cache=_NoHttpCache(),
                token_cache=Forgetful(),
            )
        except (ValueError, KeyError) as exc:
            # msal does not tell a tenant that is not there from a malformed answer, which may count against nobody.
            line.close()
            told = error_for_response(line.refusal, OAuthStep.REFRESH)
            if not isinstance(told, AdministratorMustAct):
                raise RetryLater(Reason.UNAVAILABLE, "the authority's discovery document cannot be used") from exc
            if tenant in self._tenants:
                raise OperatorMustAct(Reason.OUR_CONFIGURATION, "a tenant of the settings does not exist") from exc
            raise told from exc


class _NoHttpCache(dict[str, object]):
    """An http_cache that keeps nothing: msal would give a 400 again for a minute after it was cured."""

    def __setitem__(self, key: str, value: object) -> None:
        pass


def fetch_published_keys(authority: str, tenant: str) -> Mapping[str, Any]:
    """The JWKS document with which this authority signs now."""
    line = HttpClient()
    try:
        answer = line.get(f"{authority}/{quote(tenant, safe='')}/discovery/v2.0/keys")
        document = answer.json() if answer.status_code == 200 else None
    except ValueError as exc:
        raise RetryLater(Reason.UNAVAILABLE, "the published keys are not JSON") from exc
    finally:
        line.close()
    if not isinstance(document, dict):
        raise RetryLater(Reason.UNAVAILABLE, "the published keys cannot be read")
    return document
