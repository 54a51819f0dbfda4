"""Fetches events in batches, since delta returns little more than ids; each series with its changed occurrences."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched, chain
from urllib.parse import quote

from shared.errors import Reason, RetryLater
from shared.formats.ics.calendar import event_calendar
from shared.formats.uids import UNIDENTIFIED
from shared.formats.values.common import Attachment
from shared.sources.graph.calendar.event_reading import (
    FULL,
    LONGEST_VIEW,
    OCCURRENCE,
    SERIES,
    EventReading,
    GraphEvent,
    Series,
    read_event,
)
from shared.sources.graph.calendar.events import event_item
from shared.sources.graph.calendar.typed_events import typed_event
from shared.sources.graph.items.attachments import AttachmentReading
from shared.sources.graph.items.item_requests import SENSELESS, ItemRequests, Result
from shared.sources.graph.kinds import Members
from shared.sources.graph.transport.answers import decoded
from shared.sources.graph.transport.batch import Ask
from shared.sources.graph.transport.client import GraphClient
from shared.sources.model import Content, ContentLevel, Folder, Item, ItemFailure
from shared.sources.port import FolderGone

_AT_ONCE = 40


@dataclass(frozen=True, slots=True)
class EventFetcher:
    """Fetches the events of one mailbox's calendars; items above `largest` bytes come without content."""

    client: GraphClient
    requests: ItemRequests
    largest: int

    def fetch(self, folder: Folder, ids: Sequence[str], level: ContentLevel) -> Iterator[Result]:
        """Fetch the events, each once. Every level except metadata includes the .ics file."""
        for part in batched(ids, _AT_ONCE, strict=False):
            for read in self._read(part):
                yield read if isinstance(read, ItemFailure) else self._item(read, folder, level)

    def occurrences(self, folder: Folder, start: datetime, end: datetime) -> Iterator[Item]:
        """Return the events between two times, with recurring ones expanded; metadata only."""
        given: set[tuple[str, str]] = set()
        while start < end:
            until = min(end, start + LONGEST_VIEW)
            for event in self._view(folder, start, until):
                item = event_item(read_event(event), folder.id)
                key = (item.id, str(item.at))
                if key not in given:
                    given.add(key)
                    yield item
            start = until

    def _view(self, folder: Folder, start: datetime, end: datetime) -> Iterator[GraphEvent]:
        between = f"startDateTime={_iso(start)}&endDateTime={_iso(end)}"
        path = f"{self.client.mailbox}/calendars/{folder.id}/calendarView{OCCURRENCE}&{between}"
        while path:
            page = decoded(Members[GraphEvent], self.client.get(path))
            yield from page.value
            path = self.client.relative(page.next_link) if page.next_link else ""

    def _read(self, ids: Sequence[str]) -> list[EventReading | ItemFailure]:
        """Return events with the data of their series."""
        asks = {each: Ask(f"{self.client.mailbox}/events/{each}{FULL}") for each in ids}
        events = {each: self.requests.decoded(GraphEvent, part, each) for each, part in self.requests.answers(asks)}
        masters = [each for each, event in events.items() if isinstance(event, GraphEvent) and event.is_series]
        asks = {each: Ask(f"{self.client.mailbox}/events/{each}{SERIES}") for each in masters}
        series = {each: self.requests.decoded(Series, part, each) for each, part in self.requests.answers(asks)}
        return [self._reading(event, series.get(each)) for each, event in events.items()]

    def _reading(
        self, event: GraphEvent | ItemFailure, series: Series | ItemFailure | None
    ) -> EventReading | ItemFailure:
        if isinstance(event, ItemFailure):
            return event
        if isinstance(series, ItemFailure):
            return series
        try:
            return read_event(event, series)
        except SENSELESS as exc:
            return ItemFailure(event.id, Reason.ITEM_UNREADABLE, type(exc).__name__)

    def _item(self, reading: EventReading, folder: Folder, level: ContentLevel) -> Result:
        identifier = reading.event.id
        try:
            item = event_item(reading, folder.id)
            if level is ContentLevel.METADATA or item.size > self.largest:
                return item
            files = AttachmentReading(self.client, self.largest)
            event = typed_event(reading, _attached(reading, files))
            return files.completed(item, Content("ics", event_calendar(event, UNIDENTIFIED)))
        except FolderGone as exc:
            return ItemFailure(identifier, Reason.ITEM_GONE, str(exc))
        except RetryLater as exc:
            return self.requests.failed(exc, identifier)
        except SENSELESS as exc:
            return ItemFailure(identifier, Reason.ITEM_UNREADABLE, type(exc).__name__)


def _attached(reading: EventReading, files: AttachmentReading) -> Mapping[str, tuple[Attachment, ...]]:
    """Fetch the attachments of an event and of its changed occurrences, by id."""
    events = [each.event for each in chain([reading], reading.exceptions)]
    return {each.id: files.of_event(each.id) for each in events if _may_have_attachments(each)}


def _may_have_attachments(event: GraphEvent) -> bool:
    """Whether an event may have attachments. Graph does not count inline pictures in `hasAttachments`."""
    return bool(event.has_attachments) or (event.body is not None and "cid:" in event.body.content)


def _iso(at: datetime) -> str:
    return quote(at.isoformat().replace("+00:00", "Z"), safe=":")
