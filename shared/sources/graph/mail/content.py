"""Fetches messages: metadata in batches, MIME one message per request with several in flight."""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace
from itertools import batched

import msgspec

from shared.errors import Reason, RetryLater
from shared.sources.graph.faults.codes import NOT_AS_MIME
from shared.sources.graph.items.item_requests import SENSELESS, ItemRequests, Result
from shared.sources.graph.mail import messages
from shared.sources.graph.mail.rebuilt import ItemBody, rebuilt
from shared.sources.graph.transport.answers import raw_content
from shared.sources.graph.transport.batch import Ask
from shared.sources.graph.transport.client import GraphClient, Part
from shared.sources.model import Content, ContentLevel, Folder, Item, ItemFailure, ItemKind
from shared.sources.port import FolderGone

_AT_ONCE = 80
"""The number of messages whose metadata is requested together: four batches."""

_LARGE = 16 << 20
"""Contents that may be this large are fetched one at a time, to limit memory."""

_SLACK = 1 << 20


class _WithBody(msgspec.Struct):
    body: ItemBody | None = None


class MailFetcher:
    """Fetches messages of one mailbox."""

    def __init__(
        self,
        client: GraphClient,
        requests: ItemRequests,
        pool: Callable[[], Executor],
        *,
        in_flight: int,
        largest_item_bytes: int,
    ) -> None:
        self._client = client
        self._requests = requests
        self._pool = pool
        self._in_flight = in_flight
        self._largest = largest_item_bytes
        self._one_large_at_a_time = threading.Lock()

    def fetch(
        self, folder: Folder, ids: Sequence[str], level: ContentLevel, known: Mapping[str, Item]
    ) -> Iterator[Result]:
        """Fetch the messages, each once."""
        found = self._metadata(folder, ids, known)
        if level is ContentLevel.METADATA:
            return found
        return self._with_bodies(found) if level is ContentLevel.BODY else self._with_mime(found)

    def _metadata(self, folder: Folder, ids: Sequence[str], known: Mapping[str, Item]) -> Iterator[Result]:
        yield from (replace(known[each], folder_id=folder.id) for each in ids if each in known)
        unknown = [each for each in ids if each not in known]
        for part in batched(unknown, _AT_ONCE, strict=False):
            asks = {each: Ask(f"{self._client.mailbox}/messages/{each}{messages.METADATA}") for each in part}
            for identifier, answer in self._requests.answers(asks):
                yield self._read(answer, identifier, folder.id)

    def _read(self, answer: Part | ItemFailure, identifier: str, folder_id: str) -> Result:
        message = self._requests.decoded(messages.Message, answer, identifier)
        if isinstance(message, ItemFailure):
            return message
        try:
            return messages.message_item(message, folder_id)
        except SENSELESS as exc:
            return ItemFailure(identifier, Reason.ITEM_UNREADABLE, type(exc).__name__)

    def _with_bodies(self, found: Iterator[Result]) -> Iterator[Result]:
        for part in batched(found, _AT_ONCE, strict=False):
            wanted: dict[str, Item] = {}
            for result in part:
                if isinstance(result, Item) and result.size <= self._largest:
                    wanted[result.id] = result
                else:
                    yield result
            asks = {each: Ask(f"{self._client.mailbox}/messages/{each}{messages.BODY}") for each in wanted}
            for identifier, answer in self._requests.answers(asks):
                yield self._with_body(wanted[identifier], answer)

    def _with_body(self, item: Item, answer: Part | ItemFailure) -> Result:
        read = self._requests.decoded(_WithBody, answer, item.id)
        return read if isinstance(read, ItemFailure) else replace(item, content=as_json(item, read.body))

    def _with_mime(self, found: Iterator[Result]) -> Iterator[Result]:
        """Yield contents in the order of the items: `in_flight` are being fetched, and as many are waiting."""
        waiting: deque[tuple[Item, Future[Part]]] = deque()
        try:
            for result in found:
                if isinstance(result, ItemFailure) or result.size > self._largest:
                    yield result
                    continue
                waiting.append((result, self._pool().submit(self._mime, result)))
                if len(waiting) >= self._in_flight * 2:
                    yield self._received(*waiting.popleft())
            while waiting:
                yield self._received(*waiting.popleft())
        finally:
            for _, future in waiting:
                future.cancel()

    def _mime(self, item: Item) -> Part:
        """Return the message's MIME, within a limit that follows from its size."""
        path = f"{self._client.mailbox}/messages/{item.id}/$value"
        most = item.size * 2 + _SLACK
        if most < _LARGE:
            return self._client.ask(path, accept="*/*", most=_LARGE)
        with self._one_large_at_a_time:
            return self._client.ask(path, accept="*/*", most=most)

    def _received(self, item: Item, answer: Future[Part]) -> Result:
        try:
            part = answer.result()
        except RetryLater as exc:
            return self._requests.failed(exc, item.id)
        if part.refusal is None:
            return self._with_content(item, part.body)
        if part.refusal.code.lower() in NOT_AS_MIME:
            return self._in_part(item, part)
        return self._requests.refused(part, item.id)

    def _with_content(self, item: Item, body: bytes) -> Result:
        try:
            return replace(item, content=_content(item, raw_content(body)))
        except RetryLater as exc:
            return ItemFailure(item.id, Reason.ITEM_UNREADABLE, exc.support)

    def _in_part(self, item: Item, part: Part) -> Result:
        """Return a message without MIME, with as much of it as is available, and marked."""
        try:
            content = rebuilt(self._client, item, self._largest)
        except FolderGone:
            return ItemFailure(item.id, Reason.ITEM_GONE, part.refusal.support if part.refusal else "")
        except RetryLater as exc:
            if exc.retry_after is not None:
                raise
            return self._requests.refused(part, item.id)
        lacking = self._requests.refused(part, item.id)
        return replace(item, content=content, lacking=lacking, metadata={**item.metadata, "original": False})


def _content(item: Item, mime: bytes) -> Content:
    """Return the content of a message as served; of other items, what they have in common with a message."""
    return Content("eml", mime) if item.kind is ItemKind.MESSAGE else as_json(item, None)


def as_json(item: Item, body: ItemBody | None) -> Content:
    """Return the content of an item without a format of its own, or of which only the body is wanted."""
    values: dict[str, object] = {"item_class": item.item_class, "subject": item.subject, **item.metadata}
    if body is not None:
        values["body"] = {"type": body.content_type.lower(), "text": body.content}
    return Content("json", json.dumps(values, ensure_ascii=False, indent=1).encode("utf-8", "replace"))
