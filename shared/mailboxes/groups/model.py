"""A group of mailboxes and its settings. No vendor, no clock, no storage."""

import re
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from shared.sources.model import ContentLevel

DEFAULT = "default"
"""The name by which people and programs call the settings of the deployment. A mailbox's row has an empty name."""

LONGEST_NAME = 40
LONGEST_DESCRIPTION = 200
MOST_ENTRIES = 200
"""The most folders or addresses of one setting."""
LONGEST_ENTRY = 320
MOST_DAYS = 36_500
MOST_RETENTION_DAYS = 3_650
LARGEST_ITEM_MB = 150

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class ScopeSettings:
    """What of a mailbox is synced and kept, complete. The fields are explained in `shared.settings`."""

    folders_in: tuple[str, ...] = ()
    folders_out: tuple[str, ...] = ()
    mail_days: int = 0
    content: ContentLevel = ContentLevel.MIME
    largest_item_mb: int = LARGEST_ITEM_MB
    private_items: bool = False
    exclude: tuple[str, ...] = ()
    retention_days: int = 0


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """The settings that a group has of its own. None: as the deployment's. An empty list is a setting too."""

    folders_in: tuple[str, ...] | None = None
    folders_out: tuple[str, ...] | None = None
    mail_days: int | None = None
    content: ContentLevel | None = None
    largest_item_mb: int | None = None
    private_items: bool | None = None
    exclude: tuple[str, ...] | None = None
    retention_days: int | None = None

    def own(self) -> dict[str, Any]:
        """The settings that are not the deployment's, by name."""
        found = {declared.name: getattr(self, declared.name) for declared in fields(self)}
        return {name: value for name, value in found.items() if value is not None}

    def in_deployment(self, deployment: ScopeSettings) -> ScopeSettings:
        """The complete settings of a group in a deployment."""
        return replace(deployment, **self.own())


SETTING_NAMES = {
    "folders_in": "SYNC_FOLDERS_IN",
    "folders_out": "SYNC_FOLDERS_OUT",
    "mail_days": "SYNC_MAIL_DAYS",
    "content": "SYNC_CONTENT",
    "largest_item_mb": "SYNC_LARGEST_ITEM_MB",
    "private_items": "SYNC_PRIVATE_ITEMS",
    "exclude": "SYNC_EXCLUDE",
    "retention_days": "REPLICA_RETENTION_DAYS",
}
"""Each setting of a group, and the setting of the deployment that it replaces."""


@dataclass(frozen=True, slots=True)
class Group:
    """One group. `name` is its id. `changed_by` is an opaque id; `version` the row's ETag."""

    name: str
    changed_at: datetime
    changed_by: str = ""
    description: str = ""
    """One line for operators."""
    settings: GroupSettings = field(default_factory=GroupSettings)
    deleting_since: datetime | None = None
    """Since when it is being deleted: no mailbox is put into it any more."""
    version: str = field(default="", compare=False)

    def with_changes(self, **changes: object) -> "Group":
        """Return a copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


def stored_name(name: str) -> str:
    """The name as a mailbox's row has it: empty for the deployment's settings."""
    return "" if name == DEFAULT else name


def shown_name(stored: str) -> str:
    """The name as people and programs see it."""
    return stored or DEFAULT


def is_name(text: str) -> bool:
    """Whether a group may be called so: lower-case letters, digits, and hyphens between them."""
    return len(text) <= LONGEST_NAME and text != DEFAULT and _NAME.fullmatch(text) is not None


def wrong_field(description: str, settings: GroupSettings) -> str:
    """The name of the first field that has a value it cannot have; empty if all are right."""
    if len(description) > LONGEST_DESCRIPTION or not description.isprintable():
        return "description"
    return next((name for name, value in settings.own().items() if not _is_right(name, value)), "")


_BOUNDS = {
    "mail_days": (0, MOST_DAYS),
    "largest_item_mb": (1, LARGEST_ITEM_MB),
    "retention_days": (0, MOST_RETENTION_DAYS),
}


def _is_right(name: str, value: object) -> bool:
    if isinstance(value, tuple):
        return len(value) <= MOST_ENTRIES and all(map(_is_entry, value))
    least, most = _BOUNDS.get(name, (0, 0))
    return name not in _BOUNDS or (isinstance(value, int) and least <= value <= most)


def _is_entry(text: str) -> bool:
    return 0 < len(text) <= LONGEST_ENTRY and text.isprintable() and text == text.strip()
