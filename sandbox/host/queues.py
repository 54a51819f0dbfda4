"""Queue triggers: polling, batches, renewal of messages in progress, retries, and the poison queue.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger
"""

import asyncio
import base64
import binascii
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sandbox.host.config import QueueSettings

SHORTEST_POLL = 0.1
"""Seconds between two polls of a queue that had a message."""

log = logging.getLogger("host.queues")


@dataclass(frozen=True, slots=True)
class Message:
    """A received message: `content` as stored; `receipt` is the pop receipt, which later calls must present."""

    id: str
    content: str
    receipt: str
    dequeue_count: int
    inserted_on: datetime
    expires_on: datetime
    next_visible_on: datetime


class QueueUnavailable(Exception):
    """The queue does not answer."""


class MessageQueue(Protocol):
    """One Storage queue. Every call may raise QueueUnavailable."""

    name: str

    async def receive(self, most: int, lease: float) -> list[Message]:
        """Receive messages and hide them for `lease` seconds; none when the queue does not exist."""
        ...

    async def hide(self, message: Message, seconds: float) -> Message:
        """Hide the message for some seconds; returns it with its new receipt."""
        ...

    async def delete(self, message: Message) -> None:
        """Delete the message. Does nothing when it is gone."""
        ...

    async def move_to_poison(self, message: Message) -> None:
        """Copy the message to the poison queue, created if missing, then delete it."""
        ...


Handle = Callable[[Message, str], Awaitable[bool]]
"""Runs the function on a message and its decoded text; returns whether it succeeded."""


class QueueListener:
    """Runs one queue function.

    `lease`: seconds that a message stays hidden while its function runs. It is renewed at half of that, so only the
    messages of a host that died become visible again.
    """

    def __init__(self, queue: MessageQueue, settings: QueueSettings, handle: Handle, lease: float = 600.0) -> None:
        self._queue = queue
        self._settings = settings
        self._handle = handle
        self._lease = lease
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Poll until canceled; messages in progress are left to `drain`."""
        nap = SHORTEST_POLL
        while True:
            await self._room()
            messages = await self._receive()
            for message in messages:
                task = asyncio.create_task(self._process(message))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            nap = SHORTEST_POLL if messages else min(nap * 2, self._settings.longest_poll)
            await asyncio.sleep(0 if messages else nap * random.uniform(0.8, 1.0))  # noqa: S311 -- spreads polls

    async def drain(self) -> None:
        """Wait until no message is in progress."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _room(self) -> None:
        """Wait until few enough messages are in progress for the next batch."""
        while len(self._running) > self._settings.new_batch_threshold:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def _receive(self) -> list[Message]:
        try:
            return await self._queue.receive(self._settings.batch_size, self._lease)
        except QueueUnavailable as error:
            log.warning("Queue %s cannot be read: %s", self._queue.name, error)
            return []

    async def _process(self, message: Message) -> None:
        """Process one message from start to end."""
        try:
            text = self._decode(message)
            if text is None or message.dequeue_count > self._settings.max_dequeue_count:
                # Received too often without a result: the host died each time.
                await self._move_to_poison(message)
                return
            ok, message = await self._run(message, text)
            if ok:
                await self._queue.delete(message)
            elif message.dequeue_count >= self._settings.max_dequeue_count:
                await self._move_to_poison(message)
            else:
                await self._queue.hide(message, self._settings.retry_delay)
        except QueueUnavailable as error:
            # Its visibility timeout ends by itself, and the queue delivers it again: at least once, not exactly once.
            log.warning("Message %s of %s is left to its time-out: %s", message.id, self._queue.name, error)

    def _decode(self, message: Message) -> str | None:
        if not self._settings.base64:
            return message.content
        try:
            return base64.b64decode(message.content, validate=True).decode()
        except (binascii.Error, ValueError):
            log.error("Message %s of %s is not base64 text", message.id, self._queue.name)
            return None

    async def _run(self, message: Message, text: str) -> tuple[bool, Message]:
        """Run the function while renewing the message's visibility; returns the message with its last receipt."""
        over = asyncio.Event()
        renewal = asyncio.create_task(self._renew(message, over))
        try:
            ok = await self._handle(message, text)
        finally:
            # Not canceled: an interrupted renewal would leave us with an invalid receipt.
            over.set()
            message = await renewal
        return ok, message

    async def _renew(self, message: Message, over: asyncio.Event) -> Message:
        while True:
            try:
                await asyncio.wait_for(over.wait(), self._lease / 2)
            except TimeoutError:
                message = await self._hold(message)
            else:
                return message

    async def _hold(self, message: Message) -> Message:
        try:
            return await self._queue.hide(message, self._lease)
        except QueueUnavailable as error:
            log.warning("Message %s could not be renewed: %s", message.id, error)
            return message

    async def _move_to_poison(self, message: Message) -> None:
        """Move the message to the poison queue. A poison queue has none: its messages are retried forever."""
        if self._queue.name.endswith("-poison"):
            await self._queue.hide(message, self._settings.retry_delay)
            return
        log.error(
            "Message %s has reached MaxDequeueCount of %d. Moving message to queue '%s-poison'.",
            message.id,
            self._settings.max_dequeue_count,
            self._queue.name,
        )
        await self._queue.move_to_poison(message)
