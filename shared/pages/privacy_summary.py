"""Computes what the landing page says about privacy, from the settings."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.settings import Settings

DEFAULT_FOLDERS_OUT = frozenset({"junkemail", "deleteditems"})


def privacy_summary(settings: "Settings", interval: timedelta) -> dict[str, Any]:
    """Return the values of the landing page: what is read and how often, how much is kept, and for how long."""
    usual = not settings.folders_in and frozenset(settings.folders_out) == DEFAULT_FOLDERS_OUT
    return {
        "minutes": round(interval / timedelta(minutes=1)),
        "usual_folders": usual,
        "content": settings.content,
        "mail_days": settings.mail_days,
        "private_items": settings.private_items,
        "deleted_days": settings.deleted_days,
        "retention_days": settings.retention_days,
    }
