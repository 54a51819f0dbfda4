"""The groups in Table Storage: the table `groups`, one partition."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from shared.mailboxes.groups.model import Group, GroupSettings
from shared.sources.model import ContentLevel
from shared.storage.azure_errors import raise_conflict, raise_not_found, translate_errors
from shared.storage.row_mapping import from_row, readable, reading_one_row, to_row
from shared.storage.table import change_row, replace_row

if TYPE_CHECKING:
    from azure.data.tables import TableServiceClient

_PARTITION = "group"
_LISTS = ("folders_in", "folders_out", "exclude")
_APART = frozenset({"settings", "version"})


class TableGroups:
    """Implements GroupStore."""

    def __init__(self, tables: "TableServiceClient") -> None:
        self._table = tables.get_table_client("groups")

    def add(self, group: Group) -> Group:
        """Create the row."""
        with translate_errors():
            stored = raise_conflict(lambda: self._table.create_entity(_row(group)))
        return group.with_changes(version=stored["etag"])

    def get(self, name: str) -> Group:
        """Read one row."""
        with translate_errors():
            return _group(raise_not_found(lambda: self._table.get_entity(_PARTITION, name)))

    def all(self) -> list[Group]:
        """Read the partition, which is ordered by the row keys. A group that this version cannot read is left out."""
        with translate_errors():
            return list(readable(_group, self._table.query_entities(f"PartitionKey eq '{_PARTITION}'")))

    def change(self, name: str, change: Callable[[Group], Group]) -> Group:
        """Replace the row under its ETag."""

        def replace(before: Group, after: Group) -> Group:
            stored = replace_row(self._table, _row(after), before.version)
            return after.with_changes(version=stored["etag"])

        return change_row(lambda: self.get(name), change, replace)

    def delete(self, group: Group) -> None:
        """Delete the row under its ETag."""
        from azure.core import MatchConditions

        unchanged = MatchConditions.IfNotModified
        with translate_errors():
            raise_conflict(
                lambda: self._table.delete_entity(_PARTITION, group.name, etag=group.version, match_condition=unchanged)
            )


def _row(group: Group) -> dict[str, Any]:
    lists = {name: json.dumps(value) for name, value in group.settings.own().items() if name in _LISTS}
    settings = to_row(group.settings, without=frozenset(_LISTS)) | lists
    return {"PartitionKey": _PARTITION, "RowKey": group.name} | to_row(group, without=_APART) | settings


def _group(row: Any) -> Group:
    return from_row(Group, row, settings=_settings(row), version=row.metadata["etag"])


def _settings(row: Mapping[str, Any]) -> GroupSettings:
    with reading_one_row():
        lists = {name: tuple(json.loads(row[name])) for name in _LISTS if name in row}
        content = ContentLevel(row["content"]) if "content" in row else None
    return from_row(GroupSettings, row, content=content, **lists)
