"""Client authentication at the token endpoint: an assertion by certificate or by federated managed identity.

https://learn.microsoft.com/entra/identity-platform/certificate-credentials
"""

import base64
import hmac
import time
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from sandbox.entra.errors import EntraError
from sandbox.entra.issuer import ASSERTION, Issuer
from sandbox.people.directory import App, Directory

_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LONGEST_SECONDS = 24 * 3600


class Clients:
    """The registered apps, and the check that a request comes from one of them."""

    def __init__(self, directory: Directory, issuer: Issuer) -> None:
        self._directory = directory
        self._issuer = issuer

    def find(self, client_id: str) -> App:
        """An app by its client id. Raises EntraError."""
        if not client_id:
            raise EntraError(900144, "client_id")
        try:
            return self._directory.apps[client_id]
        except KeyError:
            raise EntraError(700016, f"Application with identifier '{client_id}'.") from None

    def authenticate(self, form: Mapping[str, str]) -> App:
        """The app that authenticated. Raises EntraError, always an invalid_client."""
        app = self.find(form.get("client_id", ""))
        if app.broken:
            raise EntraError(app.broken)
        if "client_secret" in form:
            self._secret(app, form)
        elif form.get("client_assertion_type") != _TYPE or not form.get("client_assertion"):
            raise EntraError(7000218)
        else:
            self._assertion(app, form["client_assertion"])
        return app

    def _secret(self, app: App, form: Mapping[str, str]) -> None:
        if "client_assertion" in form:
            raise EntraError(700025)
        if not any(hmac.compare_digest(secret.encode(), form["client_secret"].encode()) for secret in app.secrets):
            raise EntraError(7000215)

    def _assertion(self, app: App, assertion: str) -> None:
        try:
            issued_by = jwt.decode(assertion, options={"verify_signature": False}).get("iss")
        except jwt.PyJWTError as exc:
            raise EntraError(700027, "The assertion is not a JSON web token.") from exc
        if issued_by == app.client_id:
            self._by_certificate(app, assertion)
        else:
            self._federated(app, assertion)

    def _federated(self, app: App, assertion: str) -> None:
        try:
            claims = self._issuer.verify(assertion, ASSERTION)
        except ValueError as exc:
            raise EntraError(700027, str(exc)) from exc
        if (claims["iss"], claims.get("sub")) not in app.federated:
            raise EntraError(700213)

    def _by_certificate(self, app: App, assertion: str) -> None:
        """Verify an assertion by certificate. msal uses PS256 and SHA-256 thumbprints, old versions RS256 and SHA-1."""
        try:
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(
                assertion,
                _registered(app, header),
                algorithms=["PS256", "RS256"],
                options={"verify_aud": False, "require": ["exp", "iss", "sub", "aud", "jti"]},
            )
        except jwt.PyJWTError as exc:
            raise EntraError(700027, type(exc).__name__) from exc
        self._check(app, claims)

    def _check(self, app: App, claims: Mapping[str, Any]) -> None:
        audience = str(claims["aud"])
        is_ours = audience.startswith(self._issuer.entra_url + "/")
        if claims["sub"] != app.client_id or not is_ours or not audience.endswith(("/oauth2/v2.0/token", "/v2.0")):
            raise EntraError(700027, "subject or audience")
        if claims["exp"] > time.time() + _LONGEST_SECONDS:
            raise EntraError(700027, "it is valid for too long")


def _registered(app: App, header: Mapping[str, Any]) -> Any:
    """The public key of the certificate that an assertion's header names. Raises EntraError."""
    for pem in app.certificates:
        certificate = x509.load_pem_x509_certificate(pem)
        for name, digest in (("x5t#S256", hashes.SHA256()), ("x5t", hashes.SHA1())):  # noqa: S303 -- a name, no proof
            if hmac.compare_digest(_unpadded(header.get(name)), _b64(certificate.fingerprint(digest))):
                return certificate.public_key()
    raise EntraError(700027, "No certificate with this thumbprint is registered.")


def _unpadded(value: Any) -> bytes:
    """Remove base64 padding: msal writes it, RFC 7515 omits it."""
    return str(value or "").rstrip("=").encode()


def _b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
