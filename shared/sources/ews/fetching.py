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
from shared.sources.ews import shapes
from shared.sources.ews.answer import M, problem_of
from shared.sources.ews.asking import MALFORMED, OVERSIZED, Asking
from shared.sources.ews.content import Reading, read
from shared.sources.ews.doubt import Doubt
from shared.sources.ews.envelope import Envelopes
from shared.sources.ews.errors import TooMuchAtOnce, Unreadable, of_item
from shared.sources.ews.session import Channel, Limits
from shared.sources.ews.shapes import Shape
from shared.sources.ews.sorting import Order, Result, Sorting
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
        self, channel: Channel, envelopes: Envelopes, limits: Limits, largest_item_bytes: int, doubt: Doubt
    ) -> None:
        self._asking = Asking(channel, envelopes, limits)
        self._limits = limits
        self._largest = largest_item_bytes
        self._doubt = doubt
        self._metadata_batch = METADATA_BATCH
        self._mime_batch = _MIME_BATCH
        # Held again by the same thread when a large item turns out to be of another kind and is asked once more.
        self._one_large_at_a_time = threading.RLock()

    def fetch(
        self, folder: Folder, ids: Sequence[str], level: ContentLevel, pool: Callable[[], Executor], in_flight: int
    ) -> Iterator[Result]:
        """The items, each once; at most `in_flight` batches are under way or waiting to be taken."""
        order = Order(folder.id, shapes.of_folder(folder), level)
        if len(ids) <= self._batch_size(level) or in_flight < 2:
            for batch in self._batches(ids, level):
                yield from self._batch(order, batch)
            return
        waiting: deque[tuple[Sequence[str], Future[bytes]]] = deque()
        try:
            for batch in self._batches(ids, level):
                request = order.shape.request(order.level)
                waiting.append((batch, pool().submit(self._asking.request, request, batch, self._limits.batch_bytes)))
                if len(waiting) >= in_flight:
                    yield from self._received(order, *waiting.popleft())
            while waiting:
                yield from self._received(order, *waiting.popleft())
        finally:
            for _, future in waiting:
                future.cancel()

    def _received(self, order: Order, ids: Sequence[str], answer: Future[bytes]) -> Iterator[Result]:
        """A batch whose answer has come. It is read here and not in the pool: threads that only wait disturb nobody."""
        return self._batch(order, ids, answer.result)

    def _batches(self, ids: Sequence[str], level: ContentLevel) -> Iterator[Sequence[str]]:
        """Parts of the ids, as large as experience with this mailbox's messages suggests."""
        start = 0
        while start < len(ids):
            size = self._batch_size(level)
            yield ids[start : start + size]
            start += size

    def _batch_size(self, level: ContentLevel) -> int:
        return self._metadata_batch if level is ContentLevel.METADATA else self._mime_batch

    def _batch(self, order: Order, ids: Sequence[str], answer: Callable[[], bytes] | None = None) -> Iterator[Result]:
        """The items of a batch, whatever it takes; `answer` gives the answer to its request if it was sent already.

        Each is given as soon as it is known: what has been found out stands even if the rest cannot be asked any more.
        """
        try:
            sorting = self._ask(order, ids, self._limits.batch_bytes, answer)
        except Unreadable as exc:
            results = self._bisected(order, ids, exc)
        except TooMuchAtOnce as exc:
            oversized = exc.support == OVERSIZED
            results = self._by_size(order, ids) if oversized else self._in_parts(order, ids, len(ids), exc)
        except RetryLater as exc:
            self._doubt.blame(exc)
            results = self._one_by_one(order, ids)
        else:
            results = self._sorted(sorting, len(ids))
        yield from results

    def _ask(
        self, order: Order, ids: Sequence[str], answer_bytes: int, answer: Callable[[], bytes] | None = None
    ) -> Sorting:
        """One GetItem: the items that it gives, and what it leaves open."""
        reading = Reading(
            order.folder_id, order.level, self._largest, self._asking.occurrences, self._asking.attachments
        )
        sorting = Sorting(order)
        messages_of = self._asking.elements(order.shape.request(order.level), ids, answer_bytes, answer)
        for identifier, message in zip(ids, messages_of, strict=True):
            problem = problem_of(message)
            if problem is None:
                sorting.take(identifier, self._read(message, identifier, reading))
            else:
                sorting.refuse(identifier, problem)
        self._learn(sorting.found, order.level)
        return sorting

    def _sorted(self, sorting: Sorting, asked: int) -> Iterator[Result]:
        """The items of one answer, and what it left open asked again; `asked` is how many it was asked for."""
        order = sorting.order
        yield from sorting.found
        if sorting.not_as_mime:
            yield from self._in_our_form(order, sorting.not_as_mime)
        if sorting.without_names:
            yield from self._without_names(order, sorting.without_names)
        if sorting.busy is not None:
            yield from self._in_parts(order, sorting.again, asked, sorting.busy)
        for right_shape, others in sorting.other.items():
            yield from self._batch(replace(order, shape=right_shape, settled=True), others)

    def _in_our_form(self, order: Order, failures: Sequence[ItemFailure]) -> Iterator[Result]:
        """What the server cannot write as MIME, written by us. Mail has no other form and comes in part."""
        if order.level is not ContentLevel.MIME or not order.shape.gives_mime:
            yield from failures
            return
        by_id = {failure.item_id: failure for failure in failures}
        for result in self._batch(replace(order, level=ContentLevel.BODY), list(by_id)):
            if isinstance(result, Item) and result.kind is ItemKind.MESSAGE:
                result.lacking = by_id[result.id]
                result.metadata = {**result.metadata, "original": False}
            yield result

    def _without_names(self, order: Order, ids: Sequence[str]) -> Iterator[Result]:
        """Items that refuse a property by its name: first to learn their kind, mail then once more with its MIME."""
        level = ContentLevel.BODY if order.level is ContentLevel.MIME else order.level
        again: dict[Shape, list[str]] = {}
        for result in self._batch(replace(order, shape=Shape.WHOLE, level=level, settled=True), ids):
            kind = result.kind if isinstance(result, Item) else None
            if kind is ItemKind.LIST or (kind is ItemKind.MESSAGE and level is not order.level):
                shape = Shape.LIST if kind is ItemKind.LIST else Shape.WHOLE
                again.setdefault(shape, []).append(result.id if isinstance(result, Item) else "")
            else:
                yield result
        for shape, wanted in again.items():
            yield from self._batch(replace(order, shape=shape, settled=True), wanted)

    def _read(self, message: etree._Element, identifier: str, reading: Reading) -> Result:
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

    def _learn(self, found: Sequence[Result], level: ContentLevel) -> None:
        """Ask for twice as many metadata while all goes well; let contents come by about a megabyte."""
        if level is ContentLevel.METADATA:
            if len(found) >= self._metadata_batch:
                self._metadata_batch = min(_METADATA_BATCH_MOST, self._metadata_batch * 2)
            return
        sizes = [len(item.content.data) for item in found if isinstance(item, Item) and item.content]
        if len(sizes) >= 4:
            average = max(1, sum(sizes) // len(sizes))
            self._mime_batch = min(_MIME_BATCH_MOST, max(4, _MIME_TARGET // average))

    def _in_parts(self, order: Order, ids: Sequence[str], asked: int, busy: TooMuchAtOnce) -> Iterator[Result]:
        """Ask again in parts half as large as what was too much; a single item that still is too much waits."""
        if asked < 2:
            yield self._given_up(ids[0], busy)
            return
        self._metadata_batch = METADATA_BATCH
        size = max(1, min(asked // 2, len(ids)))
        for start in range(0, len(ids), size):
            yield from self._batch(order, ids[start : start + size])

    def _given_up(self, identifier: str, busy: TooMuchAtOnce) -> ItemFailure:
        """A single item that the server gives up on in time: it would never come to pass. So is any when we are stuck.

        Raises: `busy`, when the item may come to pass; what a server is at fault with that cannot even tell its size.
        """
        if busy.reason is not Reason.TIMED_OUT:
            self._doubt.blame(busy)
        self._sizes([identifier])
        return _unreadable(identifier, busy)

    def _bisected(self, order: Order, ids: Sequence[str], exc: Unreadable) -> Iterator[Result]:
        """Find the items that no answer can be had about; each is asked for once more, for a fault may have passed.

        A server that cannot say how large they are is at fault itself. Only nonsense about a single item is believed to
        be that item's.
        """
        if len(ids) > 1 or exc.support != MALFORMED:
            self._sizes(ids)
        if len(ids) == 1:
            yield self._alone(order, ids[0])
            return
        middle = len(ids) // 2
        yield from self._batch(order, ids[:middle])
        yield from self._batch(order, ids[middle:])

    def _sizes(self, ids: Sequence[str]) -> list[tuple[str, int] | ItemFailure] | None:
        """How large these items are; None when we are stuck and even that cannot be had of them.

        Raises: what a server is at fault with that cannot even say this.
        """
        try:
            return self._asking.sizes(ids)
        except RetryLater as exc:
            self._doubt.blame(exc)
            return None

    def _by_size(self, order: Order, ids: Sequence[str]) -> Iterator[Result]:
        """Look at sizes first: too large ones come without content, the rest in batches that fit, giants one by one."""
        sizes = self._sizes(ids)
        if sizes is None:
            yield from self._one_by_one(order, ids)
            return
        batch: list[str] = []
        room = 0
        for sized in sizes:
            if isinstance(sized, ItemFailure):
                yield sized
                continue
            identifier, size = sized
            if size > self._largest or order.level is ContentLevel.METADATA:
                yield self._alone(replace(order, level=ContentLevel.METADATA), identifier)
                continue
            expected = size * 2 + 4096
            if expected > self._limits.batch_bytes // 2:
                yield self._alone(order, identifier, expected)
                continue
            if room + expected > self._limits.batch_bytes // 2:
                yield from self._sized(order, batch)
                batch, room = [], 0
            batch.append(identifier)
            room += expected
        yield from self._sized(order, batch)

    def _sized(self, order: Order, ids: Sequence[str]) -> Iterator[Result]:
        """Items that fit into one answer by what they say of their sizes; one by one if they do not after all."""
        sorting: Sorting | None = None
        if len(ids) > 1:
            try:
                sorting = self._ask(order, ids, self._limits.answer_bytes)
            except (Unreadable, TooMuchAtOnce):
                pass
            except RetryLater as exc:
                self._doubt.blame(exc)
        yield from self._sorted(sorting, len(ids)) if sorting is not None else self._one_by_one(order, ids)

    def _one_by_one(self, order: Order, ids: Sequence[str]) -> Iterator[Result]:
        for identifier in ids:
            yield self._alone(order, identifier)

    def _alone(self, order: Order, identifier: str, expected: int = 0) -> Result:
        """One item, perhaps a giant; one at a time for the sake of memory."""
        with self._one_large_at_a_time:
            try:
                sorting = self._ask(order, [identifier], max(expected * 2, self._limits.answer_bytes))
            except Unreadable as exc:
                return _unreadable(identifier, exc)
            except TooMuchAtOnce as exc:
                if exc.support == OVERSIZED:
                    return ItemFailure(identifier, Reason.ITEM_TOO_LARGE, exc.support)
                return self._given_up(identifier, exc)
            except RetryLater as exc:
                self._doubt.blame(exc)
                return _unreadable(identifier, exc)
            (result,) = self._sorted(sorting, 1)
            return result


def _unreadable(identifier: str, exc: RetryLater) -> ItemFailure:
    """An item about which the server cannot answer, or not so that it could be read."""
    return ItemFailure(identifier, of_item(exc.support), exc.support)
