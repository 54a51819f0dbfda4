"""Converts the program's values to those of the API's JSON."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.mailboxes.model import Mailbox

_HIDDEN_FIELDS = frozenset({"claims", "version", "shard", "authorization_id", "outbox"})


def mailbox_json(mailbox: "Mailbox") -> dict[str, Any]:
    """Convert a mailbox, without its internal fields."""
    return json_values({name: value for name, value in asdict(mailbox).items() if name not in _HIDDEN_FIELDS})


def json_values(values: Mapping[str, Any], without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Convert values to JSON types: times become ISO 8601 texts, enumerations their values."""
    return {name: _json_value(value) for name, value in values.items() if name not in without}


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value
