"""Fetches items in batches: several in flight, each as large as the server can handle. A bad item harms no other one.

If a batch is too large for the server, or its response too large for us, it is requested again in parts. If a response
cannot be parsed, or is a fault that one item can cause, the batch is halved until the bad item is alone. When failures
are isolated, items of a batch that fails for any other reason are requested one by one. Every step makes batches
smaller, so all of this ends.
"""

import binascii
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace

from lxml import etree

from shared.errors import Reason, RetryLater
from shared.sources.ews.faults.rules import BatchTooLarge, ResponseUnreadable, item_reason
from shared.sources.ews.fetching import shapes
from shared.sources.ews.fetching.batch import BatchRequest, BatchResult, FetchedItem
from shared.sources.ews.fetching.batch_sizes import BatchSizes
from shared.sources.ews.fetching.get_item import MALFORMED, OVERSIZED, ItemGetter, item_messages
from shared.sources.ews.fetching.shapes import Shape
from shared.sources.ews.reading.content import Reading, read
from shared.sources.ews.transport.session import Channel, EwsLimits
from shared.sources.ews.transport.soap_request import Envelopes
from shared.sources.ews.transport.soap_response import M, response_problem
from shared.sources.fault_attribution import FaultAttribution
from shared.sources.model import ContentLevel, Folder, Item, ItemFailure, ItemKind

_ITEMS = f"{M}Items"


