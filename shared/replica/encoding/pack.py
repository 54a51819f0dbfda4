"""A pack: the contents of one page in a plain ZIP, with each member readable by a ranged read.

Members are stored, not deflated (docs/decisions/0005-packs-and-deletion.md): the bytes at an item's offset are its
content.
"""

import hashlib
import secrets
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from zlib import crc32

from shared.replica.port import ContentLocation
from shared.sources.model import Content

_VERSION = 20
_MADE_BY = 3 << 8 | _VERSION
_STORED = 0
_DATE = 1 << 5 | 1
"""1 January 1980, the first day of ZIP: packs do not depend on the clock."""
_PERMISSIONS = 0o600 << 16

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
"""The records of a ZIP file (APPNOTE.TXT 4.3.7, 4.3.12, and 4.3.16). Writing them costs a third of what zipfile costs,
and copies each content once. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT"""


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack that is ready to write: its blob name, its bytes, and the location of each item's content."""

    name: str
    data: bytes
    located: dict[str, ContentLocation]


def build(mailbox_id: str, sequence: int, contents: Iterable[tuple[str, Content]]) -> Pack:
    """Build the pack of one page from item keys and their contents, each key once.

    The name is unique to this attempt. Two attempts at a page never share a pack, even with the same contents, so
    deleting an abandoned pack cannot delete another attempt's pack.
    """
    name = f"{prefix(mailbox_id, sequence)}{secrets.token_hex(8)}.zip"
    parts: list[bytes] = []
    directory: list[bytes] = []
    located: dict[str, ContentLocation] = {}
    end = 0
    for key, content in contents:
        header, entry = _records(f"{key}.{content.form}".encode(), content.data, end)
        offset, length = end + len(header), len(content.data)
        located[key] = ContentLocation(name, offset, length, content.form, digest_of(content.data))
        parts += [header, content.data]
        directory.append(entry)
        end = offset + length
    size = sum(map(len, directory))
    closing = _END.pack(b"PK\x05\x06", 0, 0, len(located), len(located), size, end, 0)
    return Pack(name, b"".join([*parts, *directory, closing]), located)


def _records(name: bytes, data: bytes, offset: int) -> tuple[bytes, bytes]:
    """The header before a member, and the member's entry in the directory. Names are ASCII."""
    digest, size = crc32(data), len(data)
    common = (_VERSION, 0, _STORED, 0, _DATE, digest, size, size, len(name), 0)
    header = _LOCAL.pack(b"PK\x03\x04", *common) + name
    entry = _CENTRAL.pack(b"PK\x01\x02", _MADE_BY, *common, 0, 0, 0, _PERMISSIONS, offset) + name
    return header, entry


def prefix(mailbox_id: str, sequence: int) -> str:
    """The prefix of all pack names of one page. The number has ten digits, so that names sort like numbers."""
    return f"{mailbox_id}/{sequence:010d}-"


def sequence_of(name: str) -> int:
    """The number of the feed page that a pack was built for."""
    return int(name.rpartition("/")[2].partition("-")[0])


def digest_of(data: bytes) -> str:
    """The digest of a content, as in `ContentLocation.sha256`."""
    return hashlib.sha256(data).hexdigest()


def is_whole(located: ContentLocation, data: bytes) -> bool:
    """Whether `data` is what was stored: its length and digest match."""
    return len(data) == located.length and digest_of(data) == located.sha256
