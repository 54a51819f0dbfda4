"""Sends GetItem requests: for items in one shape, for item sizes, and for the changed occurrences of a series."""

from collections.abc import Sequence
from itertools import batched

from lxml import etree

from shared.sources.ews.faults.rules import BatchTooLarge, Fault, ResponseUnreadable, error_of_fault, rule_of_code
from shared.sources.ews.fetching import shapes
from shared.sources.ews.fetching.shapes import Shape
from shared.sources.ews.reading.attachments import AttachmentReader
from shared.sources.ews.transport.session import Channel, EwsLimits
from shared.sources.ews.transport.soap_request import Envelopes, get_item
from shared.sources.ews.transport.soap_response import M, T, parse, parse_count, response_messages, response_problem
from shared.sources.model import ContentLevel, ItemFailure

MALFORMED = Fault.MALFORMED.name.lower()
OVERSIZED = Fault.OVERSIZED.name.lower()

_OCCURRENCES_AT_ONCE = 50


class ItemGetter:
    """Requests items of one mailbox; safe to use from several threads."""

    def __init__(self, channel: Channel, envelopes: Envelopes, limits: EwsLimits) -> None:
        self._channel = channel
        self._envelopes = envelopes
        self._limits = limits
        self.attachments = AttachmentReader(channel, envelopes, limits).read

    def request(self, shape: str, ids: Sequence[str], answer_bytes: int) -> bytes:
        """Send the request and return the raw response, of at most `answer_bytes` bytes."""
        return self._channel.ask(self._envelopes.wrap(get_item(shape, ids)), answer_bytes)

    def sizes(self, ids: Sequence[str]) -> list[tuple[str, int] | ItemFailure]:
        """The sizes of items in bytes. Raises the error if a problem concerns more than one item."""
        sizes: list[tuple[str, int] | ItemFailure] = []
        response = self.request(shapes.SIZES, ids, self._limits.answer_bytes)
        for identifier, message in zip(ids, item_messages(response, len(ids)), strict=True):
            problem = response_problem(message)
            text = message.findtext(f"{M}Items/*/{T}Size") or "0"
            if problem is None:
                sizes.append((identifier, parse_count(text) or 0))
                continue
            reason = rule_of_code(problem.code).of_item
            if reason is None:
                raise problem.error()
            sizes.append(ItemFailure(identifier, reason, problem.code))
        return sizes

    def occurrences(self, ids: Sequence[str]) -> dict[str, etree._Element]:
        """The changed occurrences of a series, by id, for its .ics file. An occurrence that cannot be read is left out.

        Raises: temporary errors. Otherwise a series without its changed occurrences would count as complete.
        """
        found: dict[str, etree._Element] = {}
        for part in batched(ids, _OCCURRENCES_AT_ONCE, strict=False):
            found |= self._occurrences(part)
        return found

    def _occurrences(self, ids: Sequence[str]) -> dict[str, etree._Element]:
        shape = Shape.EVENT.request(ContentLevel.BODY)
        try:
            answered = item_messages(self.request(shape, ids, self._limits.batch_bytes), len(ids))
        except (ResponseUnreadable, BatchTooLarge) as exc:
            return self._occurrences_in_parts(ids, len(ids), exc)
        found: dict[str, etree._Element] = {}
        again: list[str] = []
        busy: BatchTooLarge | None = None
        for identifier, message in zip(ids, answered, strict=True):
            problem = response_problem(message)
            element = message.find(f"{M}Items/{T}CalendarItem")
            if problem is None and element is not None:
                found[identifier] = element
            elif problem is not None and rule_of_code(problem.code).of_item is None:
                error = problem.error()
                if not isinstance(error, BatchTooLarge):
                    raise error
                again.append(identifier)
                busy = error
        if busy is not None:
            found |= self._occurrences_in_parts(again, len(ids), busy)
        return found

    def _occurrences_in_parts(
        self, ids: Sequence[str], asked: int, exc: ResponseUnreadable | BatchTooLarge
    ) -> dict[str, etree._Element]:
        """Request half as many at once. A single occurrence is left out if it alone causes the failure."""
        if asked > 1:
            found: dict[str, etree._Element] = {}
            for part in batched(ids, max(1, asked // 2), strict=False):
                found |= self._occurrences(part)
            return found
        if isinstance(exc, ResponseUnreadable):
            self.sizes(ids)
        elif exc.support != OVERSIZED:
            raise exc
        return {}


def item_messages(response: bytes, asked: int) -> list[etree._Element]:
    """Parse a response of GetItem: one message for each of the `asked` items, in the order of the request."""
    found = list(response_messages(parse(response), "GetItem"))
    if len(found) != asked:
        raise error_of_fault(Fault.UNEXPECTED)
    return found
