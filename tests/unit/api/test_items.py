"""Items, contents, and parsed contents over the API."""

from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import msgspec
import pytest

from shared.api.calls import Conditions
from shared.api.errors import Forbidden, Malformed
from shared.api.operations.items import get_attachment, get_content, get_item, get_parsed_content, list_items
from shared.api.operations.mailboxes import list_folders, list_issues
from shared.api.resources.items import ItemPage
from shared.errors import NotFound
from shared.mailboxes.port import ItemIssue
from shared.replica.port import FeedChange, FeedKind, item_key
from shared.sources.model import Content, ItemKind
from tests.fakes.api import OPERATOR, READER, STATE_READER, TENANT, ApiParts, limited
from tests.unit.replica.samples import NOW, an_item, commit, created, cursor_with, folder

ID = "mailbox-1"
RARE = {"name": "", "address": "rare@contoso.example"}
PEOPLE = {
    "from": {"name": "Ann", "address": "Ann@contoso.example"},
    "to": [{"address": "bo@contoso.example"}],
    "cc": [{"name": "Cy", "address": "cy@contoso.example"}],
    "modified": "2026-11-20T08:00:00Z",
    "has_attachments": True,
}


@pytest.fixture
def parts() -> ApiParts:
    parts = ApiParts()
    parts.add_mailbox(ID)
    commit(
        parts.replica,
        ID,
        created("A", b"Subject: a\r\n\r\nhello", metadata=PEOPLE, at=NOW - timedelta(days=1)),
        created("B", b"", folder_id="sent", subject="second", metadata={"modified": "2026-11-23T08:00:00Z"}),
        FeedChange(
            FeedKind.CREATE, an_item("E", kind=ItemKind.EVENT, folder_id="cal", metadata={}), Content("ics", b"BEGIN:X")
        ),
        after=cursor_with(folder(), folder("sent", path="Sent Items"), folder("cal", path="Calendar")),
    )
    return parts


def listed(parts: ApiParts, **query: Any) -> set[str]:
    page: ItemPage = parts.call(list_items, mailbox=ID, **query)
    names = {item_key(name): name for name in "ABE"}
    return {names[item.id] for item in page.items}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, "ABE"),
        ({"folder": "sent"}, "B"),
        ({"folder": "sent items"}, "B"),
        ({"kind": "event"}, "E"),
        ({"from_": "ann@contoso.example"}, "A"),
        ({"to": "bo@contoso.example"}, "A"),
        ({"to": "CY@contoso.example"}, "A"),
        ({"to": "nobody@contoso.example"}, ""),
        ({"before": NOW.isoformat()}, "A"),
        ({"after": NOW.isoformat()}, "BE"),
        ({"modified_since": "2026-11-21T00:00:00Z"}, "B"),
        ({"after": "0500-01-01T00:00:00Z"}, "ABE"),
        ({"modified_since": "0500-01-01T00:00:00Z"}, "AB"),
        ({"after": "0001-01-01T00:00:00+14:00", "before": "9999-12-31T23:59:59-14:00"}, "ABE"),
        ({"modified_since": "0001-01-01T00:00:00+14:00"}, "AB"),
        ({"has_attachments": "true"}, "A"),
        ({"has_attachments": "false"}, "BE"),
        ({"kind": "message", "has_attachments": "false"}, "B"),
    ],
)
def test_filters_select_items(parts: ApiParts, query: dict[str, str], found: str) -> None:
    assert listed(parts, **query) == set(found)


def test_pages_give_every_item_once(parts: ApiParts) -> None:
    cursor, found = "", list[str]()
    for _ in range(10):
        page: ItemPage = parts.call(list_items, mailbox=ID, limit="1", cursor=cursor)
        found += [item.id for item in page.items]
        cursor = page.next
        if not cursor:
            break
    assert sorted(found) == sorted(item_key(name) for name in "ABE")


def test_rare_items_are_found_with_few_requests_and_by_pages(parts: ApiParts) -> None:
    """Of 2,600 items five are from somebody; three are asked for at a time."""
    rare = {item_key(f"{number}") for number in (3, 700, 1_500, 2_000, 2_599)}
    for start in range(0, 2_600, 200):
        names = [f"{number}" for number in range(start, start + 200)]
        commit(
            parts.replica,
            ID,
            *(
                created(name, b"", metadata=PEOPLE | ({"from": RARE} if item_key(name) in rare else {}))
                for name in names
            ),
        )
    scans = list[str]()
    scan = parts.rows.scan

    def counted(mailbox_id: str, **more: Any) -> list[Any]:
        scans.append(mailbox_id)
        return scan(mailbox_id, **more)

    parts.rows.scan = counted  # type: ignore[method-assign]
    found, cursor, pages = set[str](), "", 0
    while pages == 0 or cursor:
        page: ItemPage = parts.call(list_items, mailbox=ID, from_="rare@contoso.example", limit="3", cursor=cursor)
        assert len(page.items) <= 3
        found |= {item.id for item in page.items}
        cursor, pages = page.next, pages + 1
    assert found == rare
    assert pages <= 3
    assert len(scans) <= 7


