"""Writes the queries of requests: what is selected, and which extended properties are expanded."""

from collections.abc import Iterable
from urllib.parse import quote

_SAFE = "$(),=;/'{}-_.:"


def query(**options: str) -> str:
    """Return options as a query: `select="id"` is $select=id. A space is %20, since the service takes "+" literally."""
    return "?" + "&".join(f"${name}={quote(value, safe=_SAFE)}" for name, value in options.items())


def extended(properties: Iterable[str]) -> str:
    """The $expand of extended properties, each named by its type and tag, or by its type, set and number."""
    wanted = " or ".join(f"id eq '{each}'" for each in properties)
    return f"singleValueExtendedProperties($filter={wanted})"
