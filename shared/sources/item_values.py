"""Builds items for both sources: the same fields and the same metadata over EWS and Graph."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from shared.sources.model import Item, ItemKind

_NO_MAIL = ("ipm.stickynote", "ipm.activity", "ipm.configuration", "ipm.microsoft.")
"""Item classes that Exchange returns as messages or plain items although they are not mail."""


def message_kind(item_class: str) -> ItemKind:
    """The kind of an item that was returned as a message, by its item class."""
    return ItemKind.OTHER if item_class.lower().startswith(_NO_MAIL) else ItemKind.MESSAGE


def item_of(
    values: dict[str, Any],
    identifier: str,
    folder_id: str,
    kind: ItemKind,
    *,
    at: datetime | None,
    addresses: Iterable[str],
) -> Item:
    """Build an item from its values. Consumes `values`; those without a field of their own become metadata."""
    take = values.pop
    move_key, item_class = take("move_key", ""), take("item_class", "")
    subject, size = take("subject", ""), take("size", 0)
    return Item(
        id=identifier,
        version=take("version", ""),
        folder_id=folder_id,
        kind=kind,
        item_class=item_class,
        move_key=move_key,
        content_key=content_key((move_key, kind, subject, size), values) if move_key else "",
        subject=subject,
        size=size,
        is_read=take("is_read", None),
        private=values.get("sensitivity") == "Private",
        at=at,
        addresses=tuple({address.lower() for address in addresses if address}),
        metadata={name: value for name, value in values.items() if value or value is False},
    )


def content_key(always: tuple[str, ItemKind, str, int], values: Mapping[str, Any]) -> str:
    """The content key of an item: it differs whenever the content must be downloaded again.

    `always` is the move key, the kind, the subject, and the size; `values` is the metadata.

    A move changes the id, the change key and, on some servers, the last-modified time. The key of a message therefore
    leaves this time out, so that a moved message is recognized. Drafts and all other kinds are edited often: their key
    contains the time, and a move that changes it costs one download. The stored form, its empty part included, must not
    change, or everything would be downloaded again. It must not depend on the source, or a move between sources would
    download everything. An equal key is no proof of equal content: mail can be edited in place without a change of
    size (shared/sync/planning/same_content.py).
    """
    move_key, kind, subject, size = always
    get = values.get
    if kind is ItemKind.MESSAGE and not get("draft"):
        versioned = f"{get('internet_message_id', '')}\n{get('received', '')}\n{get('sent', '')}"
    else:
        versioned = get("modified", "")
    # For speed joined, not formatted, and copied, not made: that costs more than the hash itself.
    digest = _EMPTY.copy()
    digest.update("\n".join((move_key, kind, "", subject, str(size), versioned)).encode())
    return digest.hexdigest()


_EMPTY = blake2b(digest_size=16)
