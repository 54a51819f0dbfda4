"""Extended properties over Graph: how a client names them, and how the service spells them in its answers.

A client asks `Integer 0x0E08` and is answered `Integer 0xe08` (lower case, no leading zeros): whoever compares the
strings finds nothing. Source: learn.microsoft.com/graph/api/resources/extended-properties-overview; the spelling is
what Thunderbird's tests and DavMail expect.
"""

import re
from dataclasses import dataclass

from sandbox.graph.wire import spelling
from sandbox.graph.wire.errors import parse_error
from sandbox.mailboxes.fragments import text_of
from sandbox.mailboxes.items.extended_properties import folder_value, item_value, named_keys, tag_key
from sandbox.mailboxes.store import Folder, Item

_TYPES = {
    name.lower(): name
    for name in (
        "ApplicationTime", "Binary", "Boolean", "CLSID", "Currency", "Double", "Error", "Float", "Integer", "Long",
        "Null", "Object", "Short", "String", "SystemTime",
    )
}  # fmt: skip
_SIZE = "Integer 0xe08"
_NAME = re.compile(
    r"^(?P<type>\w+?)(?P<array>Array)? (?:(?P<tag>0x[0-9a-f]{1,8})|\{(?P<guid>[0-9a-f-]{36})\} "
    r"(?:Id (?P<id>0x[0-9a-f]{1,8})|Name (?P<name>.+)))$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ExtendedProperty:
    """One property asked for: the id in the answer's spelling, and the keys under which the store may have it."""

    id: str
    keys: tuple[str, ...]
    kind: str

    def of_item(self, item: Item) -> str:
        """Its value of an item; empty when there is none."""
        value = next((_plain(value) for key in self.keys if (value := item_value(item, key))), "")
        return spelling.size(value) if self.id == _SIZE else value

    def of_folder(self, folder: Folder) -> str:
        """Its value of a folder; empty when there is none."""
        return next((_plain(value) for key in self.keys if (value := folder_value(folder, key))), "")


def _plain(value: str) -> str:
    """A value without the element that a client of EWS has put it in."""
    return text_of(value) if value.startswith("<t:Value>") else value


def read(name: str) -> ExtendedProperty:
    """A property by the name that a client gives it. Raises GraphError."""
    found = _NAME.match(name.strip())
    kind = _TYPES.get(found["type"].lower()) if found else None
    if found is None or kind is None:
        raise parse_error(f"The extended property id '{name}' is not valid.")
    kind += "Array" if found["array"] else ""
    if found["tag"]:
        tag = int(found["tag"], 16)
        return ExtendedProperty(f"{kind} 0x{tag:x}", (tag_key(tag, kind),), kind)
    guid = found["guid"].lower()
    named: str | int = int(found["id"], 16) if found["id"] else found["name"]
    shown = f"Id 0x{named:x}" if isinstance(named, int) else f"Name {named}"
    return ExtendedProperty(f"{kind} {{{guid}}} {shown}", tuple(named_keys(guid, named, kind)), kind)
