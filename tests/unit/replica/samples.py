"""Items and changes to test with."""

from datetime import UTC, datetime

from shared.replica.encoding.feed import replay
from shared.replica.encoding.item_rows import FENCE, MAX_INT32
from shared.replica.port import Cursor, FeedChange, FeedKind, FolderState, Replica, ReplicaItem, item_key
from shared.sources.model import Content, ItemKind
from tests.fakes.storage import MemoryRows

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


def an_item(source_id: str = "AAMk+/1=", **changes: object) -> ReplicaItem:
    """An item as it is first seen."""
    item = ReplicaItem(
        key=item_key(source_id),
        source_id=source_id,
        version="CQAAAB==",
        folder_id="inbox",
        kind=ItemKind.MESSAGE,
        item_class="IPM.Note",
        move_key="ab12",
        content_key="cd34",
        subject="Grüße, 你好 \N{ROCKET}",
        size=1234,
        is_read=False,
        at=NOW,
        metadata={"from": {"address": "ann@contoso.example"}, "categories": ["a", "ü"]},
    )
    return item.with_changes(**changes)


def created(source_id: str, data: bytes | None = None, **changes: object) -> FeedChange:
    """A new item, with its content unless `data` is empty."""
    content = Content("eml", source_id.encode() * 3 if data is None else data)
    return FeedChange(FeedKind.CREATE, an_item(source_id, **changes), content if content.data else None)


def folder(id_: str = "inbox", **values: object) -> FolderState:
    """A folder's state."""
    return FolderState(**{"id": id_, "path": id_.title()} | values)  # type: ignore[arg-type]


def cursor_with(*folders: FolderState, **notes: object) -> Cursor:
    """A cursor to follow."""
    return Cursor(folders={each.id: each for each in folders}, notes=notes)


def commit(replica: Replica, mailbox_id: str, *changes: FeedChange, after: Cursor | None = None) -> Cursor:
    """Load and commit one page."""
    cursor = replica.load(mailbox_id)
    return replica.commit(mailbox_id, cursor, changes, after or cursor)


def truth(replica: Replica, mailbox_id: str) -> dict[str, tuple[ReplicaItem, bytes | None]]:
    """What the replica holds, comparable between replicas: items without where their content lies, and the content."""
    return {
        item.key: (item.with_changes(located=None), replica.content(mailbox_id, item) if item.located else None)
        for item in (*replica.items(mailbox_id), *replica.left_items(mailbox_id))
    }


def replayed(replica: Replica, mailbox_id: str) -> dict[str, ReplicaItem]:
    """The item table as the feed tells it."""
    return replay(replica.feed(mailbox_id))


def only_tombstone(rows: MemoryRows, mailbox_id: str) -> bool:
    """Whether of a mailbox's rows nothing is left but the tombstone of its erasure."""
    left = {key: values for key, (values, _) in rows.rows[mailbox_id].items()}
    return left == {FENCE: {"sequence": MAX_INT32, "state": "erased"}}
