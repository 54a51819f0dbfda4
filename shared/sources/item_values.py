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
    """Unequal when the content must be downloaded: what identifies mail and its size, or the last change of the rest.

    `always` is the move key, the kind, the subject and the size; `values` the metadata.

    A move changes id, change key and, on some servers, the last-modified time; so that a moved message is recognized,
    its key leaves the time out. Drafts and every other kind are edited all the time: for them it counts, and a move
    that changes it costs one download. The stored form must not change, its empty part included, or everything would be
    downloaded again; and it must not depend on the source, or a mailbox that is moved to another would be.
    An equal key is no proof: mail can be edited in place at equal length (shared/sync/planning/same_content.py).
    """
    move_key, kind, subject, size = always
    told = values.get
    parts: tuple[str, ...] = (move_key, kind, "", subject, str(size))
    if kind is ItemKind.MESSAGE and not told("draft"):
        parts = (*parts, told("internet_message_id", ""), told("received", ""), told("sent", ""))
    else:
        parts = (*parts, told("modified", ""))
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
