"""Translates ids between the two sources. Only Microsoft Graph can do that, in either direction of a move."""

import logging
from collections.abc import Callable, Sequence

from shared.errors import ActionNeeded
from shared.sources.port import MailSource, SourceName

_log = logging.getLogger(__name__)


class IdTranslator:
    """Asks Graph. A move from Graph to EWS opens it only for this, and does without it if it does not answer."""

    def __init__(self, target: SourceName, source: MailSource, open_origin: Callable[[], MailSource]) -> None:
        self._target = target
        self._source = source
        self._open_origin = open_origin
        self._origin: MailSource | None = None

    def at_target(self, ids: Sequence[str]) -> dict[str, str]:
        """The target's ids of these ids of the origin, as far as they can be told."""
        return self._translated(ids, self._target)

    def at_origin(self, ids: Sequence[str]) -> dict[str, str]:
        """The origin's ids of these ids of the target, as far as they can be told."""
        return self._translated(ids, SourceName.EWS if self._target is SourceName.GRAPH else SourceName.GRAPH)

    def _translated(self, ids: Sequence[str], to: SourceName) -> dict[str, str]:
        if not ids:
            return {}
        if self._target is SourceName.GRAPH:
            return self._source.translated(ids, to)
        try:
            self._origin = self._origin or self._open_origin()
            return self._origin.translated(ids, to)
        except ActionNeeded as error:
            # A mailbox may go back to EWS because Graph does not answer. The safety stop counts what is not matched.
            _log.warning("ids not translated", exc_info=error)
            return {}

    def close(self) -> None:
        """Close what was opened."""
        if self._origin is not None:
            self._origin.close()
