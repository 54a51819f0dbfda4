"""Gets items in batches: several in flight, each as large as the server bears, one bad item never spoiling the others.

A batch that is too much for the server, or whose answer is too large for us, is asked again in parts; one whose answer
cannot be parsed, or is a fault that one item can cause, is halved until the bad item stands alone. When passes are
stuck, what fails for any other reason is asked for one by one. Every step makes batches smaller, so all of this ends.
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
from shared.sources.ews.fetching.get_item import MALFORMED, OVERSIZED, ItemGetter
from shared.sources.ews.fetching.shapes import Shape
from shared.sources.ews.reading.content import Reading, read
from shared.sources.ews.transport.session import Channel, RequestLimits
from shared.sources.ews.transport.soap_request import Envelopes
from shared.sources.ews.transport.soap_response import M, response_problem
from shared.sources.fault_attribution import FaultAttribution
from shared.sources.port import ContentLevel, Folder, Item, ItemFailure, ItemKind

METADATA_BATCH = 50
_METADATA_BATCH_MOST = 100
_MIME_BATCH = 16
_MIME_BATCH_MOST = 50
_MIME_TARGET = 1 << 20
"""About so many bytes of MIME one answer should carry: few requests, little memory."""

_ITEMS = f"{M}Items"


class Fetcher:
    """Fetches items of one mailbox. Used from several threads."""

    def __init__(
        self,
        channel: Channel,
        envelopes: Envelopes,
        limits: RequestLimits,
        largest_item_bytes: int,
        faults: FaultAttribution,
    ) -> None:
        self._getter = ItemGetter(channel, envelopes, limits)
        self._limits = limits
        self._largest = largest_item_bytes
        self._faults = faults
        self._metadata_batch = METADATA_BATCH
        self._mime_batch = _MIME_BATCH
        # Held again by the same thread when a large item turns out to be of another kind and is asked once more.
        self._one_large_at_a_time = threading.RLock()

    def fetch(
        self, folder: Folder, ids: Sequence[str], level: ContentLevel, pool: Callable[[], Executor], in_flight: int
    ) -> Iterator[FetchedItem]:
        """The items, each once; at most `in_flight` batches are under way or waiting to be taken."""
        batch_request = BatchRequest(folder.id, shapes.shape_of_folder(folder), level)
        if len(ids) <= self._batch_size(level) or in_flight < 2:
            for batch in self._batches(ids, level):
                yield from self._batch(batch_request, batch)
            return
        waiting: deque[tuple[Sequence[str], Future[bytes]]] = deque()
        try:
            for batch in self._batches(ids, level):
                request = pool().submit(self._getter.request, batch_request.item_shape, batch, self._limits.batch_bytes)
                waiting.append((batch, request))
                if len(waiting) >= in_flight:
                    yield from self._received(batch_request, *waiting.popleft())
            while waiting:
                yield from self._received(batch_request, *waiting.popleft())
        finally:
            for _, future in waiting:
                future.cancel()

    def _received(
        self, batch_request: BatchRequest, ids: Sequence[str], answer: Future[bytes]
    ) -> Iterator[FetchedItem]:
        """A batch whose answer has come. It is read here and not in the pool: threads that only wait disturb nobody."""
        return self._batch(batch_request, ids, answer.result)

    def _batches(self, ids: Sequence[str], level: ContentLevel) -> Iterator[Sequence[str]]:
        """Parts of the ids, as large as experience with this mailbox's messages suggests."""
        start = 0
        while start < len(ids):
            size = self._batch_size(level)
            yield ids[start : start + size]
            start += size

    def _batch_size(self, level: ContentLevel) -> int:
        return self._metadata_batch if level is ContentLevel.METADATA else self._mime_batch

    def _batch(
        self, batch_request: BatchRequest, ids: Sequence[str], answer: Callable[[], bytes] | None = None
    ) -> Iterator[FetchedItem]:
        """The items of a batch, whatever it takes; `answer` gives the answer to its request if it was sent already.

        Each is given as soon as it is known: what has been found out stands even if the rest cannot be asked any more.
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
        """One GetItem: the items that it gives, and what it leaves open."""
        reading = Reading(
            batch_request.folder_id,
            batch_request.level,
            self._largest,
            self._getter.occurrences,
            self._getter.attachments,
            batch_request.rebuilds,
        )
        batch_result = BatchResult(batch_request)
        messages_of = self._getter.elements(batch_request.item_shape, ids, answer_bytes, answer)
        for identifier, message in zip(ids, messages_of, strict=True):
            problem = response_problem(message)
            if problem is None:
                batch_result.add(identifier, self._read(message, identifier, reading))
            else:
                batch_result.add_failure(identifier, problem)
        self._learn(batch_result.found, batch_request.level)
        return batch_result

    def _resolve_batch(self, batch_result: BatchResult, asked: int) -> Iterator[FetchedItem]:
        """The items of one answer, and what it left open asked again; `asked` is how many it was asked for."""
        batch_request = batch_result.batch_request
        yield from batch_result.found
        if batch_result.not_as_mime:
            yield from self._in_our_form(batch_request, batch_result.not_as_mime)
        if batch_result.without_names:
            yield from self._without_names(batch_request, batch_result.without_names)
        if batch_result.busy is not None:
            yield from self._in_parts(batch_request, batch_result.again, asked, batch_result.busy)
        for right_shape, others in batch_result.other.items():
            yield from self._batch(replace(batch_request, shape=right_shape, settled=True), others)

    def _in_our_form(self, batch_request: BatchRequest, failures: Sequence[ItemFailure]) -> Iterator[FetchedItem]:
        """What the server cannot write as MIME, written by us. Mail is put together from its parts."""
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
        """Items that refuse a property by its name: first to learn their kind, mail then once more with its MIME."""
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

    def _read(self, message: etree._Element, identifier: str, reading: Reading) -> FetchedItem:
        """One item; what cannot be made sense of is that item's failure alone."""
        items = message[-1] if len(message) else message
        if items.tag != _ITEMS or not len(items):
            return ItemFailure(identifier, Reason.ITEM_UNREADABLE, "empty")
        try:
            return read(items[0], identifier, reading)
        except binascii.Error:
            return ItemFailure(identifier, Reason.ITEM_CORRUPT, "base64")
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as exc:
            return ItemFailure(identifier, Reason.ITEM_UNREADABLE, type(exc).__name__)

    def _learn(self, found: Sequence[FetchedItem], level: ContentLevel) -> None:
        """Ask for twice as many metadata while all goes well; let contents come by about a megabyte."""
        if level is ContentLevel.METADATA:
            if len(found) >= self._metadata_batch:
                self._metadata_batch = min(_METADATA_BATCH_MOST, self._metadata_batch * 2)
            return
        sizes = [len(item.content.data) for item in found if isinstance(item, Item) and item.content]
        if len(sizes) >= 4:
            average = max(1, sum(sizes) // len(sizes))
            self._mime_batch = min(_MIME_BATCH_MOST, max(4, _MIME_TARGET // average))

    def _in_parts(
        self, batch_request: BatchRequest, ids: Sequence[str], asked: int, busy: BatchTooLarge
    ) -> Iterator[FetchedItem]:
        """Ask again in parts half as large as what was too much; a single item that still is too much waits."""
        if asked < 2:
            yield self._give_up(ids[0], busy)
            return
        self._metadata_batch = METADATA_BATCH
        size = max(1, min(asked // 2, len(ids)))
        for start in range(0, len(ids), size):
            yield from self._batch(batch_request, ids[start : start + size])

    def _give_up(self, identifier: str, busy: BatchTooLarge) -> ItemFailure:
        """A single item that the server gives up on in time: it would never come to pass. So is any when we are stuck.

        Raises: `busy`, when the item may come to pass; what a server is at fault with that cannot even tell its size.
        """
        if busy.reason is not Reason.TIMED_OUT:
            self._faults.raise_unless_item_fault(busy)
        self._sizes([identifier])
        return _unreadable(identifier, busy)

    def _bisected(
        self, batch_request: BatchRequest, ids: Sequence[str], exc: ResponseUnreadable
    ) -> Iterator[FetchedItem]:
        """Find the items that no answer can be had about; each is asked for once more, for a fault may have passed.

        A server that cannot say how large they are is at fault itself. Only nonsense about a single item is believed to
        be that item's.
        """
        if len(ids) > 1 or exc.support != MALFORMED:
            self._sizes(ids)
        if len(ids) == 1:
            yield self._alone(batch_request, ids[0])
            return
        middle = len(ids) // 2
        yield from self._batch(batch_request, ids[:middle])
        yield from self._batch(batch_request, ids[middle:])

    def _sizes(self, ids: Sequence[str]) -> list[tuple[str, int] | ItemFailure] | None:
        """How large these items are; None when we are stuck and even that cannot be had of them.

        Raises: what a server is at fault with that cannot even say this.
        """
        try:
            return self._getter.sizes(ids)
        except RetryLater as exc:
            self._faults.raise_unless_item_fault(exc)
            return None

    def _by_size(self, batch_request: BatchRequest, ids: Sequence[str]) -> Iterator[FetchedItem]:
        """Look at sizes first: too large ones come without content, the rest in batches that fit, giants one by one."""
        sizes = self._sizes(ids)
        if sizes is None:
            yield from self._one_by_one(batch_request, ids)
            return
        batch: list[str] = []
        room = 0
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
            if room + expected > self._limits.batch_bytes // 2:
                yield from self._sized(batch_request, batch)
                batch, room = [], 0
            batch.append(identifier)
            room += expected
        yield from self._sized(batch_request, batch)

    def _sized(self, batch_request: BatchRequest, ids: Sequence[str]) -> Iterator[FetchedItem]:
        """Items that fit into one answer by what they say of their sizes; one by one if they do not after all."""
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
        """One item, perhaps a giant; one at a time for the sake of memory."""
        with self._one_large_at_a_time:
            try:
                batch_result = self._ask(batch_request, [identifier], max(expected * 2, self._limits.answer_bytes))
            except ResponseUnreadable as exc:
                return _unreadable(identifier, exc)
            except BatchTooLarge as exc:
                if exc.support == OVERSIZED:
                    return ItemFailure(identifier, Reason.ITEM_TOO_LARGE, exc.support)
                return self._give_up(identifier, exc)
            except RetryLater as exc:
                self._faults.raise_unless_item_fault(exc)
                return _unreadable(identifier, exc)
            (result,) = self._resolve_batch(batch_result, 1)
            return result


def _unreadable(identifier: str, exc: RetryLater) -> ItemFailure:
    """An item about which the server cannot answer, or not so that it could be read."""
    return ItemFailure(identifier, item_reason(exc.support), exc.support)
