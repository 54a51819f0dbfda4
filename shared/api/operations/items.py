"""Items of a copy: lists with filters, one item, its content, and its content as parsed."""

from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import Struct

from shared.api.access import CONTENT_READERS
from shared.api.calls import ApiComponents, Call, NoQuery, RawAnswer, operation
from shared.api.conditional import content_answer
from shared.api.errors import Malformed, Missing, Refused, naming
from shared.api.operations.mailboxes import Limit
from shared.api.paging import Cursor, decode_cursor, encode_cursor
from shared.api.resources import items as resources
from shared.api.resources.values import Time
from shared.mailboxes.model import Mailbox
from shared.replica.port import FolderState, ReplicaItem
from shared.replica.reading.port import ItemRange, ReplicaReader
from shared.sources.model import ItemKind

MAX_SCANNED = 5_000
"""Most items that one request looks at. Filters that storage cannot apply leave many of them out."""
SCAN = 1_000
"""Rows of one response of storage."""
LARGEST_PARSED = 64 << 20
"""Bytes of the largest content that is parsed; a larger one can be downloaded."""


class ItemQuery(Struct, frozen=True, forbid_unknown_fields=True, rename={"sender": "from"}):
    """Which items to list, and which of their fields. All filters must match.

    `folder` is a folder's id or path, without its subfolders. `from` and `to` are whole addresses; `to` includes
    copies. `after` and `before` limit `at`; `modified_since` the last-modified time. `left` lists the items that left
    the mailbox and are kept, instead of those in it. `fields` are names of fields, separated by commas.
    """

    folder: str | None = None
    """The id or path of a folder, without its subfolders."""
    kind: ItemKind | None = None
    """What the items are to their reader."""
    sender: str | None = None
    """A whole address: who sent them, or organizes them."""
    to: str | None = None
    """A whole address among the recipients, also of copies."""
    after: Time | None = None
    """Items from this time on, by `at`."""
    before: Time | None = None
    """Items before this time, by `at`."""
    modified_since: Time | None = None
    """Items that changed from this time on."""
    has_attachments: bool | None = None
    """Whether they have attachments."""
    left: bool = False
    """The items that left the mailbox and are kept, instead of those in it."""
    fields: str | None = None
    """The names of the fields to return, separated by commas."""
    limit: Limit = 100
    """The most items of the page."""
    cursor: Cursor = ""
    """`next` of the page before, with the same filters."""

    @property
    def is_scanned(self) -> bool:
        """Whether a filter is given that storage does not apply."""
        given = (self.sender, self.to, self.modified_since, self.has_attachments)
        return any(each is not None for each in given)

    def matches(self, item: ReplicaItem) -> bool:
        """Whether an item passes the filters that storage does not apply."""
        metadata = item.metadata
        if self.has_attachments is not None and bool(metadata.get("has_attachments")) is not self.has_attachments:
            return False
        if self.modified_since and str(metadata.get("modified", "")) < _stored_time(self.modified_since):
            return False
        if self.sender and not _is_among(self.sender, ("from", "sender", "organizer"), metadata):
            return False
        return not self.to or _is_among(self.to, ("to", "cc", "bcc", "required", "optional"), metadata)


@operation(
    "GET",
    "/mailboxes/{mailbox}/items",
    tag="items",
    roles=CONTENT_READERS,
    query=ItemQuery,
    answer=resources.ItemPage,
)
def list_items(components: ApiComponents, call: Call[ItemQuery, None]) -> resources.ItemPage:
    """List items, ordered by id. A page may hold fewer than `limit`, or none, and still not be the last one."""
    query, mailbox = call.query, readable_mailbox(components, call)
    fields = _chosen_fields(query.fields)
    folders = components.replica_reader.folders(mailbox.id).folders
    wanted = ItemRange(_folder_id(folders, query.folder), query.kind, _utc(query.after), _utc(query.before), query.left)
    chosen, after = _matching(components.replica_reader, mailbox.id, query, wanted)
    return resources.ItemPage([resources.item(item, folders, fields) for item in chosen], encode_cursor(after))


def _matching(
    reader: ReplicaReader, mailbox_id: str, query: ItemQuery, wanted: ItemRange
) -> tuple[list[ReplicaItem], str]:
    """The items of a page, and the key after which the next page begins; empty after the last page.

    If storage applies all filters, exactly the page is read; else whole responses are, of which most may not match.
    """
    after, found, looked_at = decode_cursor(query.cursor), list[ReplicaItem](), 0
    while looked_at < MAX_SCANNED:
        page = reader.items(mailbox_id, after, SCAN if query.is_scanned else query.limit - len(found), wanted)
        for item in page.items:
            if query.matches(item):
                found.append(item)
            if len(found) == query.limit:
                return found, item.key if page.after or item is not page.items[-1] else ""
        looked_at += SCAN
        after = page.after
        if not after:
            break
    return found, after


class FieldsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which fields of an item to return: names, separated by commas; none: all of them."""

    fields: str | None = None
    """The names of the fields to return, separated by commas."""


@operation(
    "GET",
    "/mailboxes/{mailbox}/items/{item}",
    tag="items",
    roles=CONTENT_READERS,
    query=FieldsQuery,
    answer=resources.Item,
)
def get_item(components: ApiComponents, call: Call[FieldsQuery, None]) -> resources.Item:
    """Return one item with all its metadata."""
    mailbox = readable_mailbox(components, call)
    fields = _chosen_fields(call.query.fields) if call.query.fields else frozenset(resources.FIELDS)
    with naming("item"):
        stored = components.replica_reader.item(mailbox.id, call.path["item"])
    return resources.item(stored, components.replica_reader.folders(mailbox.id).folders, fields)


@operation(
    "GET",
    "/mailboxes/{mailbox}/items/{item}/content",
    tag="items",
    roles=CONTENT_READERS,
    answer=("message/rfc822", "text/calendar", "text/vcard", "application/json"),
    is_content=True,
)
def get_content(components: ApiComponents, call: Call[NoQuery, None]) -> RawAnswer:
    """Return an item's content: the original bytes of a message, or the file of an event, contact, or task.

    `ETag` is the content's SHA-256. `If-None-Match`, `Range` (one range), and `If-Range` are supported. 404 with
    `missing` = `content`: the copy has none of this item.
    """
    mailbox = readable_mailbox(components, call)
    return content_answer(components.replica_reader, mailbox.id, call.path["item"], call.conditions)


@operation(
    "GET",
    "/mailboxes/{mailbox}/items/{item}/parsed",
    tag="items",
    roles=CONTENT_READERS,
    answer=resources.ParsedContent,
)
def get_parsed_content(components: ApiComponents, call: Call[NoQuery, None]) -> resources.ParsedContent:
    """Return a content's text, HTML, and list of attachments."""
    from shared.formats import parsed_mail

    item, data = _whole_content(components, call)
    if item.located is None or item.located.form != "eml":
        return resources.ParsedContent(id=item.key, text=data.decode("utf-8", "replace"), html=None, attachments=[])
    parsed = parsed_mail.parse(data)
    attachments = [
        resources.Attachment(
            number=number,
            name=one.name,
            media_type=one.media_type,
            size=len(one.data),
            content_id=one.content_id,
            inline=one.inline,
        )
        for number, one in enumerate(parsed.attachments)
    ]
    return resources.ParsedContent(id=item.key, text=parsed.text, html=parsed.html, attachments=attachments)


@operation(
    "GET",
    "/mailboxes/{mailbox}/items/{item}/attachments/{number}",
    tag="items",
    roles=CONTENT_READERS,
    answer=("application/octet-stream",),
)
def get_attachment(components: ApiComponents, call: Call[NoQuery, None]) -> RawAnswer:
    """Return one attachment of a message, by its number in the parsed content."""
    from shared.api.conditional import attachment_headers
    from shared.formats import parsed_mail

    if not call.path["number"].isdecimal() or len(call.path["number"]) > 4:
        raise Missing("attachment")
    item, data = _whole_content(components, call)
    found = parsed_mail.parse(data).attachments if item.located and item.located.form == "eml" else ()
    if int(call.path["number"]) >= len(found):
        raise Missing("attachment")
    attachment = found[int(call.path["number"])]
    return RawAnswer(attachment.data, attachment.media_type, headers=attachment_headers(attachment.name))


def readable_mailbox[Q, B](components: ApiComponents, call: Call[Q, B]) -> Mailbox:
    """Return the mailbox of the path, and record that its contents are read. Raises Missing, Forbidden."""
    with naming("mailbox"):
        mailbox = call.caller.require_content(components.registry.get(call.path["mailbox"]))
    components.content_audit(mailbox.id, call.caller.object_id)
    return mailbox


def _whole_content[Q, B](components: ApiComponents, call: Call[Q, B]) -> tuple[ReplicaItem, bytes]:
    mailbox = readable_mailbox(components, call)
    reader = components.replica_reader
    for _ in range(3):
        with naming("item"):
            item = reader.item(mailbox.id, call.path["item"])
        if item.located is None:
            break
        if item.located.length > LARGEST_PARSED:
            raise Refused("item_too_large")
        data = reader.content(mailbox.id, item.located, 0, item.located.length)
        if data is not None:
            return item, data
    raise Missing("content")


def _chosen_fields(given: str | None) -> frozenset[str]:
    if given is None:
        return resources.USUAL_FIELDS
    names = frozenset(given.split(","))
    if names - {*resources.FIELDS, "id"}:
        raise Malformed("fields", expected=f"names with commas between them, of {', '.join(sorted(resources.FIELDS))}")
    return names


def _folder_id(folders: Mapping[str, FolderState], named: str | None) -> str:
    """The id of a folder by its id or path; empty without a name. Raises Malformed."""
    if named is None or named in folders:
        return named or ""
    found = [id_ for id_, folder in folders.items() if folder.path.casefold() == named.casefold()]
    if not found:
        raise Malformed("folder", expected="the id or the path of a folder of this mailbox")
    return found[0]


def _utc(given: datetime | None) -> datetime | None:
    """The time as it is compared with stored times: UTC, in whole seconds."""
    return _in_utc(given).replace(microsecond=0) if given else None


def _stored_time(given: datetime) -> str:
    return f"{_in_utc(given).replace(microsecond=0, tzinfo=None).isoformat()}Z"


def _in_utc(given: datetime) -> datetime:
    """The time in UTC, or the first or last possible one if its offset leads out of the years 1 to 9999."""
    try:
        return given.astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if given.year == 1 else datetime.max.replace(tzinfo=UTC)


def _is_among(wanted: str, fields: tuple[str, ...], metadata: Mapping[str, object]) -> bool:
    """Whether an address is in one of these fields of the metadata."""
    named = wanted.casefold()
    for field in fields:
        value = metadata.get(field)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, Mapping) and str(each.get("address", "")).casefold() == named:
                return True
    return False


OPERATIONS = (list_items, get_item, get_content, get_parsed_content, get_attachment)
