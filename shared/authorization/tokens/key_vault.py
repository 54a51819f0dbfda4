"""The adapters for Key Vault: refresh tokens, our own signing keys, and the app's certificate.

A vault accepts 300 new versions in 10 seconds and keeps every version, so callers write rarely.
"""

import logging
import secrets as randomness
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from shared.authorization.model import SigningKey
from shared.errors import NotFound, Reason, RetryLater
from shared.storage.azure_errors import CLIENT_OPTIONS, raise_not_found, translate_errors

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.keyvault.secrets import KeyVaultSecret, SecretClient, SecretProperties

REFRESH_TOKEN = "application/vnd.mailbox-sync.refresh-token"  # noqa: S105 -- a content type
SIGNING_KEY = "application/vnd.mailbox-sync.signing-key"
_log = logging.getLogger(__name__)

MAX_KEYS = 3
"""How many versions of a signing key still verify, so that rotating it does not end sessions and invitations."""
RELOAD_AFTER_SECONDS = 30.0
READ_AGAIN_AFTER_SECONDS = 600.0
"""After this time no instance accepts a disabled key any more."""
MIN_KEY_BYTES = 32
"""Characters. A shorter key is ignored: with an empty one anybody could sign, and a short word could be guessed."""


def secret_client(url: str, credential: "TokenCredential") -> "SecretClient":
    """Return the vault's client, which retries only when the connection fails."""
    from azure.keyvault.secrets import SecretClient

    return SecretClient(url, credential, **CLIENT_OPTIONS)


class VaultTokenStore:
    """Implements TokenStore: one secret per authorization, named by its id. `content_type` says what it holds."""

    def __init__(self, client: "SecretClient", content_type: str = REFRESH_TOKEN) -> None:
        self._client = client
        self._content_type = content_type

    def read(self, authorization_id: str) -> str:
        """Return the newest version."""
        with translate_errors():
            return _value(raise_not_found(lambda: self._client.get_secret(authorization_id)))

    def write(self, authorization_id: str, refresh_token: str) -> None:
        """Write a new version and disable the older ones.

        Only versions older than the one just written are disabled, so that concurrent writers do not disable each
        other's version.
        """
        with translate_errors():
            written = self._client.set_secret(
                authorization_id, refresh_token, content_type=self._content_type
            ).properties
            self._disable_older(authorization_id, written)

    def _disable_older(self, authorization_id: str, written: "SecretProperties") -> None:
        for version in self._client.list_properties_of_secret_versions(authorization_id):
            if version.enabled and _older(version, written):
                self._client.update_secret_properties(authorization_id, version.version, enabled=False)

    def delete(self, authorization_id: str) -> datetime | None:
        """Delete all versions; returns until when the vault's soft delete holds them."""
        with translate_errors():
            try:
                return raise_not_found(
                    lambda: self._client.begin_delete_secret(authorization_id).result()
                ).scheduled_purge_date
            except NotFound:
                return self._held_until(authorization_id)

    def _held_until(self, authorization_id: str) -> datetime | None:
        try:
            return raise_not_found(lambda: self._client.get_deleted_secret(authorization_id)).scheduled_purge_date
        except NotFound:
            return None


def _older(version: "SecretProperties", written: "SecretProperties") -> bool:
    """Whether a version is older. Vault times are in whole seconds; in the same second neither counts as older."""
    return (
        version.version != written.version
        and version.created_on is not None
        and written.created_on is not None
        and version.created_on < written.created_on
    )


def _value(secret: "KeyVaultSecret") -> str:
    """The secret's value. A response without one is not the vault's.

    Taken for an empty token, it would make the identity provider refuse a person's sign-in as ended.
    """
    if secret.value is None:
        raise RetryLater(Reason.UNAVAILABLE, "the vault's response holds no secret")
    return secret.value


class VaultKeyRing:
    """Implements SigningKeyRing: the versions of one secret, which is created at first use.

    To rotate the key, add a version to the secret with any tool: the newest signs, and the previous ones still verify.
    """

    def __init__(self, client: "SecretClient", name: str, monotonic: Callable[[], float]) -> None:
        self._client = client
        self._name = name
        self._monotonic = monotonic
        self._keys: tuple[SigningKey, ...] = ()
        self._read_at = 0.0
        self._lock = threading.Lock()

    def valid(self, *, fresh: bool = False) -> Sequence[SigningKey]:
        """Return the keys from memory. They are read again every ten minutes, with `fresh` every 30 seconds at most.

        The limit exists because anybody can invent key ids. While the vault cannot be reached, the known keys stay
        valid, so no session ends.
        """
        with self._lock:
            stale_after = RELOAD_AFTER_SECONDS if fresh else READ_AGAIN_AFTER_SECONDS
            if not self._keys or self._monotonic() - self._read_at > stale_after:
                self._read_at = self._monotonic()
                try:
                    self._keys = self._read() or self._create()
                except RetryLater:
                    if not self._keys:
                        raise
            return self._keys

    def _read(self) -> tuple[SigningKey, ...]:
        with translate_errors():
            try:
                listed = raise_not_found(lambda: list(self._client.list_properties_of_secret_versions(self._name)))
                if not listed:
                    self._require_missing()
            except NotFound:
                return ()
            versions = [version for version in listed if version.enabled and version.version and version.created_on]
            versions.sort(key=lambda version: (version.created_on, version.version), reverse=True)
            keys = [self._key(str(version.version)) for version in versions[:MAX_KEYS]]
        good = tuple(key for key in keys if len(key.secret) >= MIN_KEY_BYTES)
        if len(good) < len(keys):
            _log.error("short signing key ignored")
        return good

    def _require_missing(self) -> None:
        """Raise NotFound if the vault also says that the secret is not there; a new key would be made without need."""
        raise_not_found(lambda: self._client.get_secret(self._name))
        raise RetryLater(Reason.UNAVAILABLE, "the vault lists no version of a secret that it has")

    def _create(self) -> tuple[SigningKey, ...]:
        """Create a key. Two concurrent instances create two versions; reading back makes both agree on the ring."""
        with translate_errors():
            self._client.set_secret(self._name, randomness.token_hex(32), content_type=SIGNING_KEY)
        return self._read()

    def _key(self, version: str) -> SigningKey:
        return SigningKey(version[:12], _value(self._client.get_secret(self._name, version)).encode())


def read_secret(client: "SecretClient", name: str) -> str:
    """Return a secret's newest value, such as the app's certificate. Raises NotFound."""
    with translate_errors():
        return _value(raise_not_found(lambda: client.get_secret(name)))
