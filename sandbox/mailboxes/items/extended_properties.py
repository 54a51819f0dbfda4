"""Extended (MAPI) properties of items and folders: computed ones, and those that a client has set.

A key is a property's name in the attributes that EWS uses, in a fixed order and spelling.
"""

import base64
from collections.abc import Callable
from datetime import UTC, datetime

import pybase64

from sandbox.mailboxes.fragments import flag, when
from sandbox.mailboxes.ids import entry_of
from sandbox.mailboxes.items.content import size
from sandbox.mailboxes.items.mapi_properties import NAMED, TAGGED
from sandbox.mailboxes.store import Folder, Item

PROPERTY_SETS = {
    "Meeting": "6ed8da90-450b-101b-98da-00aa003f1305",
    "Appointment": "00062002-0000-0000-c000-000000000046",
    "Common": "00062008-0000-0000-c000-000000000046",
    "PublicStrings": "00020329-0000-0000-c000-000000000046",
    "Address": "00062004-0000-0000-c000-000000000046",
    "InternetHeaders": "00020386-0000-0000-c000-000000000046",
    "CalendarAssistant": "11000e07-b51b-40d6-af21-caa85edab1d0",
    "UnifiedMessaging": "4442858e-a9e3-4e80-b900-317a210cc15b",
    "Task": "00062003-0000-0000-c000-000000000046",
    "Sharing": "00062040-0000-0000-c000-000000000046",
}
"""The property sets that EWS also knows by name."""


def tag_key(tag: int, kind: str) -> str:
    """The key of a property with a tag."""
    return f'PropertyTag="0x{tag:x}" PropertyType="{kind}"'


def named_keys(guid: str, name: str | int, kind: str) -> list[str]:
    """The keys under which a named property may be stored: by the set's id and, if it has one, by the set's name."""
    which = f'PropertyId="{name}"' if isinstance(name, int) else f'PropertyName="{name}"'
    sets = [known for known, its in PROPERTY_SETS.items() if its == guid.lower()]
    by_name = [f'DistinguishedPropertySetId="{known}" {which} PropertyType="{kind}"' for known in sets]
    return [f'PropertySetId="{guid.lower()}" {which} PropertyType="{kind}"', *by_name]


def item_value(item: Item, key: str) -> str:
    """An item's property: plain text, or a fragment if a client has set it; empty when there is none."""
    read = _OF_ITEMS.get(key)
    if read is not None:
        return read(item)
    derived = _DERIVED.get(key)
    return item.extended.get(key) or (derived(item) if derived else "")


def folder_value(folder: Folder, key: str) -> str:
    """A folder's property, in the same form as an item's."""
    read = _OF_FOLDERS.get(key)
    return read(folder) if read else folder.extended.get(key, "")


def _transport_headers(item: Item) -> str:
    raw = item.content() or b""
    return raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode("latin-1")


_OF_ITEMS: dict[str, Callable[[Item], str]] = {
    'PropertyTag="0x300b" PropertyType="Binary"': lambda item: pybase64.b64encode(item.search_key).decode(),
    'PropertyTag="0xfff" PropertyType="Binary"': lambda item: base64.b64encode(entry_of(item.id)[1]).decode(),
    'PropertyTag="0xe08" PropertyType="Integer"': lambda item: str(size(item)),
    'PropertyTag="0x1a" PropertyType="String"': lambda item: item.item_class,
    'PropertyTag="0x37" PropertyType="String"': lambda item: item.text("Subject"),
    'PropertyTag="0x1035" PropertyType="String"': lambda item: item.text("InternetMessageId"),
    'PropertyTag="0x3007" PropertyType="SystemTime"': lambda item: when(item.created),
    'PropertyTag="0x3008" PropertyType="SystemTime"': lambda item: when(item.modified),
    'PropertyTag="0xe06" PropertyType="SystemTime"': lambda item: item.text("DateTimeReceived"),
    'PropertyTag="0xe07" PropertyType="Integer"': lambda item: "1" if item.is_read else "0",
    'PropertyTag="0x7d" PropertyType="String"': _transport_headers,
}

_DERIVED: dict[str, Callable[[Item], str]] = {
    **{tag_key(tag, kind): read for (tag, kind), read in TAGGED.items()},
    **{key: read for (guid, which, kind), read in NAMED.items() for key in named_keys(guid, which, kind)},
}
"""Computed properties. A value that a client has set takes precedence."""

COMMIT_TIME = 'PropertyTag="0x670a" PropertyType="SystemTime"'
DELETED_COUNT = 'PropertyTag="0x670b" PropertyType="Integer"'


def _commit_time(folder: Folder) -> str:
    """0x670A in the resolution of this mailbox's server; empty when it has none."""
    if folder.mailbox.marks == "absent":
        return ""
    return _stamp(folder.committed) if folder.mailbox.marks == "exact" else when(folder.committed)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


_OF_FOLDERS: dict[str, Callable[[Folder], str]] = {
    COMMIT_TIME: _commit_time,
    DELETED_COUNT: lambda folder: "" if folder.mailbox.marks == "absent" else str(folder.deleted_total),
    'PropertyTag="0x3001" PropertyType="String"': lambda folder: folder.name,
    'PropertyTag="0x3613" PropertyType="String"': lambda folder: folder.folder_class,
    'PropertyTag="0x3602" PropertyType="Integer"': lambda folder: str(folder.total),
    'PropertyTag="0x3603" PropertyType="Integer"': lambda folder: str(folder.unread),
    'PropertyTag="0x3601" PropertyType="Integer"': lambda folder: "0" if folder.parent is None else "1",
    'PropertyTag="0x10f4" PropertyType="Boolean"': lambda folder: flag(folder.hidden),
    'PropertyTag="0x3007" PropertyType="SystemTime"': lambda folder: when(folder.created),
    'PropertyTag="0x3008" PropertyType="SystemTime"': lambda folder: when(folder.committed),
    'PropertyTag="0xfff" PropertyType="Binary"': lambda folder: base64.b64encode(entry_of(folder.id)[1]).decode(),
    'PropertyTag="0xe08" PropertyType="Long"': lambda folder: str(sum(item.size for item in folder.items.values())),
}
