"""How many items a GetItem request asks for, adapted to the responses of one mailbox."""

from collections.abc import Sequence

from shared.sources.ews.fetching.batch import FetchedItem
from shared.sources.model import ContentLevel, Item

METADATA_BATCH = 50
_METADATA_BATCH_MOST = 100
_MIME_BATCH = 16
_MIME_BATCH_MOST = 50
_MIME_TARGET = 1 << 20
"""The target size in bytes for the MIME contents of one response: few requests, little memory."""


class BatchSizes:
    """The present batch sizes, in items. Threads may change them at the same time: any result is a valid size."""

    def __init__(self) -> None:
        self._metadata = METADATA_BATCH
        self._mime = _MIME_BATCH

    def at(self, level: ContentLevel) -> int:
        """The batch size at a content level."""
        return self._metadata if level is ContentLevel.METADATA else self._mime

    def learn(self, found: Sequence[FetchedItem], level: ContentLevel) -> None:
        """Adapt the sizes: double them for metadata while all goes well; aim at one megabyte of contents."""
        if level is ContentLevel.METADATA:
            if len(found) >= self._metadata:
                self._metadata = min(_METADATA_BATCH_MOST, self._metadata * 2)
            return
        sizes = [len(item.content.data) for item in found if isinstance(item, Item) and item.content]
        if len(sizes) >= 4:
            average = max(1, sum(sizes) // len(sizes))
            self._mime = min(_MIME_BATCH_MOST, max(4, _MIME_TARGET // average))

    def reset_metadata(self) -> None:
        """Return to the first size after a batch was too large."""
        self._metadata = METADATA_BATCH
