"""Compact ASCII JSON, as it is written into Storage.

msgspec reads and writes it in a fraction of the json module's time. What msgspec does not take, the json module does:
text beyond ASCII is escaped, and an unpaired surrogate, which is no Unicode, does no harm.
"""

import json
from collections.abc import Callable
from typing import Any

import msgspec

type Dump = Callable[[object], str]
"""Encodes a value."""

_ESCAPED = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode

_MOST_CHARACTERS = 8_000
"""Longer texts are rare, and a page of them would take much memory."""


def dump(value: object) -> str:
    """Encode a value that does not contain itself. No text in the result has a line separator."""
    try:
        encoded = msgspec.json.encode(value)
    except (UnicodeEncodeError, TypeError):
        return _ESCAPED(value)
    return encoded.decode() if encoded.isascii() else _ESCAPED(value)


def load(data: str | bytes) -> Any:
    """Decode a value. Raises ValueError if it is not JSON."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError):
        return json.loads(data)


class RememberedDump:
    """Encodes as `dump` does and remembers the text of each object, which a page needs three times. For one thread."""

    def __init__(self) -> None:
        self._texts: dict[int, tuple[object, str]] = {}

    def __call__(self, value: object) -> str:
        """Encode the value, which must not change meanwhile."""
        found = self._texts.get(id(value))
        if found is not None:
            return found[1]
        text = dump(value)
        if len(text) <= _MOST_CHARACTERS:
            # The object is kept, so that no other one gets its id.
            self._texts[id(value)] = (value, text)
        return text
