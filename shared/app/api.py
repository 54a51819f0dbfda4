"""The API's own components."""

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from shared.app.base import utc_now
from shared.app.stores import StoreComponents

if TYPE_CHECKING:
    from shared.api.content_audit import ContentAudit
    from shared.api.stores.table import TableIdempotency, TableReaders


class ApiComponents(StoreComponents):
    """What the API needs besides the components of other subjects."""

    clock = staticmethod(utc_now)

    @cached_property
    def readers(self) -> "TableReaders":
        """The limits of readers."""
        from shared.api.stores.table import TableReaders

        return TableReaders(self.tables, self.monotonic)

    @cached_property
    def idempotency(self) -> "TableIdempotency":
        """Answers to writes that are repeated."""
        from shared.api.stores.table import TableIdempotency

        return TableIdempotency(self.tables, utc_now)

    @cached_property
    def content_audit(self) -> "ContentAudit":
        """Records who reads contents."""
        from shared.api.content_audit import ContentAudit

        return ContentAudit(self.registry, utc_now)

    def forget_old(self, now: datetime) -> int:
        """Delete entries of the change log and answers to idempotency keys that are no longer needed."""
        from shared.api.port import ANSWERS_KEPT
        from shared.replica.change_log.port import KEPT

        return self.change_log.forget(now - KEPT) + self.idempotency.forget(now - ANSWERS_KEPT)