class Fetcher:
    """Fetches items of one mailbox; safe to use from several threads."""

    def __init__(
        self,
        channel: Channel,
        envelopes: Envelopes,
        limits: EwsLimits,
        largest_item_bytes: int,
        faults: FaultAttribution,
    ) -> None:
        self._getter = ItemGetter(channel, envelopes, limits)
        self._limits = limits
        self._largest = largest_item_bytes
        self._faults = faults
        self._sizes = BatchSizes()
        # Reentrant: a large item may turn out to be of another kind, and the same thread requests it once more.
        self._one_large_at_a_time = threading.RLock()

    def fetch(
        self, folder: Folder, ids: Sequence[str], level: ContentLevel, pool: Callable[[], Executor], in_flight: int
    ) -> Iterator[FetchedItem]:
        """Fetch the items, each once. At most `in_flight` batches are requested or waiting to be read."""
        batch_request = BatchRequest(folder.id, shapes.shape_of_folder(folder), level)
        if len(ids) <= self._sizes.at(level) or in_flight < 2:
            for batch in self._batches(ids, level):
                yield from self._batch(batch_request, batch)
            return
        # The pool's threads only wait for responses. They are read here, so that threads do not compete for the CPU.
        waiting: deque[tuple[Sequence[str], Future[bytes]]] = deque()
        try:
            for batch in self._batches(ids, level):
                request = pool().submit(self._getter.request, batch_request.item_shape, batch, self._limits.batch_bytes)
                waiting.append((batch, request))
                if len(waiting) >= in_flight:
                    first, response = waiting.popleft()
                    yield from self._batch(batch_request, first, response.result)
            while waiting:
                first, response = waiting.popleft()
                yield from self._batch(batch_request, first, response.result)
        finally:
            for _, future in waiting:
                future.cancel()

    def _batches(self, ids: Sequence[str], level: ContentLevel) -> Iterator[Sequence[str]]:
        """Split the ids into batches, sized by what this mailbox's responses have shown so far."""
        start = 0
        while start < len(ids):
            size = self._sizes.at(level)
            yield ids[start : start + size]
            start += size

    def _batch(
        self, batch_request: BatchRequest, ids: Sequence[str], answer: Callable[[], bytes] | None = None
    ) -> Iterator[FetchedItem]:
        """Fetch a batch with as many requests as it takes. `answer` returns the first response if it was requested.

        Each result is yielded as soon as it is known, so results stand even if a later request ends the pass.
        """
        try:
            batch_result = self._ask(batch_request, ids, self._limits.batch_bytes, answer)
        except ResponseUnreadable as exc:
            results = self._bisected(batch_request, ids, exc)
        except BatchTooLarge as exc:
            oversized = exc.support == OVERSIZED
            results = (
                self._by_size(batch_request, ids) if oversized else self._in_parts(batch_request, ids, len(ids), exc)
            )
        except RetryLater as exc:
            self._faults.raise_unless_item_fault(exc)
            results = self._one_by_one(batch_request, ids)
        else:
            results = self._resolve_batch(batch_result, len(ids))
        yield from results

    def _ask(
        self,
        batch_request: BatchRequest,
        ids: Sequence[str],
        answer_bytes: int,
        answer: Callable[[], bytes] | None = None,
    ) -> BatchResult:
        """Send one GetItem request and sort its items into fetched ones and those to request again."""
        reading = Reading(
            batch_request.folder_id,
            batch_request.level,
            self._largest,
            self._getter.occurrences,
            self._getter.attachments,
            batch_request.rebuilds,
        )
        batch_result = BatchResult(batch_request)
        response = answer() if answer else self._getter.request(batch_request.item_shape, ids, answer_bytes)
        for identifier, message in zip(ids, item_messages(response, len(ids)), strict=True):
            problem = response_problem(message)
            if problem is None:
                batch_result.add(identifier, _read(message, identifier, reading))
            else:
                batch_result.add_failure(identifier, problem)
        self._sizes.learn(batch_result.found, batch_request.level)
        return batch_result

    def _resolve_batch(self, batch_result: BatchResult, asked: int) -> Iterator[FetchedItem]:
        """Yield the items of one response and request the others again; `asked` is the number of requested items."""
        batch_request = batch_result.batch_request
        yield from batch_result.found
        if batch_result.not_as_mime:
            yield from self._rebuilt_locally(batch_request, batch_result.not_as_mime)
        if batch_result.without_names:
            yield from self._without_names(batch_request, batch_result.without_names)
        if batch_result.busy is not None:
            yield from self._in_parts(batch_request, batch_result.again, asked, batch_result.busy)
        for right_shape, others in batch_result.other.items():
            yield from self._batch(replace(batch_request, shape=right_shape, settled=True), others)

    def _rebuilt_locally(self, batch_request: BatchRequest, failures: Sequence[ItemFailure]) -> Iterator[FetchedItem]:
        """Write the files that the server cannot write as MIME. Mail is rebuilt from its parts."""
        if batch_request.level is not ContentLevel.MIME or not batch_request.shape.gives_mime:
            yield from failures
            return
        by_id = {failure.item_id: failure for failure in failures}
        for result in self._batch(replace(batch_request, level=ContentLevel.BODY, rebuilds=True), list(by_id)):
            if isinstance(result, Item) and result.kind is ItemKind.MESSAGE:
                result.lacking = by_id[result.id]
                result.metadata = {**result.metadata, "original": False}
            yield result

    def _without_names(self, batch_request: BatchRequest, ids: Sequence[str]) -> Iterator[FetchedItem]:
        """Request items that refuse a named property: first to learn their kind, then mail once more with its MIME."""
        level = ContentLevel.BODY if batch_request.level is ContentLevel.MIME else batch_request.level
        again: dict[Shape, list[str]] = {}
        for result in self._batch(replace(batch_request, shape=Shape.WHOLE, level=level, settled=True), ids):
            kind = result.kind if isinstance(result, Item) else None
            if kind is ItemKind.LIST or (kind is ItemKind.MESSAGE and level is not batch_request.level):
                shape = Shape.LIST if kind is ItemKind.LIST else Shape.WHOLE
                again.setdefault(shape, []).append(result.id if isinstance(result, Item) else "")
            else:
                yield result
        for shape, wanted in again.items():
            yield from self._batch(replace(batch_request, shape=shape, settled=True), wanted)

    def _in_parts(
        self, batch_request: BatchRequest, ids: Sequence[str], asked: int, busy: BatchTooLarge
    ) -> Iterator[FetchedItem]:
        """Ask again in parts half as large as what was too much; a single item that still is too much waits."""
        if asked < 2:
            yield self._fail_item(ids[0], busy)
            return
        self._sizes.reset_metadata()
        size = max(1, min(asked // 2, len(ids)))
        for start in range(0, len(ids), size):
            yield from self._batch(batch_request, ids[start : start + size])

    def _fail_item(self, identifier: str, busy: BatchTooLarge) -> ItemFailure:
        """Turn a single item into a failure if the server times out on it, or on any error when failures are isolated.

        Such an item would never succeed, and would stop the mailbox.

        Raises: `busy` if the item may succeed later; the server's error if it cannot even return the item's size.
        """
        if busy.reason is not Reason.TIMED_OUT:
            self._faults.raise_unless_item_fault(busy)
        self._sizes_of([identifier])
        return _unreadable(identifier, busy)

    def _bisected(
        self, batch_request: BatchRequest, ids: Sequence[str], exc: ResponseUnreadable
    ) -> Iterator[FetchedItem]:
        """Halve a batch to find the items that no response can be read for. Each is requested alone once more.

        If the server cannot even return the sizes of the items, the server is at fault. Only malformed XML for a single
        item is attributed to that item without this check.
        """
        if len(ids) > 1 or exc.support != MALFORMED:
            self._sizes_of(ids)
        if len(ids) == 1:
            yield self._alone(batch_request, ids[0])
            return
        middle = len(ids) // 2
        yield from self._batch(batch_request, ids[:middle])
        yield from self._batch(batch_request, ids[middle:])

    def _sizes_of(self, ids: Sequence[str]) -> list[tuple[str, int] | ItemFailure] | None:
        """The sizes of these items in bytes; None if failures are isolated and even this request fails.

        Raises: the server's error if it cannot even return this.
        """
        try:
            return self._getter.sizes(ids)
        except RetryLater as exc:
            self._faults.raise_unless_item_fault(exc)
            return None

    def _by_size(self, batch_request: BatchRequest, ids: Sequence[str]) -> Iterator[FetchedItem]:
        """Request sizes first. Oversized items come without content, large ones alone, the others in small batches."""
        sizes = self._sizes_of(ids)
        if sizes is None:
            yield from self._one_by_one(batch_request, ids)
            return
        batch: list[str] = []
        batch_bytes = 0
        for sized in sizes:
            if isinstance(sized, ItemFailure):
                yield sized
                continue
            identifier, size = sized
            if size > self._largest or batch_request.level is ContentLevel.METADATA:
                yield self._alone(replace(batch_request, level=ContentLevel.METADATA), identifier)
                continue
            expected = size * 2 + 4096
            if expected > self._limits.batch_bytes // 2:
                yield self._alone(batch_request, identifier, expected)
                continue
            if batch_bytes + expected > self._limits.batch_bytes // 2:
                yield from self._sized(batch_request, batch)
                batch, batch_bytes = [], 0
            batch.append(identifier)
            batch_bytes += expected
        yield from self._sized(batch_request, batch)

    def _sized(self, batch_request: BatchRequest, ids: Sequence[str]) -> Iterator[FetchedItem]:
        """Fetch items that should fit into one response by their sizes; one by one if they do not."""
        batch_result: BatchResult | None = None
        if len(ids) > 1:
            try:
                batch_result = self._ask(batch_request, ids, self._limits.answer_bytes)
            except (ResponseUnreadable, BatchTooLarge):
                pass
            except RetryLater as exc:
                self._faults.raise_unless_item_fault(exc)
        yield from (
            self._resolve_batch(batch_result, len(ids))
            if batch_result is not None
            else self._one_by_one(batch_request, ids)
        )

    def _one_by_one(self, batch_request: BatchRequest, ids: Sequence[str]) -> Iterator[FetchedItem]:
        for identifier in ids:
            yield self._alone(batch_request, identifier)

    def _alone(self, batch_request: BatchRequest, identifier: str, expected: int = 0) -> FetchedItem:
        """Fetch one item, which may be very large. Only one at a time, to limit memory."""
        with self._one_large_at_a_time:
            try:
                batch_result = self._ask(batch_request, [identifier], max(expected * 2, self._limits.answer_bytes))
            except ResponseUnreadable as exc:
                return _unreadable(identifier, exc)
            except BatchTooLarge as exc:
                if exc.support == OVERSIZED:
                    return ItemFailure(identifier, Reason.ITEM_TOO_LARGE, exc.support)
                return self._fail_item(identifier, exc)
            except RetryLater as exc:
                self._faults.raise_unless_item_fault(exc)
                return _unreadable(identifier, exc)
            (result,) = self._resolve_batch(batch_result, 1)
            return result


def _unreadable(identifier: str, exc: RetryLater) -> ItemFailure:
    """The failure of an item that the server returns no response for, or none that can be parsed."""
    return ItemFailure(identifier, item_reason(exc.support), exc.support)


def _read(message: etree._Element, identifier: str, reading: Reading) -> FetchedItem:
    """Read one item. An element that cannot be interpreted is a failure of that item only."""
    items = message[-1] if len(message) else message
    if items.tag != _ITEMS or not len(items):
        return ItemFailure(identifier, Reason.ITEM_UNREADABLE, "empty")
    try:
        return read(items[0], identifier, reading)
    except binascii.Error:
        return ItemFailure(identifier, Reason.ITEM_CORRUPT, "base64")
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as exc:
        return ItemFailure(identifier, Reason.ITEM_UNREADABLE, type(exc).__name__)
