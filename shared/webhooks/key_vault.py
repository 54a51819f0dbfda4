"""The signing secrets of endpoints in Key Vault, one secret for each endpoint, cached for a short time."""

import json
import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from shared.authorization.tokens.key_vault import VaultTokenStore
from shared.webhooks.model import SigningSecrets

if TYPE_CHECKING:
    from azure.keyvault.secrets import SecretClient

CONTENT_TYPE = "application/vnd.mailbox-sync.webhook-secret"
CACHED_SECONDS = 60.0
"""How long another instance may sign with the secrets from before a rotation; they stay valid for much longer."""


class VaultWebhookSecrets:
    """Implements SecretStore. `monotonic` is a clock in seconds."""

    def __init__(self, client: "SecretClient", monotonic: Callable[[], float]) -> None:
        self._store = VaultTokenStore(client, CONTENT_TYPE)
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, SigningSecrets]] = {}
        self._lock = threading.Lock()

    def read(self, endpoint_id: str, *, fresh: bool = False) -> SigningSecrets:
        """Return the cached secrets, or read the newest version."""
        with self._lock:
            read_at, known = self._known.get(endpoint_id, (float("-inf"), None))
        if not fresh and known is not None and self._monotonic() - read_at < CACHED_SECONDS:
            return known
        return self._remember(endpoint_id, _decoded(self._store.read(_name(endpoint_id))))

    def write(self, endpoint_id: str, secrets: SigningSecrets) -> None:
        """Write a new version and disable the older ones."""
        self._store.write(_name(endpoint_id), _encoded(secrets))
        self._remember(endpoint_id, secrets)

    def delete(self, endpoint_id: str) -> None:
        """Delete all versions; the vault's soft delete holds them for a while."""
        with self._lock:
            self._known.pop(endpoint_id, None)
        self._store.delete(_name(endpoint_id))

    def _remember(self, endpoint_id: str, secrets: SigningSecrets) -> SigningSecrets:
        with self._lock:
            self._known[endpoint_id] = (self._monotonic(), secrets)
        return secrets


def _name(endpoint_id: str) -> str:
    return f"webhook-{endpoint_id}"


def _encoded(secrets: SigningSecrets) -> str:
    until = secrets.previous_until.isoformat() if secrets.previous_until else ""
    values: dict[str, object] = {"current": secrets.current, "previous": secrets.previous, "previous_until": until}
    if secrets.earlier:
        values["earlier"] = [[secret, end.isoformat()] for secret, end in secrets.earlier]
    return json.dumps(values)


def _decoded(value: str) -> SigningSecrets:
    stored = json.loads(value)
    until = stored["previous_until"]
    earlier = tuple((secret, datetime.fromisoformat(end)) for secret, end in stored.get("earlier", ()))
    previous_until = datetime.fromisoformat(until) if until else None
    return SigningSecrets(stored["current"], stored["previous"], previous_until, earlier)
