"""Parses a message (.eml) into its text, its HTML, and its attachments. Never raises for what somebody sent."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage, Message

_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}")
MAX_ATTACHMENTS = 1_000


@dataclass(frozen=True, slots=True)
class ParsedAttachment:
    """One attachment: its name (may be empty), its media type as the sender wrote it, and its bytes."""

    name: str
    media_type: str
    data: bytes = field(repr=False)
    content_id: str = ""
    inline: bool = False


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """The parts of a message. `text` and `html` are the first of their kind, or None."""

    text: str | None = None
    html: str | None = None
    attachments: tuple[ParsedAttachment, ...] = ()


def parse(data: bytes) -> ParsedMail:
    """Parse a message. A part that cannot be decoded is kept as its bytes."""
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)  # noqa: S101 -- of this policy
    text: str | None = None
    html: str | None = None
    attachments: list[ParsedAttachment] = []
    for part in _leaves(message):
        kind = part.get_content_type()
        if not _is_attachment(part) and kind == "text/plain" and text is None:
            text = _decoded_text(part)
        elif not _is_attachment(part) and kind == "text/html" and html is None:
            html = _decoded_text(part)
        elif len(attachments) < MAX_ATTACHMENTS:
            attachments.append(_attachment(part))
    return ParsedMail(text, html, tuple(attachments))


def _leaves(message: EmailMessage) -> list[EmailMessage]:
    """The parts that are not made of parts. An attached message is one part."""
    if not message.is_multipart() or message.get_content_type() == "message/rfc822":
        return [message]
    parts = [part for part in message.iter_parts() if isinstance(part, EmailMessage)]
    return [leaf for part in parts for leaf in _leaves(part)]


def _is_attachment(part: EmailMessage) -> bool:
    return _safely(part.get_content_disposition, "") == "attachment" or bool(_safely(part.get_filename, ""))


def _attachment(part: EmailMessage) -> ParsedAttachment:
    kind = part.get_content_type().lower()
    name = _safely(part.get_filename, "") or ""
    content_id = str(_header(part, "Content-ID")).strip().strip("<>")
    return ParsedAttachment(
        name="".join(character for character in name if character.isprintable())[:255],
        media_type=kind if _MEDIA_TYPE.fullmatch(kind) else "application/octet-stream",
        data=_decoded_bytes(part),
        content_id=content_id[:255],
        inline=_safely(part.get_content_disposition, "") == "inline" or bool(content_id),
    )


def _decoded_bytes(part: EmailMessage) -> bytes:
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        first = inner[0] if isinstance(inner, list) and inner else None
        return bytes(first) if isinstance(first, Message) else b""
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _decoded_text(part: EmailMessage) -> str:
    """The text in the part's charset; in an unknown one, what is readable of it."""
    data = _decoded_bytes(part)
    try:
        return data.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        return data.decode("utf-8", "replace")


def _header(part: EmailMessage, name: str) -> object:
    return _safely(lambda: part.get(name, ""), "")


def _safely[T, D](read: Callable[[], T], default: D) -> T | D:
    """Read a header that the parser may fail on."""
    try:
        return read()
    except (ValueError, LookupError, TypeError, AttributeError):
        return default
