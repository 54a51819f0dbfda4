"""Items as both sources give them: the same fields and the same metadata, whatever the mailbox was read over."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from shared.sources.port import Item, ItemKind

_NO_MAIL = ("ipm.stickynote", "ipm.activity", "ipm.configuration", "ipm.microsoft.")
"""Classes that Exchange gives as messages or plain items although they are no mail."""


def message_kind(item_class: str) -> ItemKind:
    """What is given as a message is, by its class."""
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
    """An item of its values, which are taken over; what has no field of its own stays in the metadata."""
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
        content_key=content_key((move_key, kind, item_class, subject, str(size)), values) if move_key else "",
        subject=subject,
        size=size,
        is_read=take("is_read", None),
        private=values.get("sensitivity") == "Private",
        at=at,
        addresses=tuple({address.lower() for address in addresses if address}),
        metadata={name: value for name, value in values.items() if value or value is False},
    )


def content_key(always: tuple[str, ItemKind, str, str, str], values: Mapping[str, Any]) -> str:
    """Equal only when the content is: what identifies a sent or received message, or the last change of the rest.

    A move changes id, change key and, on some servers, the last-modified time. Mail that was sent or received is not
    edited in place without its size or one of these changing; drafts and every other kind are, so for them the
    last-modified time counts and a move that changes it costs one download. Read flag, categories and follow-up flag
    are not content. `always` is the move key, the kind, the item class, the subject and the size.
    """
    told = values.get
    parts: tuple[str, ...]
    if always[1] is ItemKind.MESSAGE and not told("draft"):
        parts = (*always, told("internet_message_id", ""), told("received", ""), told("sent", ""))
    else:
        parts = (*always, told("modified", ""))
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
