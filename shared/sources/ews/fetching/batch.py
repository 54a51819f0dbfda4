"""What became of the items of one GetItem answer: had, failed, or to be asked once more in another way."""

from dataclasses import dataclass, field

from shared.errors import Reason
from shared.sources.ews.faults.rules import BatchTooLarge, rule_of_code
from shared.sources.ews.fetching import shapes
from shared.sources.ews.fetching.shapes import Shape
from shared.sources.ews.transport.soap_response import ResponseProblem
from shared.sources.port import ContentLevel, Item, ItemFailure, ItemKind

FetchedItem = Item | ItemFailure

_NOT_AS_MIME = {"ErrorContentConversionFailed", "ErrorMimeContentConversionFailed", "ErrorUnsupportedMimeConversion"}
"""Exchange cannot write the item as MIME; the last one it says of whatever is neither mail nor an event."""

_PROPERTY_REFUSED = {
    "ErrorInvalidPropertyForOperation",
    "ErrorInvalidPropertyRequest",
    "ErrorItemPropertyRequestFailed",
}
"""A property that was named does not suit the item: another shape, which names none, may."""


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """What is asked of every item of a batch."""

    folder_id: str
    shape: Shape
    level: ContentLevel
    rebuilds: bool = False
    """Mail is asked for with all that its file can be put together from, for the server has no MIME of it."""
    settled: bool = False
    """Asked in the shape of what the items were said to be: whatever they come as now, they are not asked once more."""

    @property
    def item_shape(self) -> str:
        """The ItemShape element of the request."""
        return self.shape.request(self.level, rebuilds=self.rebuilds)


@dataclass(slots=True)
class BatchResult:
    """The items of one answer: had, to be asked again in a smaller batch, or in another shape."""

    batch_request: BatchRequest
    found: list[FetchedItem] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    not_as_mime: list[ItemFailure] = field(default_factory=list)
    without_names: list[str] = field(default_factory=list)
    """To be asked without naming a property."""
    other: dict[Shape, list[str]] = field(default_factory=dict)
    busy: BatchTooLarge | None = None

    def add(self, identifier: str, result: FetchedItem) -> None:
        """An item that was read, unless it is of a kind of which more is asked, or lacks what was asked of it."""
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
        """Whether mail came without its MIME: what stands in its place would be taken for all of it."""
        wanted = self.batch_request.level is ContentLevel.MIME and item.kind is ItemKind.MESSAGE
        return wanted and item.content is not None and item.content.form != "eml"

    def add_failure(self, identifier: str, problem: ResponseProblem) -> None:
        """An item that the server would not give. Raises what a problem of the whole request leads to."""
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
