"""The source that a mailbox is moved away from. It may not answer any more, for example because EWS has ended."""

import logging
from collections.abc import Callable, Sequence

from shared.errors import ActionNeeded
from shared.sources.model import ContentLevel, Folder, Item, SourceName
from shared.sources.port import FolderGone, FolderUnreadable, MailSource

_log = logging.getLogger(__name__)


class Origin:
    """Opens the source when it is first asked. After it has failed once, it is not asked again."""

    def __init__(self, name: SourceName, open_source: Callable[[], MailSource]) -> None:
        self.name = name
        self._open_source = open_source
        self._source: MailSource | None = None
        self._folders: dict[str, Folder] | None = None
        self._has_failed = False

    def translated(self, ids: Sequence[str], to: SourceName) -> dict[str, str]:
        """Return the ids at `to` of these ids, without those that cannot be translated."""
        return self._asked(lambda source: source.translated(ids, to)) or {}

    def metadata(self, folder_id: str, ids: Sequence[str]) -> dict[str, Item] | None:
        """The items' metadata by id, without those that cannot be fetched; None if the source does not answer."""
        return self._asked(lambda source: self._fetched(source, folder_id, ids))

    def close(self) -> None:
        """Close the source if it was opened."""
        if self._source is not None:
            self._source.close()

    def _fetched(self, source: MailSource, folder_id: str, ids: Sequence[str]) -> dict[str, Item]:
        if self._folders is None:
            self._folders = {folder.id: folder for folder in source.folders()}
        folder = self._folders.get(folder_id)
        if folder is None:
            return {}
        try:
            found = list(source.fetch(folder, ids, ContentLevel.METADATA))
        except (FolderGone, FolderUnreadable):
            return {}
        return {item.id: item for item in found if isinstance(item, Item)}

    def _asked[T](self, question: Callable[[MailSource], T]) -> T | None:
        if self._has_failed:
            return None
        try:
            self._source = self._source or self._open_source()
            return question(self._source)
        except ActionNeeded as error:
            # A mailbox may be moved because its source does not answer. The move does without the answer.
            _log.warning("origin not read", exc_info=error)
            self._has_failed = True
            return None
