"""Wraps a Graph mailbox so that its ids are spelled as EWS spells them.

Ids cross the port of the mail sources in one spelling, so that a mailbox that moves from one source to the other keeps
its folder and item ids, its cursor's map and its item keys.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from shared.sources.graph.ids import ews_id, graph_id
from shared.sources.graph.mailbox import GraphMailbox
from shared.sources.model import (
    NO_ITEMS,
    ChangePage,
    ContentLevel,
    Folder,
    Item,
    ItemFailure,
    ItemRef,
    RequestFigures,
    SourceName,
)


class EwsSpelledMailbox:
    """Fulfills MailSource over a GraphMailbox, whose own ids are Graph's."""

    def __init__(self, mailbox: GraphMailbox) -> None:
        self._mailbox = mailbox

    @property
    def figures(self) -> RequestFigures:
        """The requests and bytes so far."""
        return self._mailbox.figures

    def prefetch(self, stored: Mapping[str, str]) -> None:
        """Request the folders and the changes of each in advance."""
        self._mailbox.prefetch({graph_id(folder_id): state for folder_id, state in stored.items()})

    def folders(self) -> list[Folder]:
        """Every visible folder."""
        return [
            replace(folder, id=ews_id(folder.id), parent_id=ews_id(folder.parent_id))
            for folder in self._mailbox.folders()
        ]

    def changes(self, folder: Folder, state: str | None) -> ChangePage:
        """The next page of a folder's changes."""
        page = self._mailbox.changes(_graph_folder(folder), state)
        for change in page.changes:
            change.item_id = ews_id(change.item_id)
        items = {item.id: item for item in (_spelled(item, folder.id) for item in page.items.values())}
        return ChangePage(page.changes, page.state, page.complete, items)

    def fetch(
        self, folder: Folder, ids: Sequence[str], level: ContentLevel, known: Mapping[str, Item] = NO_ITEMS
    ) -> Iterator[Item | ItemFailure]:
        """Fetch the given items."""
        of_graph = _graph_folder(folder)
        items = {
            graph_id(identifier): replace(item, id=graph_id(item.id), folder_id=of_graph.id)
            for identifier, item in known.items()
        }
        results = self._mailbox.fetch(of_graph, [graph_id(each) for each in ids], level, items)
        try:
            for result in results:
                if isinstance(result, ItemFailure):
                    yield replace(result, item_id=ews_id(result.item_id))
                else:
                    yield _spelled(result, ews_id(result.folder_id))
        finally:
            if close := getattr(results, "close", None):
                close()

    def list_items(self, folder: Folder) -> Iterable[ItemRef]:
        """Every item's id and version, a page at a time."""
        for ref in self._mailbox.list_items(_graph_folder(folder)):
            yield ItemRef(ews_id(ref.id), ref.version, ref.at)

    def list_together(self, folders: Sequence[Folder]) -> Iterator[tuple[str, Sequence[ItemRef]]]:
        """The items of small folders, by folder id."""
        for folder_id, refs in self._mailbox.list_together([_graph_folder(folder) for folder in folders]):
            yield ews_id(folder_id), [ItemRef(ews_id(ref.id), ref.version, ref.at) for ref in refs]

    def not_provided(self, folder: Folder) -> int:
        """The number of items that the folder counts but Graph does not provide."""
        return self._mailbox.not_provided(_graph_folder(folder))

    def translated(self, ids: Sequence[str], to: SourceName) -> dict[str, str]:
        """Return the ids of these at `to`, in EWS's spelling, without those that are unknown."""
        if to is SourceName.GRAPH:
            return {source: ews_id(target) for source, target in self._mailbox.translated(ids, to).items()}
        found = self._mailbox.translated([graph_id(each) for each in ids], to)
        return {ews_id(source): target for source, target in found.items()}

    def occurrences(self, folder: Folder, start: datetime, end: datetime) -> Iterable[Item]:
        """A calendar's events between two times, recurring ones expanded."""
        for item in self._mailbox.occurrences(_graph_folder(folder), start, end):
            yield _spelled(item, folder.id)

    def primary_address(self) -> str:
        """The owner's mail address."""
        return self._mailbox.primary_address()

    def close(self) -> None:
        """Release the connections and forget the token."""
        self._mailbox.close()


def _graph_folder(folder: Folder) -> Folder:
    return replace(folder, id=graph_id(folder.id), parent_id=graph_id(folder.parent_id))


def _spelled(item: Item, folder_id: str) -> Item:
    """Change the ids of the item to EWS's spelling in place, also in `lacking`; returns the item."""
    item.id = ews_id(item.id)
    item.folder_id = folder_id
    if item.lacking is not None:
        item.lacking = replace(item.lacking, item_id=item.id)
    return item
