"""Ids as Graph writes them.

The default id of a message, event, contact, task or folder is its EWS id in URL-safe letters; it changes with a move.
An immutable id (`Prefer: IdType="ImmutableId"`) stays with an item while it is in its mailbox; folders have none.
Source: learn.microsoft.com/graph/outlook-immutable-id; all published example ids fit the first rule. A mailbox can be
set to break it (spelling.py).
"""

import base64
import binascii
import uuid
from datetime import UTC, datetime

from sandbox.graph.wire.errors import malformed_id
from sandbox.graph.wire.spelling import masked_id
from sandbox.mailboxes import ids
from sandbox.mailboxes.store import Item

_IMMUTABLE = b"\x00\x09\x00\x2e\x00\x00\x00\x00\x00\x1d\x84\x03\x11\xaa\x66\x11\xcd\x9b\xc8"
_OCCURRENCE = b"\x01\x51"


def rest_id(ews_id: str) -> str:
    """The default id behind an EWS id."""
    return masked_id(ews_id).replace("/", "-").replace("+", "_")


def ews_id(rest: str) -> str:
    """The EWS id behind a default id. Raises GraphError where it is no id at all."""
    found = rest.replace("-", "/").replace("_", "+")
    try:
        base64.b64decode(found, validate=True)
        return masked_id(found)
    except binascii.Error:
        raise malformed_id() from None


def item_id(item: Item, immutable: bool, original: datetime | None = None) -> str:
    """An item's id in the format that the request asked for; of a series one occurrence's."""
    if immutable:
        return immutable_id(item, original)
    return rest_id(ids.occurrence_id(item.id, original) if original else item.id)


def immutable_id(item: Item, original: datetime | None = None) -> str:
    """An item's immutable id: the mailbox and the item's permanent key."""
    guid = uuid.UUID(item.folder.mailbox.guid).bytes
    tail = _OCCURRENCE + int(original.timestamp()).to_bytes(8, signed=True) if original else b""
    return base64.urlsafe_b64encode(_IMMUTABLE + guid + item.immutable_key + tail).decode()


def read_immutable(text: str) -> tuple[str, bytes] | None:
    """The mailbox's guid and the item's permanent key (with an occurrence's tail) of an immutable id, else None."""
    try:
        raw = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error:
        return None
    start = len(_IMMUTABLE)
    if not raw.startswith(_IMMUTABLE) or len(raw) not in (start + 32, start + 42):
        return None
    return str(uuid.UUID(bytes=raw[start : start + 16])), raw[start + 16 :]


def original_of(key: bytes) -> datetime | None:
    """The original start of the occurrence that an immutable id names; None when it names an item."""
    tail = key[16:]
    return datetime.fromtimestamp(int.from_bytes(tail[len(_OCCURRENCE) :], signed=True), UTC) if tail else None
