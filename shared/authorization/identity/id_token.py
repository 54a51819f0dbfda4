"""Tokens of Entra ID, validated in full: msal leaves that to the application.

RS256 only, with a key that Entra ID publishes now; then issuer, audience, tenant, times and nonce. A token's header
chooses among the published keys and nothing else, so `alg: none`, HS256 with the public key, `jwk` and `jku` get
nowhere. https://learn.microsoft.com/en-us/entra/identity-platform/claims-validation
"""

import hmac
import re
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.authorization.errors import AccountRefused, SignInRefused, TokenInvalid
from shared.authorization.port import Identity

PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of everybody's personal Microsoft accounts."""

ANY_TENANT = "organizations"
LEEWAY_SECONDS = 120
KEYS_MAX_AGE_SECONDS = 12 * 3600
KEYS_MIN_AGE_SECONDS = 60
"""An unknown key id makes us ask again, but not more often: ids are free to invent."""

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """One of Entra ID's keys, and the issuer it is published for, if it names one (`{tenantid}`: any organization)."""

    key: Any
    issuer: object = None

    def signs_for(self, issuer: str, tenant: str) -> bool:
        """Whether tokens of this issuer may be signed with it."""
        named = self.issuer.replace("{tenantid}", tenant) if isinstance(self.issuer, str) else self.issuer
        return named is None or named == issuer


class PublishedKeys:
    """Entra ID's published keys, kept for half a day and asked for again when a new one turns up.

    `fetch` gives the JWKS document; `monotonic` is a clock in seconds.
    """

    def __init__(self, fetch: Callable[[], Mapping[str, Any]], monotonic: Callable[[], float]) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._keys: dict[str, PublishedKey] = {}
        self._fetched_at: float | None = None
        self._asked_at = 0.0
        self._lock = threading.Lock()

    def key(self, kid: str) -> PublishedKey:
        """The key of that id. Raises TokenInvalid; RetryLater when the keys cannot be had."""
        with self._lock:
            if self._outdated(kid):
                # Noted before asking: an identity provider that is ill is left alone for as long as one that is well.
                self._asked_at = self._monotonic()
                self._keys = _usable_keys(self._fetch())
                self._fetched_at = self._monotonic()
            if kid not in self._keys:
                raise TokenInvalid("signed with a key that is not published")
            return self._keys[kid]

    def _outdated(self, kid: str) -> bool:
        now = self._monotonic()
        if self._fetched_at is None or now - self._fetched_at > KEYS_MAX_AGE_SECONDS:
            return True
        return kid not in self._keys and now - self._asked_at > KEYS_MIN_AGE_SECONDS


def _usable_keys(document: Mapping[str, Any]) -> dict[str, PublishedKey]:
    """The RSA signing keys of a JWKS document, by id; what cannot be one is passed over."""
    import jwt

    keys = {}
    for entry in document.get("keys", [])[:100]:
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
    """Checks tokens that Entra ID issued to, or for, this application."""

    def __init__(self, authority: str, client_id: str, keys: PublishedKeys, clock: Callable[[], datetime]) -> None:
        self._authority = authority
        self._client_id = client_id
        self._keys = keys
        self._clock = clock

    def id_token(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an id token that answers our request. Raises TokenInvalid."""
        claims = self._claims(token, [self._client_id])
        if not nonce or not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise TokenInvalid("the nonce is not ours")
        return claims

    def api_token(self, token: str) -> dict[str, Any]:
        """The claims of an access token for our own API. Raises TokenInvalid.

        `azp` tells it from an id token, which names the same audience and must not open the API.
        """
        claims = self._claims(token, [self._client_id, f"api://{self._client_id}"])
        if not claims.get("azp") or "nonce" in claims:
            raise TokenInvalid("not an access token")
        return claims

    def _claims(self, token: str, audiences: list[str]) -> dict[str, Any]:
        import jwt

        if len(token) > 16_384:
            raise TokenInvalid("too long")
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
                # Times are checked below, by our clock; the issuer depends on the tenant.
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


def identity_of(claims: Mapping[str, Any], tenants: Collection[str]) -> Identity:
    """Who signed in, once validated, if their tenant may.

    The address is the name they sign in with, which is of a domain that their tenant has proved to own. Never `email`:
    a tenant's administrator can write anybody's address there, and nobody checks it.

    Raises:
        AccountRefused: a personal account, or a tenant that is not on the list.
        SignInRefused: sign_in_failed, without such a name.
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
    )


def _printable(text: str, most: int) -> str:
    """Text without control characters (which could break a header or a line), and not without end."""
    return "".join(character for character in text if character.isprintable()).strip()[:most]
