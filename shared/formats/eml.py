"""Rebuilds messages that a server cannot write as MIME from the parts it returns: headers, text, attachments.

The usual case is opaque S/MIME: the server fails with ErrorMimeContentConversionFailed, but returns the headers and
smime.p7m, the signed or encrypted content from which any mail program can show the message. For a report about signed
mail it returns the text and attachments. In both cases the rebuilt file is not identical to the original.
"""

import re
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from email.policy import SMTP

from shared.formats.values.common import Attachment, Body

type Header = tuple[str, str]

_SMIME = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_OURS = frozenset(
    {"content-type", "content-transfer-encoding", "content-disposition", "mime-version", "content-length"}
)
_HEADER = re.compile(r"^([!-9;-~]+):[ \t]*(.*(?:\n[ \t].*)*)", re.MULTILINE)
"""A header by RFC 5322, 2.2: a name of printable characters, a colon, and a value with its folded lines."""


def read_headers(text: str) -> list[Header]:
    """Parse the headers of a message as received (PidTagTransportMessageHeaders)."""
    head = text.replace("\r\n", "\n").partition("\n\n")[0]
    return [(found[1], found[2]) for found in _HEADER.finditer(head)]


def is_sealed(name: str, media_type: str) -> bool:
    """Whether an attachment is the whole content of an opaque S/MIME message."""
    return name.lower() == "smime.p7m" or media_type.lower().startswith(_SMIME)


def rebuilt_message(headers: Sequence[Header], body: Body, attachments: Sequence[Attachment]) -> bytes:
    """Write an .eml file from a message's headers, body and attachments.

    The header X-Missing-Attachment names each attachment without bytes.
    """
    kept = [header for header in headers if header[0].lower() not in _OURS and _is_name(header[0])]
    for attachment in attachments:
        if attachment.data is not None and is_sealed(attachment.name, attachment.media_type):
            return _sealed_message(kept, headers, attachment.data)
    message = EmailMessage(policy=SMTP)
    for header in kept:
        _add_header(message, header)
    message.set_content(body.html or body.text, subtype="html" if body.html else "plain")
    for attachment in attachments:
        _attach(message, attachment)
    return message.as_bytes()


def _sealed_message(kept: Sequence[Header], headers: Sequence[Header], data: bytes) -> bytes:
    """The message as sent, except for the order and folding of its headers: its body is the S/MIME content."""
    original = next((value for name, value in headers if name.lower() == "content-type"), "")
    is_smime = original.lower().startswith(_SMIME)
    content_type = _one_line(original) if is_smime else 'application/pkcs7-mime; name="smime.p7m"'
    lines = [f"{name}: {_one_line(value)}" for name, value in kept]
    lines += ["MIME-Version: 1.0", f"Content-Type: {content_type}", "Content-Transfer-Encoding: base64"]
    lines += ['Content-Disposition: attachment; filename="smime.p7m"', "", *_base64_lines(data), ""]
    return "\r\n".join(lines).encode("utf-8", "replace")


def _base64_lines(data: bytes) -> Iterator[str]:
    import pybase64

    text = pybase64.b64encode(data).decode()
    return (text[start : start + 76] for start in range(0, len(text), 76))


def _add_header(message: EmailMessage, header: Header) -> None:
    """Add a header unchanged. Skip one that Python's email package rejects (a second From)."""
    try:
        message[header[0]] = _one_line(header[1])
    except (ValueError, IndexError):
        return


def _attach(message: EmailMessage, attachment: Attachment) -> None:
    name = _one_line(attachment.name or "attachment")
    if attachment.data is None:
        _add_header(message, ("X-Missing-Attachment", f"{name} {attachment.url}"))
        return
    main, _, sub = attachment.media_type.partition("/")
    is_plain_name = main.isalnum() and sub and main.lower() not in ("message", "multipart")
    main, sub = (main, sub) if is_plain_name else ("application", "octet-stream")
    if attachment.media_type == "message/rfc822" and not name.lower().endswith(".eml"):
        name = f"{name}.eml"
    content_id = f"<{_one_line(attachment.content_id)}>" if attachment.content_id else None
    disposition = "inline" if attachment.is_inline else "attachment"
    message.add_attachment(
        attachment.data, maintype=main, subtype=sub, filename=name, cid=content_id, disposition=disposition
    )


def _is_name(name: str) -> bool:
    return bool(name) and all("!" <= mark <= "~" and mark != ":" for mark in name)


def _one_line(text: str) -> str:
    """A header value without the line breaks of its folding, which could start another header."""
    return " ".join(text.split())
