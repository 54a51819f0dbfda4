"""What the first page promises, from the settings that make it true."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.settings import Settings

DEFAULT_FOLDERS_OUT = frozenset({"junkemail", "deleteditems"})


def privacy_summary(settings: "Settings") -> dict[str, Any]:
    """The values of the landing page: what is read, how much of it is kept, and for how long."""
    usual = not settings.folders_in and frozenset(settings.folders_out) == DEFAULT_FOLDERS_OUT
    return {
        "minutes": settings.sync_interval_minutes,
        "usual_folders": usual,
        "content": settings.content,
        "mail_days": settings.mail_days,
        "private_items": settings.private_items,
        "deleted_days": settings.deleted_days,
    }
