"""Sessions that were ended before their time: a short list in Table Storage, since a cookie can be copied.

A session lasts half an hour, so the list holds the sign-outs of half an hour; the daily sweep deletes what has ended.
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
"""How old the list may be: after a sign-out, another instance takes a copied cookie for so long."""


class TableRevokedSessions:
    """Implements RevokedSessions. A partition an hour, so that reading the list passes over what has ended.

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
        """Known here at once, elsewhere when the list is read next."""
        row = {"PartitionKey": _partition(until), "RowKey": digest(session_id), "expires_at": until}
        with translate_errors():
            self._table.upsert_entity(row)
        with self._lock:
            self._known |= {digest(session_id)}

    def contains(self, session_id: str) -> bool:
        """From memory, read anew now and then. Raises as storage does: what cannot be asked lets nobody in."""
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
