"""The events of mailboxes and the stores through which they reach the endpoints of webhooks."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.app.base import BaseComponents

if TYPE_CHECKING:
    from shared.mailboxes.outbox.outbox import Outbox
    from shared.webhooks.publisher import Publisher
    from shared.webhooks.queue import StorageDeliveryQueue
    from shared.webhooks.table import TableDeliveries, TableEndpoints


class EventComponents(BaseComponents):
    """What the registry needs to tell of its changes."""

    @cached_property
    def webhook_store(self) -> "TableEndpoints":
        """The registered endpoints."""
        from shared.webhooks.table import TableEndpoints

        return TableEndpoints(self.tables)

    @cached_property
    def delivery_store(self) -> "TableDeliveries":
        """The deliveries of each endpoint."""
        from shared.webhooks.table import TableDeliveries

        return TableDeliveries(self.tables)

    @cached_property
    def delivery_queue(self) -> "StorageDeliveryQueue":
        """The queue of attempts."""
        from shared.webhooks.queue import StorageDeliveryQueue

        return StorageDeliveryQueue(self.queue_address)

    @cached_property
    def publisher(self) -> "Publisher":
        """Hands events on to the endpoints that want them."""
        from shared.webhooks.publisher import Publisher

        return Publisher(self.webhook_store, self.delivery_store, self.delivery_queue, self.monotonic)

    @cached_property
    def outbox(self) -> "Outbox":
        """Adds events to the rows that the registry writes."""
        from shared.mailboxes.outbox.outbox import Outbox

        return Outbox(self.publisher.wants, self.publisher.publish)
