"""Compares a replica with a snapshot of its mailbox, item by item; the demo and the e2e tests use it.

It is independent of the sync on purpose: the expected items come from the sandbox's control port alone, and every
content is read back from Storage.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from shared.errors import ItemUnusable, NotFound
from shared.replica.port import Replica, ReplicaItem

LEFT_OUT = ("junkemail", "deleteditems")
"""The folders that are not synced by default, by distinguished name."""

READERS = 8


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result: the number of expected items, and the ids of items that are missing, extra, or different."""

    items: int
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    """Each entry is "id: what differs"."""

    @property
    def is_equal(self) -> bool:
        """Whether the replica equals the mailbox."""
        return not (self.missing or self.extra or self.different)

    def __str__(self) -> str:
        found = (f"{name} {list(ids)[:5]}" for name, ids in self._kinds() if ids)
        return f"{self.items} items; " + ("; ".join(found) or "all equal")

    def _kinds(self) -> list[tuple[str, tuple[str, ...]]]:
        return [("missing", self.missing), ("extra", self.extra), ("different", self.different)]


def compare(
    truth: Mapping[str, Any],
    replica: Replica,
    mailbox_id: str,
    left_out: Iterable[str] = LEFT_OUT,
    *,
    over_graph: bool = False,
    was_moved: bool = False,
) -> Comparison:
    """Compare a snapshot from the control port (/truth) with the replica.

    `over_graph`: the mailbox is read over Microsoft Graph, which does not give all. `was_moved`: it was read over EWS
    before, and has kept what Graph does not give.
    """
    if over_graph:
        truth = as_graph_gives(truth, was_moved=was_moved)
    expected = {item["id"]: item for item in in_scope(truth, frozenset(left_out))}
    held = [_in_ews_letters(item) if over_graph else item for item in replica.items(mailbox_id)]
    times = Counter(item.source_id for item in held)
    both = [item for item in held if item.source_id in expected]
    with ThreadPoolExecutor(READERS) as readers:
        found = readers.map(lambda item: _difference(replica, mailbox_id, item, expected[item.source_id]), both)
        different = tuple(f"{item.source_id}: {what}" for item, what in zip(both, found, strict=True) if what)
    return Comparison(
        items=len(expected),
        missing=tuple(sorted(expected.keys() - times.keys())),
        extra=tuple(sorted(id_ for id_, count in times.items() if id_ not in expected or count > 1)),
        different=different,
    )


NOT_OVER_GRAPH = ("ipm.distlist", "ipm.post", "ipm.document", "ipm.stickynote", "ipm.activity")
"""Item classes that Graph does not give."""

_KINDS_IN_FOLDERS = {"IPF.Appointment": "event", "IPF.Contact": "contact", "IPF.Task": "task"}
"""The kinds that Graph gives in folders of a class, by its start; in any other folder it gives messages."""

_EWS_LETTERS = str.maketrans("-_", "/+")


def as_graph_gives(truth: Mapping[str, Any], *, was_moved: bool = False) -> dict[str, Any]:
    """The truth without what Graph does not give; a task neither says whether it is private nor has a change key."""
    classes = {folder["id"]: str(folder["class"]) for folder in truth["folders"]}
    items = [item for item in truth["items"] if was_moved or not _is_withheld(item, classes[item["folder_id"]])]
    return {**truth, "items": [_as_graph_task(item) if item.get("kind") == "task" else item for item in items]}


def _is_withheld(item: Mapping[str, Any], folder_class: str) -> bool:
    """Whether Graph does not give an item of this class, or of this kind in its folder: each kind has its own API."""
    given = next((kind for start, kind in _KINDS_IN_FOLDERS.items() if folder_class.startswith(start)), "message")
    return item["kind"] != given or str(item.get("item_class", "")).lower().startswith(NOT_OVER_GRAPH)


def _as_graph_task(item: Mapping[str, Any]) -> dict[str, Any]:
    return {**item, "private": False, "change_key": None}


def _in_ews_letters(item: ReplicaItem) -> ReplicaItem:
    """The same item with its ids as EWS writes them: a Graph id is the EWS id in URL-safe base64."""
    return item.with_changes(
        source_id=item.source_id.translate(_EWS_LETTERS), folder_id=item.folder_id.translate(_EWS_LETTERS)
    )


def in_scope(truth: Mapping[str, Any], left_out: frozenset[str] = frozenset(LEFT_OUT)) -> Iterator[Mapping[str, Any]]:
    """The items of the snapshot that should be synced: not private, and not in or below an excluded folder."""
    folders = {folder["id"]: folder for folder in truth["folders"]}
    for item in truth["items"]:
        if not item.get("private") and not _is_below(item["folder_id"], folders, left_out):
            yield item


def _is_below(folder_id: str, folders: Mapping[str, Mapping[str, Any]], left_out: frozenset[str]) -> bool:
    while folder_id in folders:
        if folders[folder_id].get("distinguished") in left_out:
            return True
        folder_id = folders[folder_id].get("parent_id") or ""
    return False


def _difference(replica: Replica, mailbox_id: str, held: ReplicaItem, truth: Mapping[str, Any]) -> str:
    """What differs, in one word; empty when nothing does."""
    if held.folder_id != truth["folder_id"]:
        return "folder"
    if truth["change_key"] is not None and held.version != truth["change_key"]:
        return "version"
    if held.is_read is not None and truth.get("is_read") is not None and held.is_read != truth["is_read"]:
        return "read flag"
    return _content_difference(replica, mailbox_id, held, truth.get("sha256"))


def _content_difference(replica: Replica, mailbox_id: str, held: ReplicaItem, digest: str | None) -> str:
    try:
        content = replica.content(mailbox_id, held)
    except (NotFound, ItemUnusable):
        return "content"
    return "content" if digest and hashlib.sha256(content).hexdigest() != digest else ""