def test_usual_fields_show_who_and_where(parts: ApiParts) -> None:
    item = parts.call(list_items, mailbox=ID, from_="ann@contoso.example").items[0]
    assert item.sender.address == "Ann@contoso.example"
    assert [one.address for one in item.cc] == ["cy@contoso.example"]
    assert (item.folder, item.content.media_type, item.content.size) == ("Inbox", "message/rfc822", 19)


def test_chosen_fields_alone_are_returned(parts: ApiParts) -> None:

    page = parts.call(list_items, mailbox=ID, kind="event", fields="subject,from")
    assert msgspec.to_builtins(page.items[0]).keys() == {"id", "subject", "from"}
    with pytest.raises(Malformed) as refused:
        parts.call(list_items, mailbox=ID, fields="subject,nope")
    assert refused.value.parameter == "fields"


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("limit", "0", "wrong"),
        ("limit", "x", "wrong"),
        ("kind", "mail", "wrong"),
        ("after", "yesterday", "wrong"),
        ("after", "2026-01-01T00:00:00", "wrong"),
        ("after", "2026", "wrong"),
        ("before", "1767225600.5", "wrong"),
        ("modified_since", "-1", "wrong"),
        ("folder", "no such", "wrong"),
        ("cursor", "%%%", "wrong"),
        ("colour", "red", "unknown"),
    ],
)
def test_wrong_parameter_is_named(parts: ApiParts, name: str, value: str, fault: str) -> None:
    query: dict[str, Any] = {name: value}
    with pytest.raises(Malformed) as refused:
        parts.call(list_items, mailbox=ID, **query)
    assert (refused.value.parameter, refused.value.fault) == (name, fault)


def test_one_item_has_all_its_metadata(parts: ApiParts) -> None:
    item = parts.call(get_item, mailbox=ID, item=item_key("A"))
    assert item.metadata == PEOPLE
    assert item.source_id == "A"
    with pytest.raises(NotFound):
        parts.call(get_item, mailbox=ID, item=item_key("Z"))


def test_content_has_its_media_type_and_cannot_run(parts: ApiParts) -> None:
    answer = parts.call(get_content, mailbox=ID, item=item_key("A"))
    assert answer.data == b"Subject: a\r\n\r\nhello"
    assert answer.media_type == "message/rfc822"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert parts.call(get_content, mailbox=ID, item=item_key("E")).media_type.startswith("text/calendar")
    with pytest.raises(NotFound):
        parts.call(get_content, mailbox=ID, item=item_key("B"))


@pytest.mark.parametrize(
    ("header", "status", "data", "shown"),
    [
        ("bytes=0-3", 206, b"Subj", "bytes 0-3/19"),
        ("bytes=14-", 206, b"hello", "bytes 14-18/19"),
        ("bytes=-5", 206, b"hello", "bytes 14-18/19"),
        ("bytes=5-1000", 206, b"ct: a\r\n\r\nhello", "bytes 5-18/19"),
        ("bytes=0-18", 200, b"Subject: a\r\n\r\nhello", None),
        ("bytes=19-", 416, b"", "bytes */19"),
        ("bytes=-0", 416, b"", "bytes */19"),
        ("bytes=3-1", 200, b"Subject: a\r\n\r\nhello", None),
        ("bytes=0-1,3-4", 200, b"Subject: a\r\n\r\nhello", None),
        ("items=0-1", 200, b"Subject: a\r\n\r\nhello", None),
    ],
)
def test_range_of_content(parts: ApiParts, header: str, status: int, data: bytes, shown: str | None) -> None:
    answer = parts.content(get_content, Conditions(range=header), mailbox=ID, item=item_key("A"))
    assert (answer.status, answer.data, answer.headers.get("Content-Range")) == (status, data, shown)


def test_known_content_is_not_sent_again(parts: ApiParts) -> None:
    etag = parts.call(get_content, mailbox=ID, item=item_key("A")).headers["ETag"]
    for header in (etag, f'"other", W/{etag}', "*"):
        answer = parts.content(get_content, Conditions(if_none_match=header), mailbox=ID, item=item_key("A"))
        assert (answer.status, answer.data) == (304, b"")
    changed = Conditions(range="bytes=0-1", if_range='"another"')
    assert parts.content(get_content, changed, mailbox=ID, item=item_key("A")).status == 200


