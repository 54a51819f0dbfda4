"""Sorts the items of one GetItem response: fetched, failed, or to be requested again in another way."""

from dataclasses import dataclass, field

from shared.errors import Reason
from shared.sources.ews.faults.rules import BatchTooLarge, rule_of_code
from shared.sources.ews.fetching import shapes
from shared.sources.ews.fetching.shapes import Shape
from shared.sources.ews.transport.soap_response import ResponseProblem
from shared.sources.model import ContentLevel, Item, ItemFailure, ItemKind

FetchedItem = Item | ItemFailure

_NOT_AS_MIME = {"ErrorContentConversionFailed", "ErrorMimeContentConversionFailed", "ErrorUnsupportedMimeConversion"}
"""Codes that say Exchange cannot write the item as MIME; the last is for all that is neither mail nor an event."""

_PROPERTY_REFUSED = {
    "ErrorInvalidPropertyForOperation",
    "ErrorInvalidPropertyRequest",
    "ErrorItemPropertyRequestFailed",
}
"""Codes that say a named property does not suit the item; a shape that names no property may work."""


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """What is requested of every item of a batch."""

    folder_id: str
    shape: Shape
    level: ContentLevel
    rebuilds: bool = False
    """Whether mail is requested with all parts to rebuild its file from, since the server has no MIME for it."""
    settled: bool = False
    """Whether the shape was chosen by the items' actual kind, so that no other shape is tried after it."""

    @property
    def item_shape(self) -> str:
        """The request's ItemShape element."""
        return self.shape.request(self.level, rebuilds=self.rebuilds)


@dataclass(slots=True)
class BatchResult:
    """The items of one response: those fetched, and those to request again in a smaller batch or another shape."""

    batch_request: BatchRequest
    found: list[FetchedItem] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    not_as_mime: list[ItemFailure] = field(default_factory=list)
    without_names: list[str] = field(default_factory=list)
    """Ids to request again in a shape that names no property."""
    other: dict[Shape, list[str]] = field(default_factory=dict)
    busy: BatchTooLarge | None = None

    def add(self, identifier: str, result: FetchedItem) -> None:
        """Add an item: as found, or for another request if its kind needs another shape or its MIME is missing."""
        if (
            isinstance(result, Item)
            and not self.batch_request.settled
            and not self.batch_request.shape.fits(result.kind)
        ):
            self.other.setdefault(shapes.shape_of_kind(result.kind), []).append(identifier)
        elif isinstance(result, Item) and self._lacks_mime(result):
            self.not_as_mime.append(ItemFailure(identifier, Reason.ITEM_UNREADABLE, "no_mime"))
        else:
            self.found.append(result)

    def _lacks_mime(self, item: Item) -> bool:
        """Whether mail came without its MIME. What came instead would be mistaken for the complete message."""
        wanted = self.batch_request.level is ContentLevel.MIME and item.kind is ItemKind.MESSAGE
        return wanted and item.content is not None and item.content.form != "eml"

    def add_failure(self, identifier: str, problem: ResponseProblem) -> None:
        """Add an item that the server did not return. Raises the error if the problem concerns the whole request."""
        is_last_shape = self.batch_request.shape is Shape.WHOLE or (
            self.batch_request.shape is Shape.LIST and self.batch_request.settled
        )
        if problem.code in _PROPERTY_REFUSED and not is_last_shape:
            self.without_names.append(identifier)
            return
        rule = rule_of_code(problem.code)
        if rule.of_item is not None:
            failed = self.not_as_mime if problem.code in _NOT_AS_MIME else self.found
            failed.append(ItemFailure(identifier, rule.of_item, problem.code))
            return
        error = problem.error()
        if not isinstance(error, BatchTooLarge):
            raise error
        self.again.append(identifier)
        self.busy = error
