"""C9: attachments are fetched in batches; what is wrong with one is that one's affair, and is told."""

import re
from collections.abc import Callable

import pytest

from shared.errors import Reason, RetryLater
from shared.sources.ews.transport.session import EwsLimits
from shared.sources.model import ContentLevel, Item
from tests.unit.ews.soap_samples import (
    CALENDAR,
    Answer,
    ScriptedChannel,
    answer,
    failure,
    fault,
    items,
    mailbox,
    success,
)

type Given = Callable[[str], "str | None"]


def event(*sizes: int) -> str:
    """An event with attachments A0, A1… of these sizes."""
    attachments = "".join(
        f'<t:FileAttachment><t:AttachmentId Id="A{number}"/><t:Name>{number}.txt</t:Name><t:Size>{size}</t:Size>'
        "</t:FileAttachment>"
        for number, size in enumerate(sizes)
    )
    return (
        '<t:CalendarItem><t:ItemId Id="I0" ChangeKey="1"/><t:Subject>Files</t:Subject>'
        f"<t:Attachments>{attachments}</t:Attachments><t:Start>2026-07-05T10:00:00Z</t:Start></t:CalendarItem>"
    )


def file(identifier: str, content: str = "dGV4dA==") -> str:
    inside = f'<t:FileAttachment><t:AttachmentId Id="{identifier}"/><t:Content>{content}</t:Content></t:FileAttachment>'
    return success("GetAttachment", f"<m:Attachments>{inside}</m:Attachments>")


def asked(request: str) -> list[str]:
    return re.findall(r'<t:AttachmentId Id="([^"]+)"', request)


def channel_of(element: str, answered: Callable[[list[str]], "bytes | Exception"]) -> ScriptedChannel:
    def both(request: str) -> "bytes | Exception":
        return answered(asked(request)) if "<m:GetAttachment>" in request else items(element)

    scripted: Answer = both
    return ScriptedChannel(scripted)


def fetched(channel: ScriptedChannel, level: ContentLevel = ContentLevel.MIME, largest: int = 1 << 30) -> Item:
    (item,) = mailbox(channel, largest=largest, limits=EwsLimits()).fetch(CALENDAR, ["I0"], level)
    assert isinstance(item, Item)
    return item


def names(item: Item, property_name: str = "ATTACH") -> list[str]:
    assert item.content is not None
    text = item.content.data.decode().replace("\r\n ", "")
    found = re.findall(rf"^{property_name}\b(.*)$", text, re.MULTILINE)
    return [re.search(r"\d\.txt", each)[0] for each in found]  # type: ignore[index]


def test_small_attachments_come_in_one_request() -> None:
    channel = channel_of(event(100, 100, 100), lambda ids: answer("GetAttachment", *map(file, ids)))

    assert names(fetched(channel)) == ["0.txt", "1.txt", "2.txt"]
    assert channel.requests == 2


def test_large_attachments_come_one_by_one() -> None:
    channel = channel_of(event(5 << 20, 5 << 20), lambda ids: answer("GetAttachment", *map(file, ids)))

    assert names(fetched(channel)) == ["0.txt", "1.txt"]
    assert [asked(request) for request in channel.asked[1:]] == [["A0"], ["A1"]]


def test_metadata_alone_fetches_no_attachment() -> None:
    channel = channel_of(event(100), lambda ids: answer("GetAttachment", *map(file, ids)))

    assert fetched(channel, ContentLevel.METADATA).content is None
    assert channel.requests == 1


def test_attachment_that_is_refused_is_named_and_tried_again() -> None:
    """The others are there, the file names the missing one, and the item says that it lacks something."""
    refused = failure("GetAttachment", "ErrorCannotOpenFileAttachment")
    channel = channel_of(
        event(1, 1, 1), lambda ids: answer("GetAttachment", *(refused if each == "A1" else file(each) for each in ids))
    )
    item = fetched(channel)

    assert names(item) == ["0.txt", "2.txt"]
    assert names(item, "X-MISSING-ATTACHMENT") == ["1.txt"]
    assert item.lacking is not None
    assert (item.lacking.reason, item.lacking.support) == (Reason.ITEM_UNREADABLE, "ErrorCannotOpenFileAttachment")
    assert item.metadata["original"] is False


def test_attachment_whose_answer_cannot_be_read_leaves_the_others() -> None:
    def answered(ids: list[str]) -> bytes:
        return answer("GetAttachment", "<broken") if "A1" in ids else answer("GetAttachment", *map(file, ids))

    item = fetched(channel_of(event(1, 1, 1), answered))

    assert names(item) == ["0.txt", "2.txt"]
    assert item.lacking is not None


def test_attachment_that_is_no_base64_is_left_out() -> None:
    channel = channel_of(event(1), lambda ids: answer("GetAttachment", file("A0", "%%%")))

    assert fetched(channel).lacking is not None


def test_empty_attachment_is_an_attachment() -> None:
    channel = channel_of(event(1), lambda ids: answer("GetAttachment", file("A0", "")))

    assert names(fetched(channel)) == ["0.txt"]


def test_attachments_too_large_together_are_named_and_not_asked_for() -> None:
    """They are no fault: the operator's largest item is meant. Nothing is tried again."""
    channel = channel_of(event(600, 600, 300), lambda ids: answer("GetAttachment", *map(file, ids)))
    item = fetched(channel, largest=1000)

    assert names(item) == ["0.txt"]
    assert names(item, "X-MISSING-ATTACHMENT") == ["1.txt", "2.txt"]
    assert item.lacking is None


@pytest.mark.parametrize(
    "given", [fault("ErrorServerBusy", 1000), RetryLater(Reason.UNAVAILABLE, support="http_503", retry_after=30)]
)
def test_outage_over_an_attachment_is_an_outage(given: "bytes | Exception") -> None:
    """An item without its attachments would be taken for whole."""
    with pytest.raises(RetryLater):
        fetched(channel_of(event(1), lambda ids: given))


def test_attached_item_is_its_mime_text() -> None:
    element = event(1).replace("FileAttachment", "ItemAttachment")
    inside = (
        "<t:ItemAttachment><t:Message><t:MimeContent>U3ViamVjdDogeA==</t:MimeContent></t:Message></t:ItemAttachment>"
    )
    given = answer("GetAttachment", success("GetAttachment", f"<m:Attachments>{inside}</m:Attachments>"))
    item = fetched(channel_of(element, lambda ids: given))

    assert item.content is not None
    assert b"FMTTYPE=message/rfc822" in item.content.data
    assert b"U3ViamVjdDogeA==" in item.content.data
