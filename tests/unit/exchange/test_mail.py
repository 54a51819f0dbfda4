"""Mail in and out: MIME byte for byte, headers read defensively, and what changes when somebody edits."""

import base64
from email import message_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.mailboxes import deletion
from sandbox.mailboxes.fragments import escape, text_of
from sandbox.mailboxes.items.mime import bodies, properties_of, with_subject
from sandbox.mailboxes.samples import message_samples
from tests.unit.exchange.bench import START, Bench, M, T, codes, create, get, ids, paths, sync

ODD = [
    (b"Subject: =?x-unknown?q?caf=E9?=\n\n", "café"),
    (b"Subject: =?utf-8?b?broken\n\n", "=?utf-8?b?broken"),
    (b"Subject: caf\xe9\n\n", "café"),
    (b"Subject: caf\xc3\xa9\n\n", "café"),
    (b"Subject: two\n  lines\n\n", "two lines"),
    (b"Subject: bell\x07 & <b>\n\n", "bell & <b>"),
    (b"\n\nno headers", ""),
    (b"", ""),
]


@pytest.mark.parametrize(("raw", "subject"), ODD)
def test_subjects_are_read_whatever_was_done_to_them(raw: bytes, subject: str) -> None:
    assert text_of(properties_of(raw)[2].get("Subject", "")) == subject


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Thu, 99 Foo 2002 99:99:99", "Mon, 1 Jan 9999 00:00:00 +0000", "\xff"]
)
def test_a_bad_date_is_no_date(date: str) -> None:
    assert "DateTimeSent" not in properties_of(f"Date: {date}\n\n".encode("latin-1"))[2]


@given(st.binary(max_size=400))
def test_no_bytes_are_too_odd(raw: bytes) -> None:
    element, item_class, properties = properties_of(b"Subject: x\nFrom: y\n" + raw)
    assert element
    assert item_class.startswith(("IPM", "REPORT"))
    assert len(bodies(raw)) == 2
    assert all(fragment.startswith(f"<t:{name}>") for name, fragment in properties.items())


@given(st.text())
def test_whatever_is_escaped_is_xml_and_reads_back(text: str) -> None:
    kept = "".join(sign for sign in text if sign.isprintable() or sign in "\t\n\r")
    assert text_of(f"<t:Subject>{escape(kept)}</t:Subject>") == kept


@pytest.mark.parametrize(
    ("kind", "element", "item_class"),
    [
        ("multipart/signed; boundary=b", "Message", "IPM.Note.SMIME.MultipartSigned"),
        ("application/pkcs7-mime", "Message", "IPM.Note.SMIME"),
        ("multipart/report; report-type=delivery-status; boundary=b", "Message", "REPORT.IPM.Note.NDR"),
        ("multipart/report; report-type=disposition-notification; boundary=b", "Message", "REPORT.IPM.Note.IPNRN"),
        ("text/calendar; method=REQUEST", "MeetingRequest", "IPM.Schedule.Meeting.Request"),
        ("text/calendar; method=CANCEL", "MeetingCancellation", "IPM.Schedule.Meeting.Canceled"),
        ("text/plain", "Message", "IPM.Note"),
    ],
)
def test_the_content_type_decides_what_a_message_is(kind: str, element: str, item_class: str) -> None:
    assert properties_of(f"Content-Type: {kind}\n\n".encode())[:2] == (element, item_class)


def test_every_special_message_is_shown_in_every_shape() -> None:
    bench = Bench()
    made = [
        bench.mailbox.insert(bench.folder(), item) for item in message_samples.specials("alex@contoso.example", START)
    ]
    for base in ("IdOnly", "Default", "AllProperties"):
        answer = bench.ask(get(*(item.id for item in made), base=base))
        assert codes(answer) == ["NoError"] * len(made)
        shown = [child.tag.removeprefix(T) for child in answer.iterfind(f".//{M}Items/*") if isinstance(child.tag, str)]
        assert shown == [item.element for item in made]
    assert {item.item_class for item in made} >= {"IPM.Post", "IPM.Note.SMIME", "REPORT.IPM.Note.NDR"}


def test_a_batch_answers_for_each_item_in_order() -> None:
    bench = Bench()
    good = bench.mailbox.insert(bench.folder(), message_samples.synthetic(1, 800, START))
    gone = bench.mailbox.insert(bench.folder(), message_samples.synthetic(2, 800, START))
    was = gone.id
    deletion.delete_item(gone, "HardDelete")
    answer = bench.ask(get(good.id, was, good.id))
    assert codes(answer) == ["NoError", "ErrorItemNotFound", "NoError"]
    assert ids(answer) == [good.id, good.id]


def test_mime_is_given_back_byte_for_byte() -> None:
    bench, raw = Bench(), b"Subject: x\r\n\r\n\x00\xff\n\r mixed"
    encoded = base64.b64encode(raw).decode()
    answer = bench.ask(create(f"<t:Message><t:MimeContent>{encoded}</t:MimeContent></t:Message>"))
    shown = bench.ask(get(*ids(answer), more="<t:IncludeMimeContent>true</t:IncludeMimeContent>"))
    assert base64.b64decode(str(shown.findtext(f".//{T}MimeContent"))) == raw


