"""Our own signatures: compact JWS, HS256, with a key ring of its own for each kind of token.

Sessions, invitations and outcomes each have another ring, so that one can never pass for another, and whoever is
given the outcomes' key to check them can do nothing else with it. The algorithm is fixed here, and a token's header has
to be exactly what we write, so nothing in a token chooses how it is checked.
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
    from shared.authorization.port import SigningKey, SigningKeyRing

MAX_TOKEN_CHARACTERS = 4096
_ALGORITHM = "HS256"
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}")
"""Three parts without padding: a decoder would let characters through that are no base64url."""


class TokenExpired(TokenInvalid):
    """Signed by us, and past its time."""


class Signer:
    """Signs and checks one kind of token; `kind` is its `typ`."""

    def __init__(self, ring: "SigningKeyRing", kind: str, clock: Callable[[], datetime]) -> None:
        self._ring = ring
        self._kind = kind
        self._clock = clock

    def sign(self, claims: Mapping[str, Any], expires_at: datetime) -> str:
        """A token with these claims, `exp` and `iat`."""
        import jwt

        key = self._ring.valid()[0]
        times = {"iat": int(self._clock().timestamp()), "exp": int(expires_at.timestamp())}
        payload = json.dumps({**claims, **times}, separators=(",", ":"), sort_keys=True).encode()
        return jwt.PyJWS().encode(payload, key.secret, _ALGORITHM, self._header(key), sort_headers=True)

    def verify(self, token: str) -> Mapping[str, Any]:
        """The claims of a token of ours.

        Raises:
            TokenInvalid: not ours, or changed.
            TokenExpired: ours, but past its time.
        """
        if len(token) > MAX_TOKEN_CHARACTERS or not _COMPACT.fullmatch(token):
            raise TokenInvalid("not a token of ours")
        claims = self._claims(token)
        if claims["exp"] <= self._clock().timestamp():
            raise TokenExpired("past its time")
        return claims

    def _claims(self, token: str) -> dict[str, Any]:
        """The claims of a token whose signature is good; its time is compared by the caller, with our own clock."""
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
        """The key whose header this is; a new one may have been added by another instance."""
        for fresh in (False, True):
            for key in self._ring.valid(fresh=fresh):
                if header == self._header(key):
                    return key
        raise TokenInvalid("not signed by us")

    def _header(self, key: "SigningKey") -> dict[str, str]:
        return {"alg": _ALGORITHM, "kid": key.id, "typ": self._kind}


def digest(secret: str) -> str:
    """What is stored of a random secret, to know it again without keeping it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def derive(key: "SigningKey", purpose: str) -> str:
    """A value that only who has the key can make, for one purpose."""
    return _base64(hmac.digest(key.secret, purpose.encode(), "sha256"))


def expiry_of(seconds: int) -> datetime:
    """A time in a token's claims."""
    return datetime.fromtimestamp(seconds, UTC)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
