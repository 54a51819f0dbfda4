"""The events of mailboxes and the stores through which they reach the endpoints of webhooks."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.app.base import BaseComponents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.mailboxes.outbox.events import EventType, MailboxEvent
    from shared.mailboxes.outbox.outbox import Outbox
    from shared.notices.notices import NoticePublisher
    from shared.notices.queue import StorageNoticeQueue
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
    def notice_queue(self) -> "StorageNoticeQueue":
        """The queue of mail about mailboxes."""
        from shared.notices.queue import StorageNoticeQueue

        return StorageNoticeQueue(self.queues)

    @cached_property
    def notice_publisher(self) -> "NoticePublisher":
        """Queues mail about mailboxes, if the settings name a mail service."""
        from shared.notices.notices import NoticePublisher

        return NoticePublisher(self.notice_queue, enabled=bool(self.settings.mail_endpoint))

    @cached_property
    def outbox(self) -> "Outbox":
        """Adds events to the rows that the registry writes."""
        from shared.mailboxes.outbox.outbox import Outbox

        webhooks, notices = self.publisher, self.notice_publisher

        def wants(kind: "EventType", tenant_id: str) -> bool:
            return notices.wants(kind, tenant_id) or webhooks.wants(kind, tenant_id)

        def publish(events: "Sequence[MailboxEvent]") -> None:
            webhooks.publish(events)
            notices.publish(events)

        return Outbox(wants, publish)
