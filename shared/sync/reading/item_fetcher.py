"""Fetches items so that each requested id yields exactly one result: an item or a failure."""

from collections.abc import Iterable, Iterator, Mapping

from shared.errors import Reason
from shared.sources.model import NO_ITEMS, ContentLevel, Folder, Item, ItemFailure
from shared.sources.port import MailSource
from shared.sync.state.issues import Issues


class ItemFetcher:
    """Fetches from the source. With `skip_waiting`, items that have an issue which is not due yet are not requested.

    This is for a mailbox whose passes fail repeatedly, because such an item may be the cause.
    """

    def __init__(self, source: MailSource, issues: Issues, *, skip_waiting: bool) -> None:
        self._source = source
        self._issues = issues
        self.skips_waiting = skip_waiting

    def fetch(
        self, folder: Folder, ids: Iterable[str], level: ContentLevel, known: Mapping[str, Item] = NO_ITEMS
    ) -> Iterator[Item | ItemFailure]:
        """Yield one result for each id; an id that the source does not answer is a failure."""
        missing = dict.fromkeys(ids)
        for failure in filter(None, map(self._issues.repeated, list(missing) if self.skips_waiting else ())):
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

    def gone(self, folder: Folder, ids: Iterable[str]) -> set[str]:
        """Return those of these ids that are gone according to the source. One that cannot be fetched is there."""
        results = self.fetch(folder, ids, ContentLevel.METADATA)
        failures = (result for result in results if isinstance(result, ItemFailure))
        return {failure.item_id for failure in failures if failure.reason is Reason.ITEM_GONE}
