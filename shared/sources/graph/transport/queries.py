"""Writes the queries of requests: what is selected, and which extended properties are expanded."""

from collections.abc import Iterable
from urllib.parse import quote

_SAFE = "$(),=;/'{}-_.:"


def query(**options: str) -> str:
    """Options as a query: `select="id"` is $select=id. Spaces are written %20: a "+" would be one to the service."""
    return "?" + "&".join(f"${name}={quote(value, safe=_SAFE)}" for name, value in options.items())


def extended(properties: Iterable[str]) -> str:
    """The $expand of extended properties, each named by its type and tag, or by its type, set and number."""
    wanted = " or ".join(f"id eq '{each}'" for each in properties)
    return f"singleValueExtendedProperties($filter={wanted})"
