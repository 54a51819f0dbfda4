"""Computes what the pages say about privacy: what is read, how much of it is kept, and for how long."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.mailboxes.groups.model import ScopeSettings

DEFAULT_FOLDERS_OUT = frozenset({"junkemail", "deleteditems"})


def privacy_summary(scope: "ScopeSettings", deleted_days: int, *, is_own: bool = False) -> dict[str, Any]:
    """Return the values of the template `_scope_summary`.

    `is_own`: the settings are those of the reader's own mailbox. Otherwise they are the deployment's, and the page adds
    that a group may have others.
    """
    usual = not scope.folders_in and frozenset(scope.folders_out) == DEFAULT_FOLDERS_OUT
    return {
        "usual_folders": usual,
        "content": scope.content,
        "mail_days": scope.mail_days,
        "private_items": scope.private_items,
        "has_exclusions": bool(scope.exclude),
        "deleted_days": deleted_days,
        "retention_days": scope.retention_days,
        "is_own": is_own,
    }