def update(item: str, key: str, changes: str, resolution: str = "AutoResolve") -> str:
    named = f'<t:ItemId Id="{item}" ChangeKey="{key}"/>' if key else f'<t:ItemId Id="{item}"/>'
    return (
        f'<m:UpdateItem ConflictResolution="{resolution}" MessageDisposition="SaveOnly"><m:ItemChanges><t:ItemChange>'
        f"{named}<t:Updates>{changes}</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>"
    )


def setting(uri: str, inside: str) -> str:
    return f'<t:SetItemField><t:FieldURI FieldURI="{uri}"/><t:Message>{inside}</t:Message></t:SetItemField>'


def test_another_subject_is_in_the_mime_and_nothing_else_changes() -> None:
    bench = Bench()
    raw = b"From: a@x\nSubject: old\n folded\nTo: b@x\n\nbody\n"
    item = bench.mailbox.insert(bench.folder(), message_samples.message(raw))
    before = item.change_key
    assert codes(bench.ask(update(item.id, before, setting("item:Subject", "<t:Subject>n\u00fc</t:Subject>")))) == [
        "NoError"
    ]
    changed = item.content() or b""
    assert message_from_bytes(changed).get_all("Subject") == ["=?utf-8?q?n=C3=BC?="]
    assert b"folded" not in changed
    assert changed.endswith(b"\n\nbody\n")
    assert item.change_key != before
    assert with_subject(b"A: b\r\nSubject: x\r\n\r\ny", "z") == b"A: b\r\nSubject: z\r\n\r\ny"


def test_conflicts_are_told() -> None:
    bench = Bench()
    item = bench.mailbox.insert(bench.folder(), message_samples.synthetic(1, 800, START))
    stale, change = item.change_key, setting("item:Subject", "<t:Subject>n</t:Subject>")
    bench.mailbox.touch(item)
    assert codes(bench.ask(update(item.id, stale, change, "NeverOverwrite"))) == ["ErrorIrresolvableConflict"]
    assert codes(bench.ask(update(item.id, "", change))) == ["ErrorChangeKeyRequired"]
    assert codes(bench.ask(update(item.id, "", change, "AlwaysOverwrite"))) == ["NoError"]


def test_a_refused_update_changes_nothing() -> None:
    bench = Bench()
    item = bench.mailbox.insert(bench.folder(), message_samples.synthetic(1, 800, START))
    before = (item.change_key, dict(item.properties), item.content())
    changes = setting("item:Subject", "<t:Subject>n</t:Subject>") + setting("item:Size", "<t:Size>1</t:Size>")
    assert codes(bench.ask(update(item.id, item.change_key, changes))) == ["ErrorInvalidPropertySet"]
    assert (item.change_key, item.properties, item.content()) == before


def test_a_read_flag_is_a_change_of_its_own_kind() -> None:
    bench = Bench()
    item = bench.mailbox.insert(bench.folder(), message_samples.synthetic(3, 800, START))
    state = str(bench.ask(sync(bench.folder())).findtext(f".//{M}SyncState"))
    bench.ask(update(item.id, item.change_key, setting("message:IsRead", "<t:IsRead>true</t:IsRead>")))
    answer = bench.ask(sync(bench.folder(), state))
    assert answer.findtext(f".//{T}ReadFlagChange/{T}IsRead") == "true"
    assert bench.folder().unread == 0


def test_what_a_view_cannot_show_it_leaves_out() -> None:
    bench = Bench()
    bench.mailbox.insert(bench.folder(), message_samples.synthetic(1, 800, START))
    wanted = paths("item:Body", "message:ToRecipients", "item:Subject", "message:From")
    answer = bench.ask(sync(bench.folder(), shape=wanted))
    assert answer.find(f".//{T}Body") is None
    assert answer.find(f".//{T}ToRecipients") is None
    assert answer.find(f".//{T}Subject") is not None
    assert answer.find(f".//{T}From") is not None


def test_bodies_come_as_they_are_wanted() -> None:
    bench = Bench()
    html = b"Content-Type: text/html\n\n<p>Hi <b>you</b></p>"
    item = bench.mailbox.insert(bench.folder(), message_samples.message(html))
    for wanted, kind, text in (("Text", "Text", "Hi you"), ("HTML", "HTML", "<p>Hi"), ("Best", "HTML", "<p>Hi")):
        answer = bench.ask(get(item.id, more=f"<t:BodyType>{wanted}</t:BodyType>{paths('item:Body')}"))
        body = answer.find(f".//{T}Body")
        assert body is not None
        assert (body.get("BodyType"), str(body.text)[: len(text)]) == (kind, text)


def test_marks_move_with_every_kind_of_change_and_only_there() -> None:
    bench = Bench()
    inbox, drafts = bench.folder(), bench.folder("drafts")
    item = bench.mailbox.insert(inbox, message_samples.synthetic(1, 800, START))
    seen = {(inbox.committed, inbox.deleted_total)}
    still = (drafts.committed, drafts.deleted_total)
    for act in (
        lambda: bench.mailbox.set_read(item, not item.is_read),
        lambda: bench.mailbox.touch(item),
        lambda: deletion.copy_item(item, inbox),
        lambda: deletion.move_item(item, inbox),
    ):
        act()
        assert (inbox.committed, inbox.deleted_total) not in seen
        seen.add((inbox.committed, inbox.deleted_total))
    assert (drafts.committed, drafts.deleted_total) == still
    deletion.delete_item(next(iter(inbox.items.values())), "HardDelete")
    assert (inbox.committed, inbox.deleted_total) not in seen
