"""A pack: the contents of one page in a plain ZIP, with each member readable by a ranged read.

Members are stored, not deflated (docs/decisions/0005-packs-and-deletion.md): the bytes at an item's offset are its
content.
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
