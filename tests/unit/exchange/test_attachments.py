"""Files attached to items that are no mail: told with the item, given one by one, also a contact's picture."""

import base64

import pytest

from sandbox.mailboxes import deletion
from sandbox.mailboxes.item_parts import Attachment
from sandbox.mailboxes.samples import item_samples
from sandbox.mailboxes.store import Item
from tests.unit.exchange.bench import START, Bench, M, T, codes, get, paths

AGENDA = Attachment("agenda & more.txt", "text/plain", b"1. Figures")
PICTURE = Attachment("ContactPicture.jpg", "image/jpeg", b"\xff\xd8", is_photo=True)
INLINE = Attachment("logo.png", "image/png", b"\x89PNG", is_inline=True, content_id="logo")


def placed(bench: Bench, kind: str, *files: Attachment) -> Item:
    """A sample of a kind with files attached."""
    homes = {"event": "calendar", "contact": "contacts", "task": "tasks"}
    item = bench.mailbox.insert(bench.folder(homes[kind]), item_samples.MAKERS[kind](START))
    item.attachments += files
    return item


def attachment(named: str) -> str:
    return f'<m:GetAttachment><m:AttachmentIds><t:AttachmentId Id="{named}"/></m:AttachmentIds></m:GetAttachment>'


@pytest.mark.parametrize("kind", ["event", "contact", "task"])
def test_files_are_listed_and_given_one_by_one(kind: str) -> None:
    bench = Bench()
    item = placed(bench, kind, AGENDA, INLINE)
    listed = bench.ask(get(item.id, more=paths("item:Attachments"))).findall(f".//{T}FileAttachment")
    told = [(one.findtext(f"{T}Name"), one.findtext(f"{T}Size"), one.findtext(f"{T}IsInline")) for one in listed]
    assert told == [("agenda & more.txt", "10", "false"), ("logo.png", "4", "true")]
    assert listed[1].findtext(f"{T}ContentId") == "logo"
    for one, file in zip(listed, (AGENDA, INLINE), strict=True):
        named = one.find(f"{T}AttachmentId")
        assert named is not None
        answer = bench.ask(attachment(str(named.get("Id"))))
        assert base64.b64decode(answer.findtext(f".//{T}Content") or "") == file.content


def test_a_contact_s_picture_is_an_attachment_that_says_so() -> None:
    bench = Bench()
    item = placed(bench, "contact", PICTURE)
    answer = bench.ask(get(item.id, more=paths("item:Attachments")))
    assert answer.findtext(f".//{T}FileAttachment/{T}IsContactPhoto") == "true"


def test_files_go_along_with_a_move() -> None:
    bench = Bench()
    moved = deletion.move_item(placed(bench, "event", AGENDA), bench.folder("deleteditems"))
    assert moved.attachments == [AGENDA]


def test_an_attachment_that_is_not_there_is_not_found() -> None:
    bench = Bench()
    item = placed(bench, "event", AGENDA)
    named = bench.ask(get(item.id, more=paths("item:Attachments"))).find(f".//{T}AttachmentId")
    assert named is not None
    item.attachments.clear()
    assert codes(bench.ask(attachment(str(named.get("Id"))))) == ["ErrorItemNotFound"]
    assert bench.ask(attachment(str(named.get("Id")))).find(f".//{M}Attachments") is not None
