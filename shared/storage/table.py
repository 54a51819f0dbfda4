"""Conditional writes of table rows: replace or delete under an ETag, and read-change-replace with retries."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from shared.errors import Conflict
from shared.storage.azure_errors import raise_conflict, translate_errors

if TYPE_CHECKING:
    from azure.data.tables import TableClient

MAX_ATTEMPTS = 12
"""How often a change is tried again after another writer came between. Each loser means a winner, so this is plenty."""


def replace_row(table: "TableClient", row: dict[str, Any], etag: str) -> Mapping[str, Any]:
    """Replace a row as long as it has this ETag; gives the service's metadata, with the new `etag`.

    Raises:
        Conflict: it has changed since, or is gone.
    """
    from azure.core import MatchConditions
    from azure.data.tables import UpdateMode

    def replace() -> Mapping[str, Any]:
        return table.update_entity(
            row, mode=UpdateMode.REPLACE, etag=etag, match_condition=MatchConditions.IfNotModified
        )

    return raise_conflict(replace)


def change_row[T](read: Callable[[], T], change: Callable[[T], T], replace: Callable[[T, T], T]) -> T:
    """Read, change and replace; again while another writer is faster. An unchanged value is not written.

    `replace(before, after)` writes under the ETag of `before` and gives the value as it is stored.

    Raises:
        Conflict: others changed it at every attempt. What `read` raises.
    """
    for _ in range(MAX_ATTEMPTS):
        before = read()
        after = change(before)
        if after == before:
            return before
        try:
            with translate_errors():
                return replace(before, after)
        except Conflict:
            continue
    raise Conflict("changed by others at every attempt")
