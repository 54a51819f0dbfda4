"""Groups of mailboxes."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from shared.api.resources.values import Time
from shared.mailboxes.groups import model
from shared.sources.model import ContentLevel

Entries = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=model.LONGEST_ENTRY)]], Meta(max_length=model.MOST_ENTRIES)
]
GroupName = Annotated[str, Meta(min_length=1, max_length=64)]


class GroupSettings(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The settings that a group has of its own; null: as the deployment's. An empty list is a setting too.

    They replace the deployment's settings `SYNC_FOLDERS_IN`, `SYNC_FOLDERS_OUT`, `SYNC_MAIL_DAYS`, `SYNC_CONTENT`,
    `SYNC_LARGEST_ITEM_MB`, `SYNC_PRIVATE_ITEMS`, `SYNC_EXCLUDE`, and `REPLICA_RETENTION_DAYS`.
    """

    folders_in: Entries | None = None
    """Only these folders and their subfolders; an empty list: all."""
    folders_out: Entries | None = None
    """Not these folders nor their subfolders."""
    mail_days: Annotated[int, Meta(ge=0, le=model.MOST_DAYS)] | None = None
    """How many days of past mail are synced; 0: all mail."""
    content: ContentLevel | None = None
    """How much of an item is stored."""
    largest_item_mb: Annotated[int, Meta(ge=1, le=model.LARGEST_ITEM_MB)] | None = None
    """Larger contents are not fetched."""
    private_items: bool | None = None
    """Whether items marked private are synced."""
    exclude: Entries | None = None
    """Items from or to these addresses or @domains are not synced."""
    retention_days: Annotated[int, Meta(ge=0, le=model.MOST_RETENTION_DAYS)] | None = None
    """How many days an item is kept after it left the mailbox; 0: it is deleted at once."""


class EffectiveSettings(Struct, kw_only=True, frozen=True):
    """The settings that apply to the mailboxes of a group: its own, and for the rest those of the deployment."""

    folders_in: list[str]
    """Only these folders and their subfolders; an empty list: all."""
    folders_out: list[str]
    """Not these folders nor their subfolders."""
    mail_days: int
    """How many days of past mail are synced; 0: all mail."""
    content: ContentLevel
    """How much of an item is stored."""
    largest_item_mb: int
    """Larger contents are not fetched."""
    private_items: bool
    """Whether items marked private are synced."""
    exclude: list[str]
    """Items from or to these addresses or @domains are not synced."""
    retention_days: int
    """How many days an item is kept after it left the mailbox; 0: it is deleted at once."""


class GroupChange(Struct, frozen=True, forbid_unknown_fields=True):
    """A group as it is to be. A setting that is left out is the deployment's from now on."""

    description: Annotated[str, Meta(max_length=model.LONGEST_DESCRIPTION)] = ""
    """One line for operators."""
    settings: GroupSettings = GroupSettings()
    """The settings that the group has of its own."""


class Group(Struct, kw_only=True, frozen=True):
    """A group. The one called `default` has the settings of the deployment and cannot be changed here."""

    name: str
    """Its name, which does not change."""
    description: str
    """One line for operators."""
    settings: GroupSettings
    """The settings that it has of its own."""
    effective: EffectiveSettings
    """The settings that apply to its mailboxes."""
    changed_at: Time | None
    """When it was last changed; null for `default`."""
    changed_by: str
    """Who changed it: an object id; empty for `default`."""


class GroupList(Struct, frozen=True):
    """All groups, `default` first."""

    groups: list[Group]
    """The groups."""


class GroupChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """The group that a mailbox is put into; `default`: none, so that the deployment's settings apply."""

    group: GroupName
    """The name of the group."""


def group(stored: model.Group, deployment: model.ScopeSettings) -> Group:
    """The group as programs see it."""
    effective = stored.settings.in_deployment(deployment)
    return Group(
        name=stored.name,
        description=stored.description,
        settings=GroupSettings(**_lists(stored.settings.own())),
        effective=EffectiveSettings(**_lists(_all(effective))),
        changed_at=stored.changed_at,
        changed_by=stored.changed_by,
    )


def default_group(deployment: model.ScopeSettings) -> Group:
    """The settings of the deployment as a group."""
    return Group(
        name=model.DEFAULT,
        description="",
        settings=GroupSettings(),
        effective=EffectiveSettings(**_lists(_all(deployment))),
        changed_at=None,
        changed_by="",
    )


def settings_of(given: GroupSettings) -> model.GroupSettings:
    """The settings of a request as the program keeps them."""
    given_values = {name: getattr(given, name) for name in model.SETTING_NAMES}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given_values.items()
    }
    return model.GroupSettings(**values)


def _all(settings: model.ScopeSettings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in model.SETTING_NAMES}


def _lists(values: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
