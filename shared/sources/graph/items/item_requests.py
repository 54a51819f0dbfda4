"""Requests single items, in batches or alone, so that one bad item never stops the others."""

from collections.abc import Iterator, Mapping

from shared.errors import Reason, RetryLater
from shared.sources.fault_attribution import FaultAttribution
from shared.sources.graph.faults.errors import of_item
from shared.sources.graph.transport.answers import decoded
from shared.sources.graph.transport.batch import Ask, Batches
from shared.sources.graph.transport.client import GraphClient, Part
from shared.sources.https_pool import TransportFault
from shared.sources.model import Item, ItemFailure

Result = Item | ItemFailure

SENSELESS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
"""The errors of decoding a malformed item."""


class ItemRequests:
    """Requests items of one mailbox. Safe to use from several threads."""

    def __init__(self, client: GraphClient, batches: Batches, faults: FaultAttribution) -> None:
        self._client = client
        self._batches = batches
        self._faults = faults

    def answers(self, asks: Mapping[str, Ask]) -> Iterator[tuple[str, Part | ItemFailure]]:
        """Return the result for each item. A failed batch is requested one by one if a single item may be the cause."""
        try:
            yield from zip(asks, self._batches.ask(list(asks.values())), strict=True)
        except RetryLater as exc:
            self._faults.raise_unless_item_fault(exc)
            for identifier, ask in asks.items():
                yield identifier, self._alone(identifier, ask)

    def _alone(self, identifier: str, ask: Ask) -> Part | ItemFailure:
        try:
            return self._batches.ask([ask])[0]
        except RetryLater as exc:
            return self.failed(exc, identifier)

    def refused(self, answer: Part, identifier: str) -> ItemFailure:
        """Return the failure of an item that the service refuses. Raises an error that concerns more than this item."""
        refusal = answer.refusal
        error = answer.error()
        if refusal is None or error is None:
            raise AssertionError("not refused")
        reason = refusal.of_item()
        if reason is None:
            if not isinstance(error, RetryLater):
                raise error
            self._faults.raise_unless_item_fault(error)
            return ItemFailure(identifier, Reason.ITEM_UNREADABLE, refusal.support)
        if refusal.rule.reason is Reason.UNAVAILABLE:
            # If the mailbox cannot be read at all, every item is refused.
            self._client.get(f"{self._client.mailbox}/mailFolders/inbox?$select=id")
        return ItemFailure(identifier, reason, refusal.support)

    def decoded[T](self, kind: type[T], part: Part | ItemFailure, identifier: str) -> T | ItemFailure:
        """Decode an item's response. Raises an error that concerns more than this item."""
        if isinstance(part, ItemFailure):
            return part
        if part.refusal is not None:
            return self.refused(part, identifier)
        try:
            return decoded(kind, part.body)
        except RetryLater as exc:
            return ItemFailure(identifier, Reason.ITEM_UNREADABLE, exc.support)

    def failed(self, error: RetryLater, identifier: str) -> ItemFailure:
        """Return the failure of an item whose request failed. Raises the error if it may be an outage."""
        if error.support != OVERSIZED:
            self._faults.raise_unless_item_fault(error)
        return ItemFailure(identifier, of_item(error.support), error.support)


OVERSIZED = TransportFault.OVERSIZED.name.lower()
