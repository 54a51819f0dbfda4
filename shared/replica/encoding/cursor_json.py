"""The cursor as JSON: complete in its blob; in a feed page's first line, only what changed since the previous page.

Sync states are large and a page changes few of them, so only every sixteenth page names all folders. The cursor that
follows a page is computed from that page and up to fifteen pages before it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from shared.replica.port import Cursor, FolderState
from shared.sources.exchange_names import kind_of, role_of
from shared.sources.model import FolderKind, FolderRole

FULL_CURSOR_INTERVAL = 16
"""Pages 1, 17, 33, ... name every folder."""

_DEFAULTS = FolderState(id="", path="")
_STORED_NAMES = {"change_token": "mark"}
"""The stored names of fields that have another name by now."""
_FIELDS = {name: _STORED_NAMES.get(name, name) for name in FolderState.__dataclass_fields__ if name != "id"}
"""The stored name of each field."""


def last_full_page(sequence: int) -> int:
    """The last page up to `sequence` that names every folder."""
    return (sequence - 1) // FULL_CURSOR_INTERVAL * FULL_CURSOR_INTERVAL + 1


def cursor_to_json(cursor: Cursor) -> dict[str, Any]:
    """Encode a cursor without its ETag."""
    folders = {id_: _folder_to_json(folder) for id_, folder in cursor.folders.items()}
    return {"sequence": cursor.sequence, "folders": folders, "notes": dict(cursor.notes)}


def cursor_from_json(values: Mapping[str, Any], etag: str = "") -> Cursor:
    """Decode a stored cursor."""
    folders = {id_: _folder_from_json(id_, folder) for id_, folder in values["folders"].items()}
    return Cursor(values["sequence"], folders, values["notes"], etag)


def step_to_json(before: Cursor, following: Cursor) -> dict[str, Any]:
    """Encode the cursor that follows a page, as the page's first line stores it."""
    step = cursor_to_json(following)
    if last_full_page(following.sequence) == following.sequence:
        return step | {"full": True}
    step["folders"] = {
        id_: _folder_to_json(folder) for id_, folder in following.folders.items() if folder != before.folders.get(id_)
    }
    return step | {"gone": [id_ for id_ in before.folders if id_ not in following.folders]}


def step_from_json(before: Cursor, step: Mapping[str, Any]) -> Cursor:
    """The cursor that follows a page, from the previous cursor and the page's first line."""
    named = cursor_from_json(step)
    if step.get("full"):
        return named
    gone = frozenset(step["gone"])
    kept = {id_: folder for id_, folder in before.folders.items() if id_ not in gone}
    return replace(named, folders=kept | dict(named.folders))


def apply_steps(before: Cursor, steps: Iterable[Mapping[str, Any]]) -> Cursor:
    """The cursor after several pages."""
    for step in steps:
        before = step_from_json(before, step)
    return before


def _folder_to_json(folder: FolderState) -> dict[str, Any]:
    return {
        stored: value
        for name, stored in _FIELDS.items()
        if (value := getattr(folder, name)) != getattr(_DEFAULTS, name) or name == "path"
    }


def _folder_from_json(id_: str, values: Mapping[str, Any]) -> FolderState:
    """Decode one folder's state. Earlier versions stored Exchange's container class and distinguished name instead."""
    kind, role = values.get("kind"), values.get("role")
    known = {name: values[stored] for name, stored in _FIELDS.items() if stored in values}
    known["kind"] = kind_of(values.get("folder_class", "")) if kind is None else FolderKind(kind)
    known["role"] = role_of(values.get("distinguished", "")) if role is None else FolderRole(role)
    return FolderState(id=id_, **known)
