"""Compact ASCII JSON, as the replica stores it.

`json.dumps` with separators creates an encoder for each call, and this program writes several values per item.
"""

import json
from collections.abc import Callable

dump: Callable[[object], str] = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
"""Encode a value that does not contain itself. No text in the result has a line separator, and an unpaired surrogate
does no harm."""
