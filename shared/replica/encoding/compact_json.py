"""Compact ASCII JSON, as the replica stores it.

`json.dumps` with separators creates an encoder for each call, and this program writes several values per item.
"""

import json
from collections.abc import Callable

type Dump = Callable[[object], str]
"""Encodes a value."""

dump: Dump = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
"""Encode a value that does not contain itself. No text in the result has a line separator, and an unpaired surrogate
does no harm."""

_MOST_CHARACTERS = 8_000
"""Longer texts are rare, and a page of them would take much memory."""


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
