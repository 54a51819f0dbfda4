"""Conditional writes of table rows: replacement under an ETag, and read-change-replace with retries."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from shared.errors import Conflict
from shared.storage.azure_errors import raise_conflict, translate_errors

if TYPE_CHECKING:
    from azure.data.tables import TableClient

MAX_ATTEMPTS = 12
"""How often a change is attempted when other writers conflict. With each conflict one writer succeeds, so this is
plenty."""


def replace_row(table: "TableClient", row: dict[str, Any], etag: str) -> Mapping[str, Any]:
    """Replace a row if it still has this ETag; return the service's metadata with the new `etag`.

    Raises:
        Conflict: it has changed since, or no longer exists.
    """
    from azure.core import MatchConditions
    from azure.data.tables import UpdateMode

    def replace() -> Mapping[str, Any]:
        return table.update_entity(
            row, mode=UpdateMode.REPLACE, etag=etag, match_condition=MatchConditions.IfNotModified
        )

    return raise_conflict(replace)


def change_row[T](read: Callable[[], T], change: Callable[[T], T], replace: Callable[[T, T], T]) -> T:
    """Read, change, and replace; repeat after a conflict. An unchanged value is not written.

    `replace(before, after)` writes under the ETag of `before` and returns the stored value.

    Raises:
        Conflict: other writers changed it at every attempt. Also whatever `read` raises.
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
