"""The full validation of Entra ID tokens, which msal leaves to the application.

Only RS256 with a key that Entra ID currently publishes is accepted; then issuer, audience, tenant, times, and nonce are
checked. A token's header selects one of the published keys and nothing else, so `alg: none`, HS256 with the public
key, `jwk`, and `jku` have no effect. https://learn.microsoft.com/en-us/entra/identity-platform/claims-validation
"""

import hmac
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.authorization.errors import AccountRefused, SignInRefused, TokenInvalid
from shared.authorization.model import GUID, Identity
from shared.errors import Reason, RetryLater

PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of all personal Microsoft accounts."""

ANY_TENANT = "organizations"
LEEWAY_SECONDS = 120
KEYS_MAX_AGE_SECONDS = 12 * 3600
KEYS_MIN_AGE_SECONDS = 60
"""The shortest time between two fetches for unknown key ids. Anybody can invent key ids."""
ASK_AGAIN_SECONDS = 10
"""How long to wait before the next fetch when a fetch returned no keys."""
FETCH_SECONDS = 30
"""How long a caller waits for the first keys while another thread fetches them."""
UNKNOWN_SECONDS = 600
"""How long a key id that was not published does not cause another fetch."""
UNKNOWN_KEPT = 1000

API_SCOPE = "user_impersonation"
"""The scope of an access token that a program obtained for a person: see infra/modules/registration.bicep."""

_GUID = re.compile(GUID)


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """One published key, with the issuer that it is limited to, if any (`{tenantid}` stands for any organization)."""

    key: Any
    issuer: object = None

    def signs_for(self, issuer: str, tenant: str) -> bool:
        """Whether this key may sign tokens of this issuer."""
        named = self.issuer.replace("{tenantid}", tenant) if isinstance(self.issuer, str) else self.issuer
        return named is None or named == issuer


class PublishedKeys:
    """Entra ID's published keys, cached for twelve hours and fetched again for an unknown key id.

    Only one thread fetches at a time, without holding the lock. So a caller with a known key never waits for a fetch
    that an invented key id caused. `fetch` returns the JWKS document; `monotonic` is a clock in seconds.
    """

    def __init__(self, fetch: Callable[[], Mapping[str, Any]], monotonic: Callable[[], float]) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._keys: dict[str, PublishedKey] = {}
        self._unknown: OrderedDict[str, float] = OrderedDict()
        self._fetched_at: float | None = None
        self._asked_at: float | None = None
        self._fetching = False
        self._changed = threading.Condition()

    def key(self, kid: str) -> PublishedKey:
        """Return the key with this id.

        Raises:
            TokenInvalid: no such key is published.
            RetryLater: the keys cannot be fetched, or a fetch that may bring this key is under way.
        """
        with self._changed:
            must_fetch = self._must_fetch(kid)
            self._fetching = self._fetching or must_fetch
        if must_fetch:
            self._refresh(kid)
        with self._changed:
            if kid not in self._keys:
                raise TokenInvalid("signed with a key that is not published")
            return self._keys[kid]

    def _must_fetch(self, kid: str) -> bool:
        """Whether this thread has to fetch the keys. It waits for another thread only while there are no keys."""
        while not self._is_current():
            if not self._fetching:
                if self._asked_within(ASK_AGAIN_SECONDS):
                    raise RetryLater(Reason.UNAVAILABLE, "the published keys could not be read a moment ago")
                return True
            if not self._changed.wait(FETCH_SECONDS):
                raise RetryLater(Reason.TIMED_OUT, "the published keys are still being read")
        if kid in self._keys:
            return False
        if self._fetching:
            raise RetryLater(Reason.UNAVAILABLE, "the published keys are being read")
        return not self._asked_within(KEYS_MIN_AGE_SECONDS) and not self._is_known_to_be_unknown(kid)

    def _refresh(self, kid: str) -> None:
        """Fetch the keys. The time is recorded before the request, so the pause applies after a failure too."""
        self._asked_at = self._monotonic()
        try:
            keys = _usable_keys(self._fetch())
        except BaseException:
            with self._changed:
                self._fetching = False
                self._changed.notify_all()
            raise
        with self._changed:
            self._keys, self._fetched_at = keys, self._monotonic()
            if kid not in keys:
                self._unknown[kid] = self._monotonic()
            while len(self._unknown) > UNKNOWN_KEPT:
                self._unknown.popitem(last=False)
            self._fetching = False
            self._changed.notify_all()

    def _is_current(self) -> bool:
        return self._fetched_at is not None and self._monotonic() - self._fetched_at <= KEYS_MAX_AGE_SECONDS

    def _asked_within(self, seconds: float) -> bool:
        return self._asked_at is not None and self._monotonic() - self._asked_at <= seconds

    def _is_known_to_be_unknown(self, kid: str) -> bool:
        at = self._unknown.get(kid)
        return at is not None and self._monotonic() - at <= UNKNOWN_SECONDS


def _usable_keys(document: Mapping[str, Any]) -> dict[str, PublishedKey]:
    """Return the RSA signing keys of a JWKS document by id; other entries are ignored."""
    import jwt

    keys = {}
    for entry in document.get("keys", [])[:100]:
        if not isinstance(entry, dict):
            continue
        if entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig" or not isinstance(entry.get("kid"), str):
            continue
        try:
            key = jwt.PyJWK(entry, "RS256").key
        except jwt.PyJWTError:
            continue
        if key.key_size >= 2048:
            keys[entry["kid"]] = PublishedKey(key, entry.get("issuer"))
    return keys


class TokenValidator:
    """Checks tokens that Entra ID issued to, or for, this application.

    `api_clients` are the applications, besides this one, whose access tokens the API accepts.
    """

    def __init__(
        self,
        authority: str,
        client_id: str,
        keys: PublishedKeys,
        clock: Callable[[], datetime],
        api_clients: Collection[str] = (),
    ) -> None:
        self._authority = authority
        self._client_id = client_id
        self._keys = keys
        self._clock = clock
        self._api_clients = frozenset({client_id, *api_clients})

    def id_token(self, token: str, nonce: str) -> dict[str, Any]:
        """Return the claims of an id token whose nonce is the one that we sent. Raises TokenInvalid."""
        claims = self._claims(token, [self._client_id])
        if not nonce or not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise TokenInvalid("the nonce is not ours")
        return claims

    def api_token(self, token: str) -> dict[str, Any]:
        """Return the claims of an access token for our own API. Raises TokenInvalid.

        An id token has the same audience and must not open the API; only an access token has `azp`. `azp` names the
        application that obtained the token, and the operator has to have allowed that application. A token obtained for
        a person carries the API's scope; an app-only token carries no scope.
        https://learn.microsoft.com/en-us/entra/identity-platform/claims-validation
        """
        claims = self._claims(token, [self._client_id, f"api://{self._client_id}"])
        client = claims.get("azp")
        if not isinstance(client, str) or not client or "nonce" in claims:
            raise TokenInvalid("not an access token")
        if client not in self._api_clients:
            raise TokenInvalid("issued to another client")
        if "scp" not in claims and _is_of_an_application(claims):
            return claims
        if claims.get("idtyp", "user") != "user" or API_SCOPE not in str(claims.get("scp", "")).split():
            raise TokenInvalid("without the scope")
        return claims

    def _claims(self, token: str, audiences: list[str]) -> dict[str, Any]:
        import jwt

        if len(token) > 16_384 or not token.isascii():
            raise TokenInvalid("too long, or not ASCII")
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") != "RS256" or not isinstance(header.get("kid"), str):
                raise TokenInvalid("not signed as Entra ID signs")
            published = self._keys.key(header["kid"])
            claims: dict[str, Any] = jwt.decode(
                token,
                published.key,
                algorithms=["RS256"],
                audience=audiences,
                # Times are checked below with our clock; the issuer depends on the tenant.
                options={"require": ["aud", "exp", "iss", "nbf", "oid", "tid"], "verify_exp": False,
                         "verify_nbf": False, "verify_iat": False},
            )  # fmt: skip
        except jwt.PyJWTError as exc:
            raise TokenInvalid(type(exc).__name__) from exc
        self._check_issuer(claims, published)
        self._check_times(claims)
        return claims

    def _check_issuer(self, claims: Mapping[str, Any], published: PublishedKey) -> None:
        tenant = claims["tid"]
        if not isinstance(tenant, str) or not _GUID.fullmatch(tenant):
            raise TokenInvalid("no tenant")
        if claims["iss"] != f"{self._authority}/{tenant}/v2.0":
            raise TokenInvalid("issuer and tenant do not agree")
        if not published.signs_for(claims["iss"], tenant):
            raise TokenInvalid("signed with another issuer's key")
        if not isinstance(claims["oid"], str) or not _GUID.fullmatch(claims["oid"]):
            raise TokenInvalid("no object id")

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._clock().timestamp()
        if any(isinstance(claims[name], bool) or not isinstance(claims[name], int | float) for name in ("exp", "nbf")):
            raise TokenInvalid("a time that is none")
        if now > claims["exp"] + LEEWAY_SECONDS:
            raise TokenInvalid("expired")
        if now < claims["nbf"] - LEEWAY_SECONDS:
            raise TokenInvalid("not yet valid")


def _is_of_an_application(claims: Mapping[str, Any]) -> bool:
    """Whether this is an app-only token. `idtyp` is optional; without it, `sub` equals `oid` in app-only tokens."""
    return bool(claims["idtyp"] == "app" if "idtyp" in claims else claims.get("sub") == claims["oid"])


def identity_of(claims: Mapping[str, Any], tenants: Collection[str]) -> Identity:
    """Return who signed in, from validated claims, if their tenant is allowed.

    The address is the sign-in name, whose domain the tenant has proved to own. The `email` claim is never used: a
    tenant's administrator can write any address there, and nobody verifies it.

    Raises:
        AccountRefused: a personal account, or a tenant that is not on the list.
        SignInRefused: sign_in_failed, when the token has no sign-in name.
    """
    tenant = claims["tid"]
    if tenant == PERSONAL_TENANT:
        raise AccountRefused("personal_account")
    if ANY_TENANT not in tenants and tenant not in tenants:
        raise AccountRefused("tenant_not_allowed")
    address = str(claims.get("preferred_username") or claims.get("upn") or "")
    if not address:
        raise SignInRefused("sign_in_failed")
    roles = claims.get("roles", [])
    return Identity(
        tenant_id=tenant,
        owner_id=claims["oid"],
        address=_printable(address, 320),
        display_name=_printable(str(claims.get("name") or address), 200),
        roles=tuple(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else (),
        authenticated_at=_moment(claims.get("auth_time")),
    )


def _moment(seconds: object) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds < 2**33:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _printable(text: str, most: int) -> str:
    """Remove control characters, which could break a header or a log line, and limit the length to `most`."""
    return "".join(character for character in text if character.isprintable()).strip()[:most]
