"""The sync's own port: the back-off that a tenant's mailboxes share."""

from datetime import datetime
from typing import Protocol


class TenantBackOff(Protocol):
    """Stores until when a tenant's mailboxes send no requests. It is advisory: losing it costs a few requests."""

    def until(self, tenant_id: str) -> datetime | None:
        """Return when the tenant may be asked again; None means now. The value may be a few seconds old."""
        ...

    def extend(self, tenant_id: str, until: datetime) -> None:
        """Send the tenant no requests until then, or longer if a later time is already stored."""
        ...
