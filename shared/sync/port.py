"""What the sync needs besides the other subjects' ports: the back-off that a tenant's mailboxes share."""

from datetime import datetime
from typing import Protocol


class TenantBackOff(Protocol):
    """Until when a tenant's mailboxes leave its server alone. Advice, not a lock: losing it costs a few requests."""

    def until(self, tenant_id: str) -> datetime | None:
        """When the tenant may be asked again; None: at once. May be a few seconds out of date."""
        ...

    def extend(self, tenant_id: str, until: datetime) -> None:
        """Leave the tenant alone until then, or longer if that was agreed already."""
        ...
