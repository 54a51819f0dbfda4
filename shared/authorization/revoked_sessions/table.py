"""Sessions that were ended before they expired: a short list in Table Storage, because a cookie can be copied.

A session lasts half an hour, so only the sign-outs of the last half hour matter. The daily sweep deletes expired rows.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from shared.authorization.sessions.signing import digest
from shared.storage.azure_errors import translate_errors

if TYPE_CHECKING:
    from azure.data.tables import TableServiceClient

REMEMBERED_SECONDS = 10.0
"""How old the cached list may be. For so long after a sign-out, another instance still accepts a copied cookie."""


class TableRevokedSessions:
    """Implements RevokedSessions. Each hour has its own partition, so that reading the list skips expired rows.

    `monotonic` is a clock in seconds.
    """

    def __init__(
        self, tables: "TableServiceClient", clock: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        self._table = tables.get_table_client("revocations")
        self._clock = clock
        self._monotonic = monotonic
        self._known: frozenset[str] = frozenset()
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    def add(self, session_id: str, until: datetime) -> None:
        """Revoke a session: at once in this instance, elsewhere when the list is read next."""
        row = {"PartitionKey": _partition(until), "RowKey": digest(session_id), "expires_at": until}
        with translate_errors():
            self._table.upsert_entity(row)
        with self._lock:
            self._known |= {digest(session_id)}

    def contains(self, session_id: str) -> bool:
        """Look the session up in the cached list. Raises storage's errors: without the list nobody is let in."""
        with self._lock:
            if self._monotonic() - self._read_at > REMEMBERED_SECONDS:
                self._known = self._read()
                self._read_at = self._monotonic()
            return digest(session_id) in self._known

    def _read(self) -> frozenset[str]:
        now = _partition(self._clock())
        with translate_errors():
            rows = self._table.query_entities("PartitionKey ge @now", parameters={"now": now}, select=["RowKey"])
            return frozenset(str(row["RowKey"]) for row in rows)


def _partition(moment: datetime) -> str:
    return f"{moment:%Y%m%d%H}"