def test_content_that_compaction_moved_is_found(parts: ApiParts) -> None:
    commit(parts.replica, ID, created("C", b"x" * 40_000))
    commit(parts.replica, ID, FeedChange(FeedKind.DELETE, parts.replica.item(ID, item_key("E"))))
    parts.replica.compact(ID, NOW + timedelta(days=400), 0)
    assert parts.call(get_content, mailbox=ID, item=item_key("A")).data.endswith(b"hello")


def a_message() -> bytes:
    message = EmailMessage()
    message["Subject"] = "Report"
    message.set_content("Grüße")
    message.add_alternative("<p>Grüße</p>", subtype="html")
    message.add_attachment(b"<script>", maintype="text", subtype="html", filename='re"port.html')
    return message.as_bytes()


def test_parsed_content_has_text_html_and_attachments(parts: ApiParts) -> None:
    commit(parts.replica, ID, created("M", a_message()))
    parsed = parts.call(get_parsed_content, mailbox=ID, item=item_key("M"))
    assert (parsed.text.strip(), parsed.html.strip()) == ("Grüße", "<p>Grüße</p>")
    (attachment,) = parsed.attachments
    assert (attachment.number, attachment.media_type, attachment.size) == (0, "text/html", 8)
    answer = parts.call(get_attachment, mailbox=ID, item=item_key("M"), number="0")
    assert answer.data == b"<script>"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert "\n" not in answer.headers["Content-Disposition"]
    for number in ("1", "x", "99999"):
        with pytest.raises(NotFound):
            parts.call(get_attachment, mailbox=ID, item=item_key("M"), number=number)
    assert parts.call(get_parsed_content, mailbox=ID, item=item_key("E")).text == "BEGIN:X"


def test_state_readers_read_no_content(parts: ApiParts) -> None:
    for operation in (list_items, get_item, get_content, get_parsed_content):
        with pytest.raises(Forbidden):
            parts.call(operation, STATE_READER, mailbox=ID, **({} if operation is list_items else {"item": "x"}))


def test_limited_reader_sees_its_mailboxes_alone(parts: ApiParts) -> None:
    assert len(parts.call(list_items, limited(ID), mailbox=ID).items) == 3
    assert len(parts.call(list_items, limited(tenants=(TENANT,)), mailbox=ID).items) == 3
    for caller in (limited("another"), limited()):
        for operation in (list_items, list_folders, list_issues):
            with pytest.raises(NotFound):
                parts.call(operation, caller, mailbox=ID)


def test_mailbox_that_is_being_erased_is_not_read(parts: ApiParts) -> None:
    parts.registry.begin_erasure(ID)
    with pytest.raises(NotFound):
        parts.call(list_items, mailbox=ID)
    with pytest.raises(NotFound):
        parts.call(get_content, mailbox=ID, item=item_key("A"))


def test_issues_name_their_items_to_content_readers_alone(parts: ApiParts) -> None:
    parts.registry.put_issue(ItemIssue(ID, "x", "f", "item_corrupt", "", 2, NOW, NOW, "Inbox", "Secret", NOW))
    for caller, named in ((OPERATOR, "Secret"), (READER, "Secret"), (STATE_READER, None)):
        (issue,) = parts.call(list_issues, caller, mailbox=ID).issues
        assert (issue.reason, issue.subject) == ("item_corrupt", named)


def test_reading_content_is_audited_once_an_hour(parts: ApiParts) -> None:
    for _ in range(3):
        parts.call(list_items, READER, mailbox=ID)
    assert parts.registry.audit == [(ID, "reader-1", "read_content")]
    parts.clock.pass_by(minutes=61)
    parts.call(get_item, READER, mailbox=ID, item=item_key("A"))
    assert len(parts.registry.audit) == 2


def test_items_that_left_are_listed_apart_with_the_time(parts: ApiParts) -> None:
    item = parts.replica.item(ID, item_key("A"))
    left = item.with_changes(folder_id="", left_at=NOW, left_folder_id="inbox")
    commit(parts.replica, ID, FeedChange(FeedKind.LEAVE, left))
    assert listed(parts) == {"B", "E"}
    assert listed(parts, left="true") == listed(parts, left="true", folder="inbox") == {"A"}
    assert listed(parts, left="true", folder="sent") == listed(parts, left="true", kind="event") == set()
    (shown,) = parts.call(list_items, mailbox=ID, left="true").items
    assert (shown.left_at, shown.folder, shown.folder_id) == (NOW, "Inbox", "inbox")
    assert parts.call(get_item, mailbox=ID, item=shown.id).left_at == NOW
    assert parts.content(get_content, Conditions(), mailbox=ID, item=shown.id).status == 200
    assert parts.call(list_items, mailbox=ID).items[0].left_at is None
