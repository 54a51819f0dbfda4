"""Contents over HTTP: ETag, If-None-Match, and one byte range (RFC 9110, sections 8.8.3, 13, and 14)."""

import re
from urllib.parse import quote

from shared.api.calls import Conditions, RawAnswer
from shared.api.errors import Missing, naming
from shared.api.resources.items import media_type
from shared.replica.port import ContentLocation
from shared.replica.reading.port import ReplicaReader

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)
MAX_TRIES = 3
"""How often an item is read again whose content has moved meanwhile: compaction moves a content once a day at most."""


def content_answer(reader: ReplicaReader, mailbox_id: str, key: str, conditions: Conditions) -> RawAnswer:
    """Answer a request for an item's content. Two requests to storage; one if the client has it already.

    Raises:
        Missing: there is no such item, or it has no content.
    """
    for _ in range(MAX_TRIES):
        with naming("item"):
            located = reader.item(mailbox_id, key).located
        if located is None:
            break
        headers = _headers(key, located)
        kind = media_type(located.form)
        if _names(conditions.if_none_match, headers["ETag"]):
            return RawAnswer(b"", kind, 304, headers)
        wanted = _wanted_range(conditions, located, headers["ETag"])
        if wanted is None:
            return RawAnswer(b"", kind, 416, {"Content-Range": f"bytes */{located.length}", "ETag": headers["ETag"]})
        start, length = wanted
        data = reader.content(mailbox_id, located, start, length)
        if data is None:
            continue
        if length == located.length:
            return RawAnswer(data, kind, 200, headers)
        part = {"Content-Range": f"bytes {start}-{start + length - 1}/{located.length}"}
        return RawAnswer(data, kind, 206, headers | part)
    raise Missing("content")


def _headers(key: str, located: ContentLocation) -> dict[str, str]:
    return {
        "ETag": f'"{located.sha256}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        **attachment_headers(f"{key}.{located.form}"),
    }


def attachment_headers(name: str) -> dict[str, str]:
    """The headers that keep a browser from running what somebody sent: it is saved, or shown without any rights."""
    plain = re.sub(r"[^A-Za-z0-9 ._-]", "_", name)[:100] or "attachment"
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name[:200], safe='')}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }


def _names(header: str, etag: str) -> bool:
    """Whether If-None-Match names this ETag. It compares weakly."""
    given = [each.strip().removeprefix("W/") for each in header.split(",")]
    return "*" in given or etag in given


def _wanted_range(conditions: Conditions, located: ContentLocation, etag: str) -> tuple[int, int] | None:
    """The start and length to read; the whole for a header that is not understood; None: beyond the end."""
    whole = (0, located.length)
    if not conditions.range or (conditions.if_range and conditions.if_range != etag):
        return whole
    found = _RANGE.fullmatch(conditions.range.strip())
    if found is None or not any(found.groups()):
        return whole
    first, last = found.groups()
    if not first:
        length = min(int(last), located.length)
        return (located.length - length, length) if length else None
    start, end = int(first), min(int(last or located.length - 1), located.length - 1)
    if last and int(last) < start:
        return whole
    return (start, end - start + 1) if start < located.length else None
