"""Records how late queue messages are handled, and how often they are delivered again."""

from datetime import UTC, datetime

import azure.functions as func

from shared.app import app


def record_delivery(message: func.QueueMessage, queue: str, planned: datetime | None) -> None:
    """Record a delivery. `planned`: when the message should have been handled; None if it does not tell.

    Only the first delivery counts for the age: later ones wait because the message failed, not because the queue is
    long. The age includes a wait that the mail server has asked for.
    """
    from shared.metrics.instruments import QUEUE_AGE, REDELIVERIES

    app()  # Metrics are off until the components exist, and this may be the first message of an instance.
    if (message.dequeue_count or 1) > 1:
        REDELIVERIES.add(queue=queue)
    elif planned is not None:
        QUEUE_AGE.record(max(0.0, (datetime.now(UTC) - planned).total_seconds()), queue=queue)


def inserted_at(message: func.QueueMessage) -> datetime | None:
    """Return when a message was sent, in UTC: for those that are sent without a delay, when they were planned."""
    at: datetime | None = message.insertion_time
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
