"""Translates ids between the two sources. Only Microsoft Graph can do that, in either direction of a move."""

from collections.abc import Sequence

from shared.sources.model import SourceName
from shared.sources.port import MailSource
from shared.sync.moving.origin import Origin


class IdTranslator:
    """Asks Graph. A move from Graph to EWS asks the origin for this, and does without it if it does not answer."""

    def __init__(self, target: SourceName, source: MailSource, origin: Origin) -> None:
        self._target = target
        self._source = source
        self._origin = origin

    def at_target(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the target's ids of these ids of the origin, without those that cannot be translated."""
        return self._translated(ids, self._target)

    def at_origin(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the origin's ids of these ids of the target, without those that cannot be translated."""
        return self._translated(ids, SourceName.EWS if self._target is SourceName.GRAPH else SourceName.GRAPH)

    def _translated(self, ids: Sequence[str], to: SourceName) -> dict[str, str]:
        if not ids:
            return {}
        asked = self._source if self._target is SourceName.GRAPH else self._origin
        return asked.translated(ids, to)
