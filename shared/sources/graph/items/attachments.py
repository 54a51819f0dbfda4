"""Lists the attachments of events and tasks without contents, then fetches each by its id.

Paging a list with contents is not reliable. An attached item is fetched as MIME.
"""

import binascii
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from shared.errors import Reason, RetryLater
from shared.formats.values.common import Attachment
from shared.sources.graph.faults.errors import AskForLess
from shared.sources.graph.transport.answers import decoded, raw_content
from shared.sources.graph.transport.client import GraphClient
from shared.sources.graph.transport.queries import query
from shared.sources.model import Content, Item, ItemFailure

_LIST = query(select="id,name,contentType,size,isInline", top="100")
_TASK_LIST = query(top="100")
_OVERHEAD = 1 << 20
"""Bytes of JSON around an attachment's content, with a margin."""


class ListedAttachment(msgspec.Struct, rename="camel", gc=False):
    """An attachment in a list without contents."""

    id: str
    name: str | None = None
    content_type: str | None = None
    size: int | None = None
    is_inline: bool | None = None
    type: str = msgspec.field(default="", name="@odata.type")


class _List(msgspec.Struct):
    value: list[ListedAttachment]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


class _Whole(msgspec.Struct, rename="camel", gc=False):
    content_bytes: str | None = None
    content_id: str | None = None
    source_url: str | None = None


@dataclass(slots=True)
class AttachmentReading:
    """Fetches the attachments of one item up to a total size; larger ones are named without content.

    `refused` is the code with which the service refused an attachment, if it did: the item's file is then incomplete.
    """

    client: GraphClient
    room: int
    """The bytes that are left of the total size."""
    refused: str = ""

    def of_event(self, event_id: str) -> tuple[Attachment, ...]:
        """Return the attachments of an event, or of a changed occurrence by its own id."""
        return self._all(f"{self.client.mailbox}/events/{event_id}/attachments", _LIST)

    def of_task(self, list_id: str, task_id: str) -> tuple[Attachment, ...]:
        """Return the attachments of a task. Their list contains no contents."""
        return self._all(f"{self.client.mailbox}/todo/lists/{list_id}/tasks/{task_id}/attachments", _TASK_LIST)

    def completed(self, item: Item, content: Content) -> Item:
        """Return the item with its file; missing attachments are reported, so that they are retried."""
        if not self.refused:
            return replace(item, content=content)
        lacking = ItemFailure(item.id, Reason.ITEM_UNREADABLE, self.refused)
        return replace(item, content=content, lacking=lacking, metadata={**item.metadata, "original": False})

    def _all(self, path: str, options: str) -> tuple[Attachment, ...]:
        found: list[Attachment] = []
        link = path + options
        while link:
            page = decoded(_List, self.client.get(link))
            for each in page.value:
                self.room -= each.size or 0
                found.append(self._one(path, each) if self.room >= 0 else _named(each))
            link = self.client.relative(page.next_link) if page.next_link else ""
        return tuple(found)

    def _one(self, path: str, listed: ListedAttachment) -> Attachment:
        """Fetch an attachment. One that cannot be fetched is named without content.

        Raises: temporary errors. Otherwise an item without its attachments would count as complete.
        """
        if listed.type.endswith("itemAttachment"):
            return _named(listed, data=self._bytes(f"{path}/{listed.id}/$value", listed, raw_content))
        whole = self._bytes(f"{path}/{listed.id}", listed, lambda body: decoded(_Whole, body))
        if whole is None:
            return _named(listed)
        data = _decoded(whole.content_bytes)
        return _named(listed, data=data, content_id=whole.content_id or "", url=whole.source_url or "")

    def _bytes[T](self, path: str, listed: ListedAttachment, read: Callable[[bytes], T]) -> T | None:
        most = (listed.size or 0) * 2 + _OVERHEAD
        try:
            part = self.client.ask(path, accept="*/*", most=most)
            if part.refusal is not None and part.refusal.of_item() is not None:
                self.refused = part.refusal.support
                return None
            return read(part.value())
        except AskForLess as exc:
            if exc.support == "oversized":
                return None
            raise RetryLater(exc.reason, support=exc.support) from exc


def _named(listed: ListedAttachment, *, data: bytes | None = None, content_id: str = "", url: str = "") -> Attachment:
    is_item = listed.type.endswith("itemAttachment")
    return Attachment(
        name=listed.name or "",
        media_type="message/rfc822" if is_item else listed.content_type or "",
        size=listed.size or 0,
        content_id=content_id.strip("<>"),
        is_inline=bool(listed.is_inline),
        data=data,
        url=url,
    )


def _decoded(text: str | None) -> bytes | None:
    try:
        return binascii.a2b_base64(text) if text is not None else None
    except (binascii.Error, ValueError):
        return None
