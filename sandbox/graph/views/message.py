"""The message entity, and those derived from it: meeting requests, responses and cancellations."""

import base64
from collections.abc import Callable
from typing import Any

from sandbox.graph.views.attachment import expanded_attachments
from sandbox.graph.views.entity import (
    ABSENT,
    Context,
    Entity,
    extended_navigation,
    html_body,
    lower_first,
    parts,
    recipient,
    stamp,
    texts,
)
from sandbox.graph.wire.ids import item_id, rest_id
from sandbox.graph.wire.request import Json
from sandbox.graph.wire.spelling import change_key, saved
from sandbox.mailboxes.fragments import text_of
from sandbox.mailboxes.items import content, mime
from sandbox.mailboxes.store import Item

_MESSAGES = {"Message", "MeetingMessage", "MeetingRequest", "MeetingResponse", "MeetingCancellation"}


def is_message(item: Item) -> bool:
    """Whether the message API returns an item; posts, contacts or lists in a mail folder it never does."""
    return item.element in _MESSAGES and item.item_class != "IPM.StickyNote"


def odata_type(item: Item) -> str:
    """The derived type of a message; empty for a plain one."""
    if item.element == "MeetingRequest":
        return "eventMessageRequest"
    if item.element == "MeetingResponse":
        return "eventMessageResponse"
    return "eventMessage" if item.element in ("MeetingMessage", "MeetingCancellation") else ""


def received(item: Item) -> str:
    """When a message was received; when it was made, where its headers do not say."""
    return item.text("DateTimeReceived") or stamp(item.created)


def _people(name: str) -> Callable[[Item, Context], list[Json]]:
    return lambda item, context: [recipient(*one) for one in mime.people(item.properties.get(name, ""))]


def _person(name: str) -> Callable[[Item, Context], Any]:
    def read(item: Item, context: Context) -> Any:
        found = [recipient(*one) for one in mime.people(item.properties.get(name, ""))]
        return found[0] if found else None

    return read


def _flag(item: Item, context: Context) -> Json:
    given = parts(item.properties.get("Flag", ""))
    status = lower_first(given.get("FlagStatus", "NotFlagged"))
    shown: Json = {"flagStatus": status}
    for name, source in (
        ("startDateTime", "StartDate"), ("dueDateTime", "DueDate"), ("completedDateTime", "CompleteDate")
    ):  # fmt: skip
        if given.get(source):
            shown[name] = {"dateTime": given[source].removesuffix("Z") + ".0000000", "timeZone": "UTC"}
    return shown


def _body(item: Item, context: Context) -> Json:
    plain, html = content.bodies(item, item.properties.get("Body", ""))
    return html_body(html, plain, context.prefer)


def _preview(item: Item, context: Context) -> str:
    plain, _ = content.bodies(item, item.properties.get("Body", ""))
    return plain[:255]


def _headers(item: Item, context: Context) -> Any:
    raw = item.content()
    return [{"name": name, "value": value} for name, value in mime.internet_headers(raw)] if raw else ABSENT


def _has_attachments(item: Item, context: Context) -> bool:
    """False for inline attachments alone."""
    if item.attachments:
        return any(not one.is_inline for one in item.attachments)
    return item.text("HasAttachments") == "true"


def _of_meeting(read: Callable[[Item, Context], Any]) -> Callable[[Item, Context], Any]:
    """A property that only messages about meetings have."""
    return lambda item, context: read(item, context) if odata_type(item) else ABSENT


def _meeting_type(item: Item, context: Context) -> str:
    classes = {
        "IPM.Schedule.Meeting.Request": "meetingRequest",
        "IPM.Schedule.Meeting.Canceled": "meetingCancelled",
        "IPM.Schedule.Meeting.Resp.Pos": "meetingAccepted",
        "IPM.Schedule.Meeting.Resp.Tent": "meetingTenativelyAccepted",
        "IPM.Schedule.Meeting.Resp.Neg": "meetingDeclined",
    }
    return classes.get(item.item_class, "none")


def _meeting_time(name: str) -> Callable[[Item, Context], Any]:
    def read(item: Item, context: Context) -> Any:
        text = item.text(name)
        return {"dateTime": text.removesuffix("Z") + ".0000000", "timeZone": "UTC"} if text else None

    return read


MESSAGE: Entity[Item] = Entity(
    name="message",
    properties={
        "id": lambda item, context: item_id(item, context.immutable),
        "createdDateTime": lambda item, context: stamp(item.created),
        "lastModifiedDateTime": lambda item, context: stamp(saved(item.modified)),
        "changeKey": lambda item, context: change_key(item.change_key),
        "categories": lambda item, context: texts(item.properties.get("Categories", "")),
        "receivedDateTime": lambda item, context: received(item),
        "sentDateTime": lambda item, context: item.text("DateTimeSent") or stamp(item.created),
        "hasAttachments": _has_attachments,
        "internetMessageId": lambda item, context: item.text("InternetMessageId") or None,
        "subject": lambda item, context: item.text("Subject"),
        "bodyPreview": _preview,
        "importance": lambda item, context: lower_first(item.text("Importance", "Normal")),
        "parentFolderId": lambda item, context: rest_id(item.folder.id),
        "conversationId": lambda item, context: rest_id(content.conversation_id(item)),
        "conversationIndex": lambda item, context: base64.b64encode(b"\x01" + item.search_key).decode(),
        "isDeliveryReceiptRequested": lambda item, context: item.text("IsDeliveryReceiptRequested") == "true",
        "isReadReceiptRequested": lambda item, context: item.text("IsReadReceiptRequested") == "true",
        "isRead": lambda item, context: item.is_read,
        "isDraft": lambda item, context: item.folder.distinguished == "drafts",
        "webLink": lambda item, context: f"https://outlook.office365.com/owa/?ItemID={rest_id(item.id)}",
        "inferenceClassification": lambda item, context: "focused",
        "body": _body,
        "uniqueBody": _body,
        "sender": _person("Sender"),
        "from": _person("From"),
        "toRecipients": _people("ToRecipients"),
        "ccRecipients": _people("CcRecipients"),
        "bccRecipients": _people("BccRecipients"),
        "replyTo": _people("ReplyTo"),
        "flag": _flag,
        "internetMessageHeaders": _headers,
        "meetingMessageType": _of_meeting(_meeting_type),
        "type": _of_meeting(lambda item, context: "singleInstance"),
        "startDateTime": _of_meeting(_meeting_time("Start")),
        "endDateTime": _of_meeting(_meeting_time("End")),
        "location": _of_meeting(lambda item, context: {"displayName": text_of(item.properties.get("Location", ""))}),
        "isOutOfDate": _of_meeting(lambda item, context: item.text("IsOutOfDate") == "true"),
        "isDelegated": _of_meeting(lambda item, context: item.text("IsDelegated") == "true"),
        "isAllDay": _of_meeting(lambda item, context: item.text("IsAllDayEvent") == "true"),
    },
    navigation={"attachments": expanded_attachments, **extended_navigation(lambda item, asked: asked.of_item(item))},
    hidden=frozenset({"uniqueBody", "internetMessageHeaders"}),
    derived=dict.fromkeys(
        (
            "meetingMessageType",
            "type",
            "startDateTime",
            "endDateTime",
            "location",
            "isOutOfDate",
            "isDelegated",
            "isAllDay",
        ),
        "eventMessage",
    ),
    odata_type=odata_type,
    etag=lambda item: change_key(item.change_key),
)
