"""Writes attachments into iCalendar files."""

from collections.abc import Iterable, Sequence

import pybase64

from shared.formats.addresses import link
from shared.formats.contentlines import line, text_line
from shared.formats.values.common import Attachment

_BINARY = "application/octet-stream"


def attachments(items: Sequence[Attachment]) -> Iterable[str]:
    """An ATTACH line with the bytes for each attachment (RFC 5545, 3.8.1.1; FILENAME and SIZE: RFC 8607).

    A line X-MISSING-ATTACHMENT names an attachment without bytes, so that the file does not appear complete.
    """
    for item in items:
        if item.data is not None:
            yield _with_bytes(item, item.data)
        elif item.url:
            yield line("ATTACH", link(item.url), {"FMTTYPE": item.media_type, "FILENAME": item.name})
        else:
            yield text_line("X-MISSING-ATTACHMENT", item.name or "unnamed", {"SIZE": str(item.size or "")})


def _with_bytes(item: Attachment, data: bytes) -> str:
    parameters = {
        "FMTTYPE": item.media_type or _BINARY,
        "FILENAME": item.name,
        "SIZE": str(len(data)),
        "X-CONTENT-ID": item.content_id,
        "ENCODING": "BASE64",
        "VALUE": "BINARY",
    }
    return line("ATTACH", pybase64.b64encode(data).decode(), parameters)
