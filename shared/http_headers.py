"""Reads HTTP response headers: the seconds to wait, and a claims challenge.

The headers are a mapping with lower-case names, or one that ignores case.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_CLAIMS = re.compile(r'claims="([A-Za-z0-9+/_=-]{1,8192})"')


def _utc_now() -> datetime:
    return datetime.now(UTC)


def retry_after_of(headers: Mapping[str, str], clock: Callable[[], datetime] = _utc_now) -> float | None:
    """Retry-After in seconds, 0 to 86,400, from a number of seconds or a date; None if absent or malformed."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(min(int(value[:7]), 86_400))
    try:
        wait = (parsedate_to_datetime(value) - clock()).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(wait, 0.0), 86_400.0)


def claims_of(headers: Mapping[str, str]) -> str:
    """The claims challenge of a 401 (continuous access evaluation), as JSON text to pass on at sign-in."""
    match = _CLAIMS.search(headers.get("www-authenticate", ""))
    if match is None:
        return ""
    try:
        return base64.urlsafe_b64decode(match[1].replace("+", "-").replace("/", "_") + "===").decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
