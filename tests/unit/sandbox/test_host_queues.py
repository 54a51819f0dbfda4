"""The queue triggers of the local host, over a queue in memory."""

import asyncio
import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sandbox.host.config import QueueSettings
from sandbox.host.queues import Message, QueueListener, QueueUnavailable

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LEASE = 600.0


def message(text: str, *, dequeue_count: int = 1) -> Message:
    return Message(text, base64.b64encode(text.encode()).decode(), "receipt-0", dequeue_count, NOW, NOW, NOW)


class FakeQueue:
    """Implements MessageQueue; remembers what became of each message."""

    def __init__(self, *messages: Message, name: str = "work") -> None:
        self.name = name
        self.waiting = list(messages)
        self.taken: dict[str, str] = {}
        self.done: list[str] = []
        self.poison: list[str] = []
        self.hidden: list[tuple[str, float]] = []
        self.failures = 0
        self.batches: list[int] = []

    async def receive(self, most: int, lease: float) -> list[Message]:
        if self.failures:
            self.failures -= 1
            raise QueueUnavailable("down")
        batch, self.waiting = self.waiting[:most], self.waiting[most:]
        self.taken |= {taken.id: taken.receipt for taken in batch}
        if batch:
            self.batches.append(len(batch))
        return batch

    async def hide(self, message: Message, seconds: float) -> Message:
        self._check(message)
        self.hidden.append((message.id, seconds))
        self.taken[message.id] = f"receipt-{len(self.hidden)}"
        return replace(message, receipt=self.taken[message.id])

    async def delete(self, message: Message) -> None:
        self._check(message)
        self.done.append(message.id)

    async def move_to_poison(self, message: Message) -> None:
        self._check(message)
        self.poison.append(message.id)

    def _check(self, message: Message) -> None:
        assert self.taken[message.id] == message.receipt, "the receipt is no longer good"


async def drain(listener: QueueListener, queue: FakeQueue) -> None:
    """Let the listener run until the queue is empty and everything taken from it has ended."""
    running = asyncio.create_task(listener.run())
    async with asyncio.timeout(10):
        while queue.waiting or queue.failures:
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await listener.drain()


async def succeed(_message: Message, _text: str) -> bool:
    return True


async def fail(_message: Message, _text: str) -> bool:
    return False


async def test_a_message_that_succeeds_is_deleted_after_its_text_was_given() -> None:
    seen: list[str] = []

    async def handle(_message: Message, text: str) -> bool:
        seen.append(text)
        return True

    queue = FakeQueue(message("grün"))
    await drain(QueueListener(queue, QueueSettings(), handle), queue)
    assert (seen, queue.done, queue.hidden, queue.poison) == (["grün"], ["grün"], [], [])


async def test_a_message_that_fails_comes_back_after_the_retry_delay() -> None:
    queue = FakeQueue(message("a"))
    await drain(QueueListener(queue, QueueSettings(retry_delay=180), fail), queue)
    assert (queue.done, queue.hidden, queue.poison) == ([], [("a", 180)], [])


async def test_a_message_that_fails_for_the_last_time_goes_to_the_poison_queue() -> None:
    queue = FakeQueue(message("a", dequeue_count=5))
    await drain(QueueListener(queue, QueueSettings(), fail), queue)
    assert queue.poison == ["a"]


async def test_a_message_that_killed_the_host_each_time_is_not_tried_again() -> None:
    seen: list[str] = []

    async def handle(_message: Message, text: str) -> bool:
        seen.append(text)
        return True

    queue = FakeQueue(message("a", dequeue_count=6))
    await drain(QueueListener(queue, QueueSettings(), handle), queue)
    assert (seen, queue.poison) == ([], ["a"])


async def test_a_message_that_is_not_base64_goes_to_the_poison_queue() -> None:
    queue = FakeQueue(replace(message("a"), content='{"mailbox": 1}'))
    await drain(QueueListener(queue, QueueSettings(), succeed), queue)
    assert queue.poison == ["a"]


async def test_a_poison_queue_has_no_poison_queue_of_its_own() -> None:
    queue = FakeQueue(message("a", dequeue_count=9), name="work-poison")
    await drain(QueueListener(queue, QueueSettings(retry_delay=60), fail), queue)
    assert (queue.poison, queue.hidden) == ([], [("a", 60)])


async def test_a_long_run_renews_its_message_and_deletes_it_by_last_receipt() -> None:
    queue = FakeQueue(message("a"))

    async def handle(_message: Message, _text: str) -> bool:
        async with asyncio.timeout(10):
            while len(queue.hidden) < 3:
                await asyncio.sleep(0.01)
        return True

    await drain(QueueListener(queue, QueueSettings(), handle, lease=0.04), queue)
    assert queue.done == ["a"]
    assert set(queue.hidden) == {("a", 0.04)}


@pytest.mark.parametrize("threshold", [0, 2])
async def test_no_more_run_at_once_than_a_batch_and_the_threshold(threshold: int) -> None:
    running = most = 0

    async def handle(_message: Message, _text: str) -> bool:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return True

    queue = FakeQueue(*(message(str(number)) for number in range(20)))
    await drain(QueueListener(queue, QueueSettings(batch_size=4, new_batch_threshold=threshold), handle), queue)
    assert len(queue.done) == 20
    assert most <= 4 + threshold
    assert max(queue.batches) == 4


async def test_a_queue_that_does_not_answer_is_asked_again() -> None:
    queue = FakeQueue(message("a"))
    queue.failures = 2
    await drain(QueueListener(queue, QueueSettings(), succeed), queue)
    assert queue.done == ["a"]
