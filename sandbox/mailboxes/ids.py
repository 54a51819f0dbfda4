"""Exchange's opaque ids: base64 of the mailbox's id and an entry id; case-sensitive, about 150 characters.

An item's entry id contains its folder, so a move changes it. A change key contains the commit that last changed the
item or folder.
"""

import base64
import binascii
import struct
from datetime import UTC, datetime, timedelta

_HEAD = b"\x00\x03$\x00"
_OCCURRENCE = b"\x15\x10\x08\x08"
_GUID = 36
_BETWEEN = b"\x00F\x00\x00\x00\x00\x00"
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)

FOLDER_ENTRY, ITEM_ENTRY = 46, 70


def folder_entry(store: bytes, number: int) -> bytes:
    """A folder's entry id; `store` is the 16 bytes that identify this incarnation of the mailbox."""
    return bytes(4) + store + b"\x01\x00" + store[::-1] + number.to_bytes(6) + bytes(2)


def item_entry(store: bytes, folder: int, number: int) -> bytes:
    """An item's entry id, which contains its folder too."""
    here = store[::-1] + folder.to_bytes(6) + bytes(2)
    return bytes(4) + store + b"\x07\x00" + here + store[::-1] + number.to_bytes(6) + bytes(2)


def ews_id(mailbox: str, entry: bytes) -> str:
    """The id that EWS shows for an entry id."""
    return base64.b64encode(_HEAD + mailbox.encode() + _BETWEEN + entry).decode()


def entry_of(ews: str) -> tuple[str, bytes]:
    """The mailbox and the entry id in an EWS id. Raises ValueError when it is malformed."""
    try:
        raw = base64.b64decode(ews, validate=True)
    except binascii.Error as exc:
        raise ValueError("Id is malformed.") from exc
    start = len(_HEAD) + _GUID
    entry = raw[start + len(_BETWEEN) :]
    if not raw.startswith(_HEAD) or raw[start : -len(entry) or None] != _BETWEEN:
        raise ValueError("Id is malformed.")
    if len(entry) not in (FOLDER_ENTRY, ITEM_ENTRY):
        raise ValueError("Id is malformed.")
    return raw[len(_HEAD) : start].decode("ascii", "replace"), entry


def change_key(store: bytes, sequence: int, calendar: bool = False) -> str:
    """The change key of the commit with this number. Calendar items have another first byte."""
    first = b"\x0d" if calendar else b"\x09"
    return base64.b64encode(first + b"\x00\x00\x00\x16\x00\x00\x00" + store + struct.pack(">I", sequence)).decode()


def occurrence_id(master: str, original_start: datetime) -> str:
    """The id of one occurrence of a recurring item: the master's id and the occurrence's original start."""
    ticks = int((original_start - _EPOCH) / timedelta(seconds=1))
    return base64.b64encode(_OCCURRENCE + struct.pack(">Q", ticks) + base64.b64decode(master)).decode()


def occurrence_of(ews: str) -> tuple[str, datetime] | None:
    """The master's id and the original start in an occurrence's id; None for another id."""
    try:
        raw = base64.b64decode(ews, validate=True)
    except binascii.Error:
        return None
    if not raw.startswith(_OCCURRENCE) or len(raw) < 20:
        return None
    (ticks,) = struct.unpack(">Q", raw[4:12])
    return base64.b64encode(raw[12:]).decode(), _EPOCH + timedelta(seconds=ticks)
