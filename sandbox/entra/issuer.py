"""The sandbox's signing keys: signs tokens, names their issuers, and verifies them."""

import base64
import hashlib
import time
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

EXCHANGE = "https://outlook.office365.com"
GRAPH = "https://graph.microsoft.com"
STORAGE = "https://storage.azure.com"
ASSERTION = "api://AzureADTokenExchange"
LEEWAY_SECONDS = 60


class Issuer:
    """Signs and verifies the sandbox's tokens. `entra_url` starts Entra's issuer names, without a final slash.

    Keys rotate as Entra's do: the newest one signs, and earlier ones stay published so that issued tokens stay valid.
    """

    def __init__(self, entra_url: str) -> None:
        self.entra_url = entra_url
        self._keys: dict[str, rsa.RSAPrivateKey] = {}
        self.rotate()

    def rotate(self, *, forget: bool = False) -> str:
        """Sign with a new key from now on; returns its id. `forget` withdraws the earlier keys at once."""
        if forget:
            self._keys.clear()
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.kid = _thumbprint(key)
        self._keys[self.kid] = key
        return self.kid

    def v1(self, tenant_id: str) -> str:
        """The issuer of access tokens for Microsoft's own resources and of managed identities."""
        return f"https://sts.windows.net/{tenant_id}/"

    def v2(self, tenant_id: str) -> str:
        """The issuer of id tokens, of our own API's access tokens and of federated assertions."""
        return f"{self.entra_url}/{tenant_id}/v2.0"

    def sign(self, claims: Mapping[str, Any], lifetime: float, **headers: str) -> str:
        """A signed token with these claims, valid from now on."""
        now = int(time.time())
        times = {"iat": now, "nbf": now, "exp": now + int(lifetime)}
        # Entra names the key twice in version 1 tokens; some readers use x5t.
        header = {"kid": self.kid, "x5t": self.kid, **headers}
        return jwt.encode({**times, **claims}, self._keys[self.kid], algorithm="RS256", headers=header)

    def verify(self, token: str, audience: str) -> dict[str, Any]:
        """The claims of a valid token.

        Raises:
            ValueError: wrong key, signature, algorithm, issuer or audience, or expired or not yet valid.
        """
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            claims: dict[str, Any] = jwt.decode(
                token,
                key.public_key(),
                algorithms=["RS256"],
                audience=audience,
                leeway=LEEWAY_SECONDS if audience != EXCHANGE else 0,
                options={"require": ["exp", "nbf", "iat", "iss", "aud", "tid"]},
            )
        except (jwt.PyJWTError, KeyError) as exc:
            raise ValueError(f"token refused: {type(exc).__name__}") from exc
        if claims["iss"] not in (self.v1(claims["tid"]), self.v2(claims["tid"])):
            raise ValueError("token refused: issuer")
        return claims

    def jwks(self) -> dict[str, Any]:
        """The public keys, as Entra publishes them."""
        return {"keys": [_public(kid, key) for kid, key in self._keys.items()]}

    def public_key_pem(self) -> bytes:
        """The newest public key, for a server that is configured with a fixed key."""
        return (
            self._keys[self.kid]
            .public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )

    def private_key(self) -> rsa.RSAPrivateKey:
        """The newest signing key, for the tokens that the control port forges."""
        return self._keys[self.kid]


def _thumbprint(key: rsa.RSAPrivateKey) -> str:
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.urlsafe_b64encode(hashlib.sha256(public).digest()[:20]).rstrip(b"=").decode()


def _public(kid: str, key: rsa.RSAPrivateKey) -> dict[str, Any]:
    jwk: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "x5t": kid, "n": jwk["n"], "e": jwk["e"]}
