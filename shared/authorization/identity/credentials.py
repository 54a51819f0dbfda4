"""The app's credential for Entra ID: an assertion of its managed identity, or a certificate, never a client secret.

Both functions return the form that msal's `client_credential` parameter takes.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from shared.errors import OperatorMustAct, Reason
from shared.storage.azure_errors import translate_errors


class _AccessToken(Protocol):
    @property
    def token(self) -> str: ...


class Credential(Protocol):
    """The interface that azure.identity's credentials share."""

    def get_token(self, *scopes: str) -> _AccessToken:
        """Return a token for the scope, from memory while it is valid."""
        ...


def federated(credential: Credential, scope: str) -> Mapping[str, object]:
    """Use the managed identity's token as client assertion; each request that needs an assertion asks for it again."""

    def assertion() -> str:
        with translate_errors():
            return credential.get_token(scope).token

    return {"client_assertion": assertion}


_KEY = re.compile(r"-----BEGIN ((?:RSA )?PRIVATE KEY)-----.+?-----END \1-----", re.DOTALL)
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def certificate(read: Callable[[], str]) -> Mapping[str, object]:
    """Return the certificate and its private key. `read` returns PEM text, the format that Key Vault delivers.

    Raises:
        OperatorMustAct: the text does not hold a certificate with its matching key.
    """
    pem = read()
    key, chain = _KEY.search(pem), _CERTIFICATE.findall(pem)
    if key is None or not chain or not _belong_together(key.group(0), chain[0]):
        raise OperatorMustAct(Reason.OUR_CREDENTIAL, "the secret is not a PEM with a certificate and its key")
    return {"private_key": key.group(0), "public_certificate": "\n".join(chain)}


def certificate_ends(pem: str) -> datetime | None:
    """Return when the certificate expires, as an aware UTC time; None when the text holds no certificate."""
    from cryptography import x509

    chain = _CERTIFICATE.findall(pem)
    return x509.load_pem_x509_certificate(chain[0].encode()).not_valid_after_utc if chain else None


def _belong_together(key: str, leaf: str) -> bool:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(key.encode(), password=None)
        return private.public_key() == x509.load_pem_x509_certificate(leaf.encode()).public_key()
    except ValueError:
        return False
