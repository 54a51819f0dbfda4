"""M3: mail that Exchange cannot write as MIME keeps its text and attachments, marked as not the original."""

import base64
import email
import json
import re
from email.message import Message

from shared.errors import Reason
from shared.sources.model import ContentLevel, Item, ItemFailure
from tests.unit.ews.soap_samples import INBOX, ScriptedChannel, answer, failure, items, mailbox, message, success


def fetched(channel: ScriptedChannel) -> Item:
    (item,) = mailbox(channel).fetch(INBOX, ["I0"], ContentLevel.MIME)
    assert isinstance(item, Item)
    assert item.content is not None
    return item


SEALED = b"\x30\x80" + bytes(100)


def without_mime(attachments: str, files: dict[str, bytes | None], more: str = "") -> Item:
    """I0, whose MIME cannot be written, with these attachments; a file of None is refused."""

    def given(identifier: str) -> str:
        data = files[identifier]
        if data is None:
            return failure("GetAttachment", "ErrorCannotOpenFileAttachment")
        content = f"<t:Content>{base64.b64encode(data).decode()}</t:Content>"
        return success(
            "GetAttachment", f"<m:Attachments><t:FileAttachment>{content}</t:FileAttachment></m:Attachments>"
        )

    def answered(request: str) -> bytes:
        if "<m:GetAttachment>" in request:
            return answer("GetAttachment", *map(given, re.findall(r'<t:AttachmentId Id="([^"]+)"', request)))
        if "IncludeMimeContent" in request:
            return answer("GetItem", failure("GetItem", "ErrorMimeContentConversionFailed"))
        listed = f"<t:Attachments>{attachments}</t:Attachments>" if "item:Attachments" in request else ""
        return items(message("I0", None, listed + more))

    item = fetched(ScriptedChannel(answered))
    assert item.content is not None
    assert item.content.form == "eml"
    assert item.metadata["original"] is False
    assert not {"attachments", "headers", "body"} & item.metadata.keys()
    assert item.lacking == ItemFailure("I0", Reason.ITEM_CORRUPT, "ErrorMimeContentConversionFailed")
    return item


def attached(identifier: str, name: str, kind: str) -> str:
    return (
        f'<t:FileAttachment><t:AttachmentId Id="{identifier}"/><t:Name>{name}</t:Name>'
        f"<t:ContentType>{kind}</t:ContentType><t:Size>100</t:Size></t:FileAttachment>"
    )


def mail_of(item: Item) -> Message:
    assert item.content is not None
    return email.message_from_bytes(item.content.data)


def test_opaque_smime_without_mime_is_put_together_from_its_sealed_content() -> None:
    """M3: from smime.p7m any reader that has the key gets the whole message."""
    headers = (
        '<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="0x7d" PropertyType="String"/><t:Value>'
        "Received: by x.example\r\nSubject: Lunch\r\n and more\r\nContent-Type: application/pkcs7-mime;\r\n"
        " smime-type=enveloped-data\r\n\r\n</t:Value></t:ExtendedProperty>"
    ).replace("\r\n", "&#13;\n")
    item = without_mime(attached("A1", "smime.p7m", "application/pkcs7-mime"), {"A1": SEALED}, headers)

    written = mail_of(item)
    assert written.get_content_type() == "application/pkcs7-mime"
    assert written.get_param("smime-type") == "enveloped-data"
    assert (written["Subject"], written["Received"]) == ("Lunch and more", "by x.example")
    assert written.get_payload(decode=True) == SEALED


def test_mail_without_mime_keeps_its_attachments() -> None:
    """M3: a report about signed mail; sent mail has no received headers, so that they are written from metadata."""
    files = attached("A1", "details.txt", "text/plain") + attached("A2", "Fwd: hi", "message/rfc822")
    body = '<t:Body BodyType="HTML">&lt;p&gt;It failed&lt;/p&gt;</t:Body>'
    written = mail_of(without_mime(files, {"A1": b"abc", "A2": b"From: a\n\nb"}, body))

    assert (written["From"], written["To"]) == ("Ada <Ada@X.example>", "Bo <bo@x.example>")
    parts = {part.get_filename(): part.get_payload(decode=True) for part in written.walk() if not part.is_multipart()}
    assert parts == {None: b"<p>It failed</p>\r\n", "details.txt": b"abc", "Fwd: hi.eml": b"From: a\n\nb"}


def test_attachment_that_mail_without_mime_lacks_is_named() -> None:
    """M3: what cannot be had is told in the file too."""
    files = attached("A1", "lost.txt", "text/plain") + attached("A2", "kept.txt", "text/plain")
    written = mail_of(without_mime(files, {"A1": None, "A2": b"abc"}))

    assert "lost.txt" in written["X-Missing-Attachment"]
    assert [part.get_filename() for part in written.walk() if part.get_filename()] == ["kept.txt"]


def test_a_journal_entry_keeps_its_attachments() -> None:
    """M3, its neighbor: items without a format of their own have attachments too."""
    element = (
        '<t:Item><t:ItemId Id="I0" ChangeKey="1"/><t:ItemClass>IPM.Activity</t:ItemClass><t:Attachments>'
        f"{attached('A1', 'call.txt', 'text/plain')}</t:Attachments></t:Item>"
    )
    inside = "<m:Attachments><t:FileAttachment><t:Content>YWJj</t:Content></t:FileAttachment></m:Attachments>"
    file = answer("GetAttachment", success("GetAttachment", inside))
    item = fetched(ScriptedChannel(lambda request: file if "GetAttachment" in request else items(element)))

    assert item.content is not None
    (found,) = json.loads(item.content.data)["attachments"]
    assert found == {"name": "call.txt", "type": "text/plain", "size": 100, "base64": "YWJj"}
