"""Items, their contents as parsed, and changes."""

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

from shared.api.resources.values import Time
from shared.replica.port import FeedKind, FolderState, ReplicaItem
from shared.sources.model import ItemKind

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
    """The display name; empty if there is none."""
    address: str = ""
    """The email address; empty if it is not known."""


class ContentInfo(Struct, frozen=True):
    """The stored content of an item: its media type, its size in bytes, and its SHA-256."""

    media_type: str
    """The media type that the content is sent with."""
    size: int
    """In bytes."""
    sha256: str
    """The SHA-256 of the content, in hexadecimal digits; also its ETag."""


class Item(Struct, kw_only=True, frozen=True, rename={"sender": "from"}):
    """One item of a copy. `id` stays the same when the item moves. With `fields`, other fields are left out.

    `at` is the time that items are ordered by: received (mail), start (events), last modified (all others). `content`
    is null if the copy has no content. `left_at` is when the item left the mailbox, if it did and is kept; `folder` is
    then the one that it was in. `original` is false if the mail server could not return the item as it is.
    """

    id: str
    """Our own id of the item."""
    kind: ItemKind | UnsetType = UNSET
    """What the item is to its reader."""
    item_class: str | UnsetType = UNSET
    """The item class of Exchange, for example `IPM.Note`."""
    folder_id: str | UnsetType = UNSET
    """The id of its folder."""
    folder: str | UnsetType | None = UNSET
    """The path of its folder, as of now; null if the folder is not known."""
    subject: str | UnsetType = UNSET
    """The subject, or what names the item."""
    at: Time | UnsetType | None = UNSET
    """The time that items are ordered by."""
    modified: str | UnsetType = UNSET
    """When the mailbox last changed it, as its source says; empty if it is not known."""
    sender: Address | UnsetType | None = UNSET
    """Who sent it; of an event, who organizes it."""
    to: list[Address] | UnsetType = UNSET
    """The recipients."""
    cc: list[Address] | UnsetType = UNSET
    """The recipients of copies."""
    bcc: list[Address] | UnsetType = UNSET
    """The recipients of blind copies."""
    size: int | UnsetType = UNSET
    """The size in the mailbox, in bytes."""
    is_read: bool | UnsetType | None = UNSET
    """Whether it is marked as read; null if that does not apply."""
    has_attachments: bool | UnsetType | None = UNSET
    """Whether it has attachments; null if that is not known."""
    original: bool | UnsetType = UNSET
    """Whether the content is exactly what the mail server has."""
    content: ContentInfo | UnsetType | None = UNSET
    """The stored content; null if the copy has none."""
    left_at: Time | UnsetType | None = UNSET
    """When it left the mailbox, if it did and is kept; null if it is there."""
    source_id: str | UnsetType = UNSET
    """The id of the item at its source. It may change when the item moves."""
    metadata: dict[str, Any] | UnsetType = UNSET
    """All metadata that is stored, with the names of this program."""


FIELDS = tuple(name for name in Item.__struct_encode_fields__ if name != "id")
"""The names that `fields` can select; `id` is always there."""
USUAL_FIELDS = frozenset(FIELDS) - {"metadata", "source_id"}
"""The fields of an item when none are selected."""


class ItemPage(Struct, frozen=True):
    """A page of items, ordered by id. `next` is the cursor of the next page; empty on the last page.

    A page may hold fewer items than asked for, or none, and still not be the last one.
    """

    items: list[Item]
    """The items."""
    next: str
    """The `cursor` of the next page; empty on the last page."""


def item(stored: ReplicaItem, folders: Mapping[str, FolderState], fields: frozenset[str] = USUAL_FIELDS) -> Item:
    """The item as programs see it, with these fields."""
    metadata = stored.metadata
    folder = folders.get(stored.last_folder_id)
    located = stored.located
    values: dict[str, Any] = {
        "kind": stored.kind,
        "item_class": stored.item_class,
        "folder_id": stored.last_folder_id,
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
        "left_at": stored.left_at,
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

    `item` is the item after the change; for `delete`, as it was. `leave`: it left the mailbox and is kept for the days
    of the retention; a `delete` follows, or a `create` if it comes back. `redacted`: it was deleted since, and only its
    ids and kind are left. `restate` is bookkeeping: the item is the same under another id of its source.
    """

    number: int
    """The number of the change in its mailbox's feed."""
    mailbox_id: str
    """The mailbox."""
    change: FeedKind
    """What happened to the item."""
    item: Item
    """The item after the change; for `delete`, as it was."""
    redacted: bool = False
    """Whether only the ids and the kind of the item are left."""
    position: str = ""
    """In the feed over all mailboxes: where to continue after this line."""


class Position(Struct, frozen=True):
    """The last line of the feed over all mailboxes: where to continue."""

    position: str
    """The `after` of the next request."""


class Attachment(Struct, kw_only=True, frozen=True):
    """One attachment of a message. `number` names it in the path of its content. `size` is in bytes."""

    number: int
    """Its number in the path of its content, from 0."""
    name: str
    """The file name that the sender chose; do not trust it."""
    media_type: str
    """The media type that the sender named."""
    size: int
    """In bytes, decoded."""
    content_id: str = field(default="")
    """The id by which the HTML refers to it; empty if there is none."""
    inline: bool = False
    """Whether it is shown in the text."""


class ParsedContent(Struct, kw_only=True, frozen=True):
    """A content as text. `html` is what the sender wrote: do not show it without removing scripts and links."""

    id: str
    """The item."""
    text: str | None
    """The text; null if there is none."""
    html: str | None
    """The HTML, as the sender wrote it; null if there is none."""
    attachments: list[Attachment]
    """The attachments, without their contents."""
