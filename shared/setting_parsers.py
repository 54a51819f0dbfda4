"""The parsers of setting values. Each returns the typed value, or raises ValueError with what is wrong with it.

The text of an error names what is expected and never quotes the value.
"""

import re
from collections.abc import Callable
from datetime import date
from urllib.parse import urlsplit

_TENANT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def text(value: str) -> str:
    """Accept any text."""
    return value


def url(value: str) -> str:
    """Parse an https URL; a slash at its end is dropped."""
    try:
        parts = urlsplit(value)
    except ValueError:  # its text would quote the value
        raise ValueError("must be an https:// URL") from None
    if parts.scheme != "https" or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("must be an https:// URL without query or fragment")
    return value.rstrip("/")


def url_or_none(value: str) -> str:
    """An https URL, or nothing."""
    return url(value) if value else ""


def app_address(value: str) -> str:
    """Parse the app's own address. It has no path, because its pages and cookies apply to a whole host."""
    address = url(value)
    if urlsplit(address).path:
        raise ValueError("must be an https:// URL without a path")
    return address


def number(least: int, most: int) -> Callable[[str], int]:
    """Return a parser of whole numbers within these bounds."""

    def parse(value: str) -> int:
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(value)

    return parse


def choice(*allowed: str) -> Callable[[str], str]:
    """Return a parser of one of these words."""

    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return value

    return parse


def day(value: str) -> str:
    """Parse a day, YYYY-MM-DD."""
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise ValueError("must be a day, YYYY-MM-DD") from None


def flag(value: str) -> bool:
    """Parse true or false."""
    return choice("true", "false")(value.lower()) == "true"


_LIST_PART = re.compile(r"(?:\\[\\,]|[^,])+")
_ESCAPED = re.compile(r"\\([\\,])")


def comma_list(value: str) -> tuple[str, ...]:
    """Split entries at commas. In an entry, a backslash escapes a comma or a backslash."""
    parts = (_ESCAPED.sub(r"\1", part).strip() for part in _LIST_PART.findall(value))
    return tuple(part for part in parts if part)


def tenant(value: str) -> str:
    """Parse a tenant id as tokens contain it. A domain name is not accepted, because tokens do not contain it."""
    if not _TENANT.fullmatch(value):
        raise ValueError("must be a tenant id (8-4-4-4-12 hexadecimal digits)")
    return value.lower()


def tenants(value: str) -> tuple[str, ...]:
    """Parse the tenants whose accounts may sign in: tenant ids, or the word organizations."""
    named = comma_list(value)
    if not named:
        raise ValueError("must name a tenant, or be organizations")
    if named == ("organizations",):
        return named
    return tuple(map(tenant, named))


def schedule(value: str) -> str:
    """Check an NCRONTAB schedule."""
    from shared.scheduling.ncrontab import Schedule

    Schedule.parse(value)
    return value


def tenant_or_none(value: str) -> str:
    """Parse a tenant id that may be absent."""
    return tenant(value) if value else ""


def client_ids(value: str) -> tuple[str, ...]:
    """Parse client ids of app registrations."""
    if not all(map(_TENANT.fullmatch, comma_list(value))):
        raise ValueError("must be client ids (8-4-4-4-12 hexadecimal digits)")
    return tuple(named.lower() for named in comma_list(value))


def url_list(value: str) -> tuple[str, ...]:
    """Parse https URLs, separated by commas."""
    return tuple(url(part) for part in comma_list(value))


def color(value: str) -> str:
    """Parse a color, #rrggbb, that white text can be read on."""
    from shared.pages.colors import parse_color

    return parse_color(value)


def png_in_base64(value: str) -> bytes:
    """Parse a small PNG file, written in base64."""
    from shared.pages.logo import parse_logo

    return parse_logo(value)
