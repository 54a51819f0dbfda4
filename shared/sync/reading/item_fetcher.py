"""Fetching items so that each that was asked for comes back once, as an item or as a failure."""

from collections.abc import Iterable, Iterator, Mapping

from shared.errors import Reason
from shared.sources.port import NO_ITEMS, ContentLevel, Folder, Item, ItemFailure, MailSource
from shared.sync.state.issues import Issues


class ItemFetcher:
    """Asks the source. With `skip_waiting`, an item whose issue is to wait is not asked for.

    That is for a mailbox whose passes fail again and again: such an item may be what holds up all the others.
    """

    def __init__(self, source: MailSource, issues: Issues, *, skip_waiting: bool) -> None:
        self._source = source
        self._issues = issues
        self._skip_waiting = skip_waiting

    def fetch(
        self, folder: Folder, ids: Iterable[str], level: ContentLevel, known: Mapping[str, Item] = NO_ITEMS
    ) -> Iterator[Item | ItemFailure]:
        """Each of these items once: what a source passes over in silence has failed."""
        missing = dict.fromkeys(ids)
        for failure in filter(None, map(self._issues.repeated, list(missing) if self._skip_waiting else ())):
            del missing[failure.item_id]
            yield failure
        results = self._source.fetch(folder, list(missing), level, known)
        try:
            for result in results:
                id_ = result.id if isinstance(result, Item) else result.item_id
                if id_ in missing:
                    del missing[id_]
                    yield result
        finally:
            if close := getattr(results, "close", None):
                close()
        for id_ in missing:
            yield ItemFailure(id_, Reason.ITEM_UNREADABLE, "no answer")
