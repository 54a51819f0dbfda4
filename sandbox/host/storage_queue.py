"""A queue of Queue Storage for the listeners, opened by identity with the `connection` setting of a binding."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.identity.aio import DefaultAzureCredential
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from sandbox.host.config import ConfigInvalid
from sandbox.host.queues import Message, QueueUnavailable


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except AzureError as error:
        raise QueueUnavailable(type(error).__name__) from error


def service(connection: str, settings: Mapping[str, str]) -> QueueServiceClient:
    """The queue service of a connection: identity-based, never with a key.

    Raises ConfigInvalid when neither NAME__queueServiceUri nor NAME__accountName is set.
    """
    url = settings.get(f"{connection}__queueServiceUri")
    if not url and (account := settings.get(f"{connection}__accountName")):
        url = f"https://{account}.queue.core.windows.net"
    if not url:
        raise ConfigInvalid(f"{connection}__queueServiceUri is missing")
    credential = DefaultAzureCredential(managed_identity_client_id=settings.get(f"{connection}__clientId"))
    return QueueServiceClient(url, credential=credential, retry_total=1, connection_timeout=5, read_timeout=30)


class StorageQueue:
    """Implements MessageQueue."""

    def __init__(self, queues: QueueServiceClient, name: str) -> None:
        self.name = name
        self._queue: QueueClient = queues.get_queue_client(name)
        self._poison: QueueClient = queues.get_queue_client(f"{name}-poison")

    async def receive(self, most: int, lease: float) -> list[Message]:
        """Receive one page of messages."""
        with _translated():
            try:
                pages = self._queue.receive_messages(messages_per_page=most, visibility_timeout=int(lease)).by_page()
                async for page in pages:
                    return [_message(taken) async for taken in page]
            except ResourceNotFoundError:
                return []
        return []

    async def hide(self, message: Message, seconds: float) -> Message:
        """Update the visibility timeout; the content must be sent along, or it would be emptied."""
        with _translated():
            updated = await self._queue.update_message(
                message.id, message.receipt, message.content, visibility_timeout=int(seconds)
            )
        return Message(
            message.id,
            message.content,
            str(updated.pop_receipt),
            message.dequeue_count,
            message.inserted_on,
            message.expires_on,
            updated.next_visible_on or message.next_visible_on,
        )

    async def delete(self, message: Message) -> None:
        """Delete the message. One that is gone, or that another consumer received, is not an error."""
        with _translated():
            try:
                await self._queue.delete_message(message.id, message.receipt)
            except ResourceNotFoundError:
                return

    async def move_to_poison(self, message: Message) -> None:
        """Copy first, then delete: a crash between the two duplicates the message and loses nothing."""
        with _translated():
            try:
                await self._poison.send_message(message.content, time_to_live=-1)
            except ResourceNotFoundError:
                # Several messages may fail at the same moment; the first one creates the queue.
                with suppress(ResourceExistsError):
                    await self._poison.create_queue()
                await self._poison.send_message(message.content, time_to_live=-1)
        await self.delete(message)


def _message(taken: QueueMessage) -> Message:
    values: dict[str, Any] = {
        "dequeue_count": taken.dequeue_count or 1,
        "inserted_on": taken.inserted_on,
        "expires_on": taken.expires_on,
        "next_visible_on": taken.next_visible_on,
    }
    return Message(id=taken.id, content=taken.content, receipt=str(taken.pop_receipt), **values)
