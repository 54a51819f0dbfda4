"""The attachment entity: files, and messages that are attached as such."""

import base64
from dataclasses import dataclass
from typing import Any

from sandbox.graph.views.entity import ABSENT, Context, Entity, Shape, stamp
from sandbox.graph.wire.ids import rest_id
from sandbox.graph.wire.query import Expand
from sandbox.mailboxes.item_parts import Attachment
from sandbox.mailboxes.items import content
from sandbox.mailboxes.store import Item


@dataclass(frozen=True, slots=True)
class Attached:
    """One attachment of an item, and which of them it is."""

    item: Item
    number: int
    file: Attachment

    @property
    def id(self) -> str:
        """Its id."""
        return rest_id(content.attachment_id(self.item, self.number))

    @property
    def is_item(self) -> bool:
        """Whether it is a message and no file."""
        return self.file.content_type == "message/rfc822"


def attached(item: Item) -> list[Attached]:
    """An item's attachments; the picture of a contact is no attachment here."""
    files = content.attachments(item)
    return [Attached(item, number, file) for number, file in enumerate(files) if not file.is_photo]


def _of_file(value: Any) -> Any:
    return lambda one, context: ABSENT if one.is_item else value(one)


ATTACHMENT: Entity[Attached] = Entity(
    name="attachment",
    properties={
        "id": lambda one, context: one.id,
        "lastModifiedDateTime": lambda one, context: stamp(one.item.modified),
        "name": lambda one, context: one.file.name,
        "contentType": lambda one, context: one.file.content_type,
        "size": lambda one, context: len(one.file.content),
        "isInline": lambda one, context: one.file.is_inline,
        "contentId": _of_file(lambda one: one.file.content_id or None),
        "contentLocation": _of_file(lambda one: None),
        "contentBytes": _of_file(lambda one: base64.b64encode(one.file.content).decode()),
    },
    derived=dict.fromkeys(("contentId", "contentLocation", "contentBytes"), "fileAttachment"),
    odata_type=lambda one: "itemAttachment" if one.is_item else "fileAttachment",
)


def expanded_attachments(item: Item, context: Context, expand: Expand) -> list[dict[str, Any]]:
    """An item's attachments within the answer of the item itself."""
    shape = Shape(ATTACHMENT, expand.select() or None, {})
    return [shape.show(one, context) for one in attached(item)]
