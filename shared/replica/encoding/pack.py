"""A pack: one page's contents in a plain ZIP, each member where a ranged read finds it.

Members are stored, not deflated (docs/decisions/0005): the bytes at an item's offset are the item.
"""

import hashlib
import io
import secrets
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

from shared.replica.port import ContentLocation
from shared.sources.port import Content

_LOCAL_HEADER = 30
"""Bytes of a ZIP local file header before the member's name (APPNOTE.TXT 4.3.7); no extra field is written."""


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack that is ready to be written: its blob name, its bytes, and where each item's content lies."""

    name: str
    data: bytes
    located: dict[str, ContentLocation]


def build(mailbox_id: str, sequence: int, contents: Iterable[tuple[str, Content]]) -> Pack:
    """The pack of one page: keys and their contents, each key once.

    The name is of this attempt alone: two attempts at a page, even with the same contents, never share a pack, so that
    sweeping what one has left behind cannot take it from the other.
    """
    name = f"{prefix(mailbox_id, sequence)}{secrets.token_hex(8)}.zip"
    buffer = io.BytesIO()
    located = {}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for key, content in contents:
            entry = zipfile.ZipInfo(f"{key}.{content.form}")
            archive.writestr(entry, content.data)
            offset = entry.header_offset + _LOCAL_HEADER + len(entry.filename)
            located[key] = ContentLocation(name, offset, len(content.data), content.form, digest_of(content.data))
    return Pack(name, buffer.getvalue(), located)


def prefix(mailbox_id: str, sequence: int) -> str:
    """What the names of all packs of one page begin with; ten digits, so that names sort as numbers do."""
    return f"{mailbox_id}/{sequence:010d}-"


def sequence_of(name: str) -> int:
    """The feed page that a pack was made for."""
    return int(name.rpartition("/")[2].partition("-")[0])


def digest_of(data: bytes) -> str:
    """What `ContentLocation.sha256` says of a content."""
    return hashlib.sha256(data).hexdigest()


def is_whole(located: ContentLocation, data: bytes) -> bool:
    """Whether these are the bytes that were stored."""
    return len(data) == located.length and digest_of(data) == located.sha256
