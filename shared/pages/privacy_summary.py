"""What the first page promises, from the settings that make it true."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.settings import Settings

DEFAULT_FOLDERS_OUT = frozenset({"junkemail", "deleteditems"})


def privacy_summary(settings: "Settings", interval: timedelta) -> dict[str, Any]:
    """The values of the landing page: what is read and how often, how much of it is kept, and for how long."""
    usual = not settings.folders_in and frozenset(settings.folders_out) == DEFAULT_FOLDERS_OUT
    return {
        "minutes": round(interval / timedelta(minutes=1)),
        "usual_folders": usual,
        "content": settings.content,
        "mail_days": settings.mail_days,
        "private_items": settings.private_items,
        "deleted_days": settings.deleted_days,
    }
