"""Signs one event and posts it to its endpoint."""

from collections.abc import Callable
from datetime import datetime

from shared.webhooks.model import Answer, Endpoint
from shared.webhooks.port import SecretStore, WebhookClient
from shared.webhooks.signing import signed_headers


class Sender:
    """Sends events to endpoints."""

    def __init__(self, secrets: SecretStore, client: WebhookClient, clock: Callable[[], datetime]) -> None:
        self._secrets = secrets
        self._client = client
        self._clock = clock

    def send(self, endpoint: Endpoint, event_id: str, body: str) -> Answer:
        """Sign with every secret that is valid now, and post. Raises NotFound: the endpoint has no secret."""
        headers = signed_headers(self._secrets.read(endpoint.id), event_id, body, self._clock())
        return self._client.post(endpoint.url, headers, body.encode())
