"""Our own signatures: compact JWTs, HS256, with a key ring of their own for each kind.

Sessions, invitations and outcomes each have another ring, so that one can never pass for another, and whoever is
given the outcomes' key to check them can do nothing else with it. The algorithm is fixed here; a token's header has
to say exactly what we would have written, so there is nothing to confuse.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.authorization.errors import TokenInvalid

if TYPE_CHECKING:
    from shared.authorization.port import SigningKey, SigningKeyRing

MAX_TOKEN_CHARACTERS = 4096


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
        key = self._ring.valid()[0]
        times = {"iat": int(self._clock().timestamp()), "exp": int(expires_at.timestamp())}
        signed = f"{self._header(key.id)}.{_encoded({**claims, **times})}"
        return f"{signed}.{_mac(key, signed)}"

    def verify(self, token: str) -> Mapping[str, Any]:
        """The claims of a token of ours.

        Raises:
            TokenInvalid: not ours, or changed.
            TokenExpired: ours, but past its time.
        """
        header, _, rest = token.partition(".")
        body, _, signature = rest.partition(".")
        if len(token) > MAX_TOKEN_CHARACTERS or not token.isascii() or not signature:
            raise TokenInvalid("not a token of ours")
        key = self._key(header)
        # In constant time: how far a guess got must not show in how long the answer took.
        if key is None or not hmac.compare_digest(_mac(key, f"{header}.{body}"), signature):
            raise TokenInvalid("not signed by us")
        claims = _decoded(body)
        if claims["exp"] <= self._clock().timestamp():
            raise TokenExpired("past its time")
        return claims

    def _key(self, header: str) -> "SigningKey | None":
        """The key whose header this is, letter by letter; a new one may have been added by another instance."""
        for fresh in (False, True):
            for key in self._ring.valid(fresh=fresh):
                if hmac.compare_digest(self._header(key.id), header):
                    return key
        return None

    def _header(self, key_id: str) -> str:
        return _encoded({"alg": "HS256", "kid": key_id, "typ": self._kind})


def digest(secret: str) -> str:
    """What is stored of a random secret, to know it again without keeping it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def derive(key: "SigningKey", purpose: str) -> str:
    """A value that only who has the key can make, for one purpose."""
    return _base64(hmac.digest(key.secret, purpose.encode(), "sha256"))


def expiry_of(seconds: int) -> datetime:
    """A time in a token's claims."""
    return datetime.fromtimestamp(seconds, UTC)


def _mac(key: "SigningKey", text: str) -> str:
    return _base64(hmac.digest(key.secret, text.encode(), "sha256"))


def _encoded(value: Mapping[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":"), sort_keys=True).encode())


def _decoded(text: str) -> dict[str, Any]:
    """What we encoded ourselves: only ever called after the signature was found good."""
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return claims


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
