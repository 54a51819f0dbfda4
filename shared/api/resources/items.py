"""Items, their contents as parsed, and changes."""

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

from shared.api.resources.values import Time
from shared.replica.port import FeedKind, FolderState, ReplicaItem
from shared.sources.port import ItemKind

MEDIA_TYPES = {
    "eml": "message/rfc822",
    "ics": "text/calendar; charset=utf-8",
    "vcf": "text/vcard; charset=utf-8",
    "json": "application/json",
}
"""The media types of contents, by their form."""


def media_type(form: str) -> str:
    """The media type of a content's form."""
    return MEDIA_TYPES.get(form, "application/octet-stream")


class Address(Struct, frozen=True, omit_defaults=True):
    """A person or list: a display name and an address. Either may be empty."""

    name: str = ""
    address: str = ""


class ContentInfo(Struct, frozen=True):
    """The stored content of an item: its media type, its size in bytes, and its SHA-256."""

    media_type: str
    size: int
    sha256: str


class Item(Struct, kw_only=True, frozen=True, rename={"sender": "from"}):
    """One item of a copy. `id` stays the same when the item moves. With `fields`, other fields are left out.

    `at` is the time that items are ordered by: received (mail), start (events), last modified (all others). `content`
    is null if the copy has no content. `original` is false if the mail server could not return the item as it is.
    """

    id: str
    kind: ItemKind | UnsetType = UNSET
    item_class: str | UnsetType = UNSET
    folder_id: str | UnsetType = UNSET
    folder: str | UnsetType | None = UNSET
    subject: str | UnsetType = UNSET
    at: Time | UnsetType | None = UNSET
    modified: str | UnsetType = UNSET
    sender: Address | UnsetType | None = UNSET
    to: list[Address] | UnsetType = UNSET
    cc: list[Address] | UnsetType = UNSET
    bcc: list[Address] | UnsetType = UNSET
    size: int | UnsetType = UNSET
    is_read: bool | UnsetType | None = UNSET
    has_attachments: bool | UnsetType | None = UNSET
    original: bool | UnsetType = UNSET
    content: ContentInfo | UnsetType | None = UNSET
    source_id: str | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET


FIELDS = tuple(name for name in Item.__struct_encode_fields__ if name != "id")
"""The names that `fields` can select; `id` is always there."""
USUAL_FIELDS = frozenset(FIELDS) - {"metadata", "source_id"}
"""The fields of an item when none are selected."""


class ItemPage(Struct, frozen=True):
    """A page of items, ordered by id. `next` is the cursor of the next page; empty on the last page.

    A page may hold fewer items than asked for, or none, and still not be the last one.
    """

    items: list[Item]
    next: str


def item(stored: ReplicaItem, folders: Mapping[str, FolderState], fields: frozenset[str] = USUAL_FIELDS) -> Item:
    """The item as programs see it, with these fields."""
    metadata = stored.metadata
    folder = folders.get(stored.folder_id)
    located = stored.located
    values: dict[str, Any] = {
        "kind": stored.kind,
        "item_class": stored.item_class,
        "folder_id": stored.folder_id,
        "folder": folder.path if folder else None,
        "subject": stored.subject,
        "at": stored.at,
        "modified": metadata.get("modified", ""),
        "from": address(metadata.get("from") or metadata.get("organizer") or metadata.get("sender")),
        "to": addresses(metadata.get("to")),
        "cc": addresses(metadata.get("cc")),
        "bcc": addresses(metadata.get("bcc")),
        "size": stored.size,
        "is_read": stored.is_read,
        "has_attachments": metadata.get("has_attachments"),
        "original": metadata.get("original") is not False,
        "content": ContentInfo(media_type(located.form), located.length, located.sha256) if located else None,
        "source_id": stored.source_id,
        "metadata": metadata,
    }
    chosen = {_FIELD_OF[name]: value for name, value in values.items() if name in fields}
    return Item(id=stored.key, **chosen)


_FIELD_OF = dict(zip(Item.__struct_encode_fields__, Item.__struct_fields__, strict=True))


def address(stored: object) -> Address | None:
    """An address of the metadata."""
    if not isinstance(stored, Mapping):
        return None
    return Address(str(stored.get("name") or ""), str(stored.get("address") or ""))


def addresses(stored: object) -> list[Address]:
    """Several addresses of the metadata."""
    given = stored if isinstance(stored, list) else []
    return [found for each in given if (found := address(each)) is not None]


class Change(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One change, a line of the feed. `number` increases from line to line; it is not consecutive.

    `item` is the item after the change; for `delete`, as it was. `redacted`: it was deleted since, and only its ids and
    kind are left. `restate` is bookkeeping: the item is the same under another id of its source.
    """

    number: int
    mailbox_id: str
    change: FeedKind
    item: Item
    redacted: bool = False
    position: str = ""


class Position(Struct, frozen=True):
    """The last line of the feed over all mailboxes: where to continue."""

    position: str


class Attachment(Struct, kw_only=True, frozen=True):
    """One attachment of a message. `number` names it in the path of its content. `size` is in bytes."""

    number: int
    name: str
    media_type: str
    size: int
    content_id: str = field(default="")
    inline: bool = False


class ParsedContent(Struct, kw_only=True, frozen=True):
    """A content as text. `html` is what the sender wrote: do not show it without removing scripts and links."""

    id: str
    text: str | None
    html: str | None
    attachments: list[Attachment]
