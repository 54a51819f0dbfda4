"""The delivery of events to endpoints, and the commands on endpoints."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.app.base import utc_now
from shared.app.stores import StoreComponents

if TYPE_CHECKING:
    import ssl

    from shared.webhooks.deliverer import Deliverer
    from shared.webhooks.endpoints import WebhookEndpoints
    from shared.webhooks.https_client import HttpsWebhookClient
    from shared.webhooks.key_vault import VaultWebhookSecrets
    from shared.webhooks.sender import Sender


class WebhookComponents(StoreComponents):
    """What sends webhooks."""

    @cached_property
    def webhook_secrets(self) -> "VaultWebhookSecrets":
        """The signing secrets of endpoints."""
        from shared.webhooks.key_vault import VaultWebhookSecrets

        return VaultWebhookSecrets(self.secrets, self.monotonic)

    @cached_property
    def webhook_client(self) -> "HttpsWebhookClient":
        """The way to an endpoint."""
        from shared.webhooks.https_client import HttpsWebhookClient

        return HttpsWebhookClient(_tls, self.settings.webhook_private_hosts)

    @cached_property
    def webhook_sender(self) -> "Sender":
        """Signs and posts events."""
        from shared.webhooks.sender import Sender

        return Sender(self.webhook_secrets, self.webhook_client, utc_now)

    @cached_property
    def webhooks(self) -> "WebhookEndpoints":
        """The commands on endpoints."""
        from shared.webhooks.endpoints import WebhookEndpoints

        return WebhookEndpoints(
            endpoints=self.webhook_store,
            secrets=self.webhook_secrets,
            deliveries=self.delivery_store,
            queue=self.delivery_queue,
            client=self.webhook_client,
            sender=self.webhook_sender,
            audit=self.registry.record_audit,
            changed=self.publisher.refresh,
            clock=utc_now,
        )

    @cached_property
    def deliverer(self) -> "Deliverer":
        """Makes one attempt to deliver one event."""
        from shared.webhooks.deliverer import Deliverer

        return Deliverer(
            endpoints=self.webhook_store,
            deliveries=self.delivery_store,
            queue=self.delivery_queue,
            sender=self.webhook_sender,
            clock=utc_now,
            monotonic=self.monotonic,
        )


def _tls() -> "ssl.SSLContext":
    """The TLS context with the certificates that this machine trusts."""
    from shared.machine_settings import machine_settings
    from shared.sources.bounded_tls import tls_context

    return tls_context(machine_settings("https://webhooks.invalid").bundle)
