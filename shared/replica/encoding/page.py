"""A page of changes, encoded for storage: everything of a commit that takes no request.

So the pages of a pass are encoded while the page before is being written. The contents are in the pack alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.replica.encoding import feed, pack
from shared.replica.encoding.item_rows import fit_to_limits, row_changes, split_into_transactions, with_aliases
from shared.replica.port import FeedChange, FeedKind
from shared.replica.storage_port import RowChange
from shared.storage.compact_json import Dump, RememberedDump


@dataclass(frozen=True, slots=True)
class EncodedPage:
    """The pack, the feed's lines without the first one, which holds the cursor, and the transactions on the rows."""

    packed: pack.Pack
    changes: int
    lines: bytes
    transactions: list[list[RowChange]]


def encode(mailbox_id: str, sequence: int, changes: Sequence[FeedChange]) -> EncodedPage:
    """Encode the changes as the page with this number."""
    contents = {change.item.key: change.content for change in changes if _brings_content(change)}
    packed = pack.build(mailbox_id, sequence, [(key, content) for key, content in contents.items() if content])
    dump_metadata = RememberedDump()
    settled = [_settled(change, packed, dump_metadata) for change in changes]
    own = pack.prefix(mailbox_id, sequence)
    return EncodedPage(
        packed,
        len(settled),
        feed.encode_changes(settled, own, dump_metadata),
        list(split_into_transactions(row_changes(settled, own, dump_metadata))),
    )


def _brings_content(change: FeedChange) -> bool:
    return change.content is not None and change.kind is not FeedKind.DELETE


def _settled(change: FeedChange, packed: pack.Pack, dump_metadata: Dump) -> FeedChange:
    """The change as it is stored: its content replaced by the location, its texts cut to the storage limits."""
    item = with_aliases(fit_to_limits(change.item, dump_metadata))
    if _brings_content(change):
        item = item.with_changes(located=packed.located[item.key])
    return FeedChange(change.kind, item)
