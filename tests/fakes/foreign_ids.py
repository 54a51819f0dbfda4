"""A source whose ids cannot be told from the other source's: whatever it names is named otherwise."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from shared.sources.model import (
    NO_ITEMS,
    Access,
    ChangePage,
    ContentLevel,
    Folder,
    Item,
    ItemFailure,
    ItemRef,
    RequestFigures,
    SourceName,
)
from shared.sources.port import MailSource
from tests.fakes.source import FakeSource, FakeSources

PREFIX = "graph-"


class ForeignIdSources(FakeSources):
    """Over Graph every folder and item has an id of its own; `translated` counts those that were translated."""

    translated = 0
    refuses_to_translate: Exception | None = None

    def open(self, access: Access, *, isolate_failures: bool = False) -> MailSource:  # type: ignore[override]
        """One mailbox."""
        source = super().open(access, isolate_failures=isolate_failures)
        return source if access.source is SourceName.EWS else ForeignIds(self, source)


class ForeignIds:
    """Fulfills MailSource."""

    def __init__(self, sources: ForeignIdSources, source: FakeSource) -> None:
        self._sources = sources
        self._source = source

    @property
    def figures(self) -> RequestFigures:
        """What it has cost."""
        return self._source.figures

    def prefetch(self, stored: Mapping[str, str]) -> None:
        """Nothing is asked ahead."""

    def folders(self) -> list[Folder]:
        """All of them."""
        return [_renamed(folder, _foreign) for folder in self._source.folders()]

    def changes(self, folder: Folder, state: str | None) -> ChangePage:
        """The next page."""
        page = self._source.changes(_renamed(folder, _own), state)
        changes = tuple(replace(each, item_id=_foreign(each.item_id)) for each in page.changes)
        items = {_foreign(id_): _item(item) for id_, item in page.items.items()}
        return replace(page, changes=changes, items=items)

    def fetch(
        self, folder: Folder, ids: Sequence[str], level: ContentLevel, known: Mapping[str, Item] = NO_ITEMS
    ) -> Iterator[Item | ItemFailure]:
        """The named items."""
        own = {_own(id_): replace(item, id=_own(id_), folder_id=_own(item.folder_id)) for id_, item in known.items()}
        for result in self._source.fetch(_renamed(folder, _own), list(map(_own, ids)), level, own):
            if isinstance(result, Item):
                yield _item(result)
            else:
                yield replace(result, item_id=_foreign(result.item_id))

    def list_items(self, folder: Folder) -> Iterable[ItemRef]:
        """Every item."""
        for ref in self._source.list_items(_renamed(folder, _own)):
            yield replace(ref, id=_foreign(ref.id))

    def list_together(self, folders: Sequence[Folder]) -> Iterator[tuple[str, Sequence[ItemRef]]]:
        """Every item of small folders."""
        for folder_id, refs in self._source.list_together([_renamed(folder, _own) for folder in folders]):
            yield _foreign(folder_id), [replace(ref, id=_foreign(ref.id)) for ref in refs]

    def not_provided(self, folder: Folder) -> int:
        """As the source says."""
        return self._source.not_provided(_renamed(folder, _own))

    def translated(self, ids: Sequence[str], to: SourceName) -> dict[str, str]:
        """One request a thousand."""
        self._sources.translated += len(ids)
        self._sources.request("translate")
        if self._sources.refuses_to_translate is not None:
            raise self._sources.refuses_to_translate
        return {id_: _foreign(id_) if to is SourceName.GRAPH else _own(id_) for id_ in ids}

    def occurrences(self, folder: Folder, start: datetime, end: datetime) -> Iterable[Item]:
        """A calendar's."""
        return map(_item, self._source.occurrences(_renamed(folder, _own), start, end))

    def primary_address(self) -> str:
        """The mailbox's."""
        return self._source.primary_address()

    def close(self) -> None:
        """Give it back."""
        self._source.close()


def _foreign(id_: str) -> str:
    return PREFIX + id_ if id_ else ""


def _own(id_: str) -> str:
    return id_.removeprefix(PREFIX)


def _renamed(folder: Folder, name: Callable[[str], str]) -> Folder:
    return replace(folder, id=name(folder.id), parent_id=name(folder.parent_id))


def _item(item: Item) -> Item:
    return replace(item, id=_foreign(item.id), folder_id=_foreign(item.folder_id))
