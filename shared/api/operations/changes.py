"""The change feeds: of one mailbox by numbers, and of all of the caller's mailboxes by positions."""

from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from shared.api.access import CONTENT_READERS
from shared.api.calls import ApiComponents, Call, RawAnswer, operation
from shared.api.merged_feed import MergedFeed
from shared.api.operations.items import readable_mailbox
from shared.api.resources.items import Change, Position, item
from shared.replica.reading.port import MAX_NUMBER, FolderMap, NumberedChange

MEDIA_TYPE = "application/x-ndjson"
Wait = Annotated[int, Meta(ge=0, le=30)]
FeedLimit = Annotated[int, Meta(ge=1, le=10_000)]

_encoder = msgspec.json.Encoder()


class ChangeQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which changes to read: those after the number `after`, at most `limit`; `wait` seconds if there are none."""

    after: Annotated[int, Meta(ge=0, le=MAX_NUMBER)] = 0
    """The `number` of the last change that you have processed; 0 for everything."""
    limit: FeedLimit = 1000
    """The most changes of the answer."""
    wait: Wait = 0
    """Seconds to wait for a change if there is none yet."""


@operation(
    "GET",
    "/mailboxes/{mailbox}/changes",
    tag="changes",
    roles=CONTENT_READERS,
    query=ChangeQuery,
    answer=(MEDIA_TYPE,),
    lines=(Change,),
    waits=True,
)
def list_changes(components: ApiComponents, call: Call[ChangeQuery, None]) -> RawAnswer:
    """Return the changes of a mailbox after a number, in order, one JSON object (`Change`) a line.

    A consumer stores the `number` of the last line it has processed and continues there; from 0 it replays everything.
    """
    mailbox = readable_mailbox(components, call)
    reader = components.replica_reader
    changes = reader.changes(mailbox.id, call.query.after, call.query.limit)
    folders = reader.folders(mailbox.id) if changes else FolderMap(0, {})
    return lines(change_of(mailbox.id, each, folders) for each in changes)


class MergedQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which changes to read: those after the position `after` (empty: all), at most `limit`."""

    after: Annotated[str, Meta(max_length=400)] = ""
    """The `position` of the last line that you have processed; empty for everything."""
    limit: FeedLimit = 1000
    """The most changes of the answer."""
    wait: Wait = 0
    """Seconds to wait for a change if there is none yet."""


@operation(
    "GET",
    "/changes",
    tag="changes",
    roles=CONTENT_READERS,
    query=MergedQuery,
    answer=(MEDIA_TYPE,),
    lines=(Change, Position),
    waits=True,
)
def list_all_changes(components: ApiComponents, call: Call[MergedQuery, None]) -> RawAnswer:
    """Return the changes of all mailboxes of the caller after a position, one JSON object (`Change`) a line.

    A consumer stores the `position` of the last line it has processed and continues there. The last line (`Position`)
    has only a position. The changes of one mailbox come in the order of their numbers; a change may come more than
    once, but none is left out. A change comes within 30 seconds after the end of the pass that wrote it.

    410, `position_expired`: the position is older than 30 days, or was made for other limits of the reader. Begin again
    without one, and pass over numbers that are known.
    """
    feed = MergedFeed(components, call.caller)
    found = feed.read(call.query.after, call.query.limit)
    answer = lines([*found.changes, Position(found.position)])
    return RawAnswer(answer.data, answer.media_type, is_empty=found.complete and not found.changes)


def change_of(mailbox_id: str, numbered: NumberedChange, folders: FolderMap, position: str = "") -> Change:
    """The change as programs see it."""
    change = numbered.change
    return Change(
        number=numbered.number,
        mailbox_id=mailbox_id,
        change=change.kind,
        item=item(change.item, folders.folders),
        redacted=numbered.redacted,
        position=position,
    )


def lines(values: Iterable[Struct]) -> RawAnswer:
    """An answer with a JSON object a line."""
    data = _encoder.encode_lines(values if isinstance(values, list) else list(values))
    return RawAnswer(data, MEDIA_TYPE, is_empty=not data)


OPERATIONS = (list_changes, list_all_changes)
