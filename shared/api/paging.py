"""Cursors: opaque texts that say where the next page begins. They are not secret, and not trusted either."""

import base64
import binascii
from typing import Annotated

from msgspec import Meta

from shared.api.errors import Malformed

Cursor = Annotated[str, Meta(max_length=4000)]
"""The parameter `cursor`: `next` of the page before."""


EXPECTED_CURSOR = "`next` of the page before, with the same other parameters; begin again without `cursor`"
"""What a cursor must be, for the problem document."""


def encode_cursor(place: str) -> str:
    """The cursor of a place; empty for an empty one."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, parameter: str = "cursor") -> str:
    """The place of a cursor. Raises Malformed."""
    try:
        place = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error) as exc:
        raise Malformed(parameter, expected=EXPECTED_CURSOR) from exc
    if not place.isprintable() or "'" in place:
        raise Malformed(parameter, expected=EXPECTED_CURSOR)
    return place
