"""Our own signed tokens: compact JWS with HS256, and a separate key ring for each kind of token.

Sessions, invitations, and outcomes have different rings, so that one kind can never pass for another. Whoever gets the
outcomes' key to verify outcomes can do nothing else with it. The algorithm is fixed, and a token's header has to be
exactly what this module writes, so nothing in a token decides how it is verified.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.authorization.errors import TokenInvalid

if TYPE_CHECKING:
    from shared.authorization.model import SigningKey
    from shared.authorization.port import SigningKeyRing

MAX_TOKEN_CHARACTERS = 4096
_ALGORITHM = "HS256"
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}")
"""Three parts without padding. The decoder alone would accept characters that are not base64url."""


class TokenExpired(TokenInvalid):
    """The token has our signature but has expired."""


class Signer:
    """Signs and verifies one kind of token; `kind` is its `typ`."""

    def __init__(self, ring: "SigningKeyRing", kind: str, clock: Callable[[], datetime]) -> None:
        self._ring = ring
        self._kind = kind
        self._clock = clock

    def sign(self, claims: Mapping[str, Any], expires_at: datetime) -> str:
        """Return a token with these claims, `exp`, and `iat`."""
        import jwt

        key = self._ring.valid()[0]
        times = {"iat": int(self._clock().timestamp()), "exp": int(expires_at.timestamp())}
        payload = json.dumps({**claims, **times}, separators=(",", ":"), sort_keys=True).encode()
        return jwt.PyJWS().encode(payload, key.secret, _ALGORITHM, self._header(key), sort_headers=True)

    def verify(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a token that we signed.

        Raises:
            TokenInvalid: the token is not ours, or it was changed.
            TokenExpired: the token is ours but has expired.
        """
        if len(token) > MAX_TOKEN_CHARACTERS or not _COMPACT.fullmatch(token):
            raise TokenInvalid("not a token of ours")
        claims = self._claims(token)
        if claims["exp"] <= self._clock().timestamp():
            raise TokenExpired("past its time")
        return claims

    def _claims(self, token: str) -> dict[str, Any]:
        """Return the claims after verifying the signature; the caller checks the expiry with our own clock."""
        import jwt

        jws = jwt.PyJWS(algorithms=[_ALGORITHM])
        try:
            key = self._key(jws.get_unverified_header(token))
            payload = jws.decode(token, key.secret, algorithms=[_ALGORITHM])
        except jwt.InvalidTokenError as exc:
            raise TokenInvalid("not signed by us") from exc
        claims: dict[str, Any] = json.loads(payload)
        return claims

    def _key(self, header: Mapping[str, Any]) -> "SigningKey":
        """Return the key that this header names. Another instance may have added it, so the ring is read again."""
        for fresh in (False, True):
            for key in self._ring.valid(fresh=fresh):
                if header == self._header(key):
                    return key
        raise TokenInvalid("not signed by us")

    def _header(self, key: "SigningKey") -> dict[str, str]:
        return {"alg": _ALGORITHM, "kid": key.id, "typ": self._kind}


def digest(secret: str) -> str:
    """Return the digest that is stored instead of a random secret, to recognize the secret later."""
    return hashlib.sha256(secret.encode()).hexdigest()


def derive(key: "SigningKey", purpose: str) -> str:
    """Derive a value for one purpose that only the holder of the key can compute."""
    return _base64(hmac.digest(key.secret, purpose.encode(), "sha256"))


def expiry_of(seconds: int) -> datetime:
    """Convert a time in a token's claims, in seconds since 1970, to an aware UTC time."""
    return datetime.fromtimestamp(seconds, UTC)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
