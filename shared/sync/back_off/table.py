"""The back-off that a tenant's mailboxes share, in Table Storage."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.errors import NotFound
from shared.storage.table_rest import TableRest

if TYPE_CHECKING:
    from azure.data.tables import TableServiceClient

SECONDS_REMEMBERED = 15.0
"""How long a read value is cached, because passes over one tenant's mailboxes follow each other closely."""


class TableTenantBackOff:
    """Implements TenantBackOff. Concurrent writers may slightly shorten each other's time; the value is advisory."""

    def __init__(self, tables: "TableServiceClient", monotonic: Callable[[], float]) -> None:
        self._rest = TableRest.beside(tables)
        self._monotonic = monotonic
        self._read: dict[str, tuple[float, datetime | None]] = {}

    def until(self, tenant_id: str) -> datetime | None:
        """Return the cached time while it is fresh, else the time in the table."""
        at, known = self._read.get(tenant_id, (float("-inf"), None))
        if self._monotonic() - at < SECONDS_REMEMBERED:
            return known
        stored = self._stored(tenant_id)
        self._read[tenant_id] = (self._monotonic(), stored)
        return stored

    def extend(self, tenant_id: str, until: datetime) -> None:
        """Extend the stored time; it is never shortened."""
        agreed = self._stored(tenant_id)
        latest = max(agreed, until) if agreed else until
        self._rest.upsert("backoffs", {"PartitionKey": tenant_id, "RowKey": "until", "until": latest})
        self._read[tenant_id] = (self._monotonic(), latest)

    def _stored(self, tenant_id: str) -> datetime | None:
        try:
            row = self._rest.get("backoffs", tenant_id, "until")
        except NotFound:
            return None
        return datetime.fromtimestamp(row["until"].timestamp(), UTC)
