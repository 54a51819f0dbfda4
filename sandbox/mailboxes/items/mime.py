"""Conversion from a message's MIME to its EWS properties, and from a client's properties to MIME.

Real mail is malformed: invalid dates, unknown charsets, raw eight-bit headers. Nothing in this module raises.
"""

import binascii
from datetime import UTC, datetime
from email import policy
from email.header import decode_header
from email.message import EmailMessage, Message
from email.parser import BytesHeaderParser, BytesParser
from email.utils import format_datetime, formataddr, getaddresses, parsedate_to_datetime

from sandbox.mailboxes.fragments import children, escape, flag, local, parse_fragment, tag, text_of, when

_HEADERS = BytesHeaderParser(policy=policy.compat32)
_WHOLE = BytesParser(policy=policy.compat32)

_MEETING_CLASSES = {
    "request": ("MeetingRequest", "IPM.Schedule.Meeting.Request"),
    "cancel": ("MeetingCancellation", "IPM.Schedule.Meeting.Canceled"),
    "reply": ("MeetingResponse", "IPM.Schedule.Meeting.Resp.Pos"),
}


def properties_of(raw: bytes) -> tuple[str, str, dict[str, str]]:
    """The element, the item class and the properties that follow from a message's headers."""
    headers = _HEADERS.parsebytes(raw)
    element, item_class = classify(headers)
    found: dict[str, str] = {}
    for name, text in _texts(headers):
        if text:
            found[name] = tag(name, text)
    for name, header, many in _ADDRESSES:
        people = addresses(headers, header)
        if people:
            found[name] = _mailboxes(name, people if many else people[:1], many)
    found.update(_times(headers))
    found["HasAttachments"] = tag("HasAttachments", flag(headers.get_content_type() == "multipart/mixed"))
    return element, item_class, found


_ADDRESSES = (
    ("Sender", "Sender", False),
    ("From", "From", False),
    ("ToRecipients", "To", True),
    ("CcRecipients", "Cc", True),
    ("BccRecipients", "Bcc", True),
    ("ReplyTo", "Reply-To", True),
)

_SENSITIVITIES = {"personal": "Personal", "private": "Private", "company-confidential": "Confidential"}
_IMPORTANCES = {"high": "High", "low": "Low"}


def _texts(headers: Message) -> list[tuple[str, str]]:
    subject = header_text(headers, "Subject")
    topic = subject
    while topic[:3].lower() in ("re:", "fw:"):
        topic = topic[3:].strip()
    return [
        ("Subject", subject),
        ("Sensitivity", _SENSITIVITIES.get(header_text(headers, "Sensitivity").lower(), "Normal")),
        ("Importance", _IMPORTANCES.get(header_text(headers, "Importance").lower(), "Normal")),
        ("InReplyTo", header_text(headers, "In-Reply-To")),
        ("DisplayCc", _display(headers, "Cc")),
        ("DisplayTo", _display(headers, "To")),
        ("ConversationTopic", topic),
        ("InternetMessageId", header_text(headers, "Message-Id")),
        ("References", header_text(headers, "References")),
    ]


def classify(headers: Message) -> tuple[str, str]:
    """The element and item class that follow from a message's content type."""
    kind = headers.get_content_type()
    if kind == "multipart/signed":
        return "Message", "IPM.Note.SMIME.MultipartSigned"
    if kind in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
        return "Message", "IPM.Note.SMIME"
    if kind == "multipart/report":
        read = "disposition" in str(headers.get_param("report-type", ""))
        return "Message", "REPORT.IPM.Note.IPNRN" if read else "REPORT.IPM.Note.NDR"
    method = str(headers.get_param("method", "")).lower()
    if kind == "text/calendar" and method in _MEETING_CLASSES:
        return _MEETING_CLASSES[method]
    return "Message", "IPM.Note"


def header_text(headers: Message, name: str) -> str:
    """A header as plain text, however it is encoded."""
    # raw_items, since get() replaces raw bytes with question marks.
    found = (str(value) for key, value in headers.raw_items() if key.lower() == name.lower())
    text = _eight_bit(next(found, ""))
    if "=?" not in text:
        return " ".join(text.split())
    try:
        parts = decode_header(text)
    except (ValueError, binascii.Error):
        return " ".join(text.split())
    return " ".join("".join(_decoded(part, charset) for part, charset in parts).split())


def _eight_bit(text: str) -> str:
    """Raw bytes in a header (the parser keeps them as surrogates) decoded as UTF-8, else as Latin-1."""
    if text.isascii():
        return text
    raw = text.encode("utf-8", "surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _decoded(part: bytes | str, charset: str | None) -> str:
    if isinstance(part, str):
        return part
    try:
        return part.decode(charset or "latin-1", "replace")
    except LookupError:
        return part.decode("latin-1")


def addresses(headers: Message, name: str) -> list[tuple[str, str]]:
    """The (name, address) pairs of a header."""
    text = header_text(headers, name)
    return [pair for pair in getaddresses([text], strict=False) if pair[1]] if text else []


def _display(headers: Message, name: str) -> str:
    return "; ".join(shown or address for shown, address in addresses(headers, name))


def mailbox(shown: str, address: str, element: str = "Mailbox") -> str:
    """A mailbox in the format of recipients."""
    return (
        f"<t:{element}><t:Name>{escape(shown or address)}</t:Name><t:EmailAddress>{escape(address)}</t:EmailAddress>"
        f"<t:RoutingType>SMTP</t:RoutingType><t:MailboxType>OneOff</t:MailboxType></t:{element}>"
    )


def _mailboxes(name: str, people: list[tuple[str, str]], many: bool) -> str:
    inside = "".join(mailbox(shown, address) for shown, address in (people if many else people[:1]))
    return f"<t:{name}>{inside}</t:{name}>"


def _times(headers: Message) -> dict[str, str]:
    sent = _time(header_text(headers, "Date"))
    arrived = _time(header_text(headers, "Received").rpartition(";")[2]) or sent
    found = {}
    if arrived:
        found["DateTimeReceived"] = tag("DateTimeReceived", when(arrived))
    if sent or arrived:
        found["DateTimeSent"] = tag("DateTimeSent", when(sent or arrived or datetime.now(UTC)))
    return found


def _time(text: str) -> datetime | None:
    """A header's date; None when it is invalid or not plausible for e-mail."""
    try:
        moment = parsedate_to_datetime(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if 1970 <= moment.year <= 2100 else None


def bodies(raw: bytes) -> tuple[str, str]:
    """A message's text and HTML bodies, each empty when it has none."""
    found = {"text/plain": "", "text/html": ""}
    for part in _WHOLE.parsebytes(raw).walk():
        kind = part.get_content_type()
        if kind in found and not found[kind] and part.get_content_disposition() != "attachment":
            payload = part.get_payload(decode=True)
            charset = part.get_content_charset() or "utf-8"
            found[kind] = _decoded(payload, charset) if isinstance(payload, bytes) else ""
    return found["text/plain"], found["text/html"]


def attachments(raw: bytes) -> list[tuple[str, str, bytes]]:
    """A message's attachments: name, content type and bytes."""
    found = []
    for part in _WHOLE.parsebytes(raw).walk():
        if part.get_content_disposition() == "attachment" or (part.get_filename() and not part.is_multipart()):
            payload = part.get_payload(decode=True)
            content = payload if isinstance(payload, bytes) else b""
            found.append((part.get_filename() or "attachment", part.get_content_type(), content))
    return found


def internet_headers(raw: bytes) -> list[tuple[str, str]]:
    """Every header of a message, in order."""
    headers = _HEADERS.parsebytes(raw)
    return [(name, " ".join(_eight_bit(str(value)).split())) for name, value in headers.raw_items()]


def compose(properties: dict[str, str], sender: tuple[str, str], now: datetime, message_id: str) -> bytes:
    """The MIME of a message that a client gave as properties."""
    message = EmailMessage(policy=policy.SMTP)
    message["Subject"] = " ".join(text_of(properties.get("Subject", "")).split())
    for header, name in (("From", "From"), ("To", "ToRecipients"), ("Cc", "CcRecipients"), ("Bcc", "BccRecipients")):
        named = people(properties.get(name, "")) or ([sender] if header == "From" else [])
        if named:
            message[header] = ", ".join(formataddr(person) for person in named)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id
    importance = text_of(properties.get("Importance", ""))
    if importance in ("High", "Low"):
        message["Importance"] = importance
    body = properties.get("Body", "")
    html = 'BodyType="HTML"' in body.partition(">")[0]
    message.set_content(text_of(body), subtype="html" if html else "plain")
    return message.as_bytes()


def people(fragment: str) -> list[tuple[str, str]]:
    """The (name, address) pairs of recipients in a fragment."""
    if not fragment:
        return []
    pairs = []
    for one in children(parse_fragment(fragment)):
        texts = {local(child): child.text or "" for child in one}
        pairs.append((texts.get("Name", ""), texts.get("EmailAddress", "")))
    return [pair for pair in pairs if pair[1]]


def with_subject(raw: bytes, subject: str) -> bytes:
    """A message with another subject and no other byte changed."""
    return with_header(raw, "Subject", subject)


def with_header(raw: bytes, name: str, value: str) -> bytes:
    """A message with another value of one header and no other byte changed."""
    newline = b"\r\n" if b"\r\n" in raw else b"\n"
    head, gap, body = raw.partition(newline * 2)
    lines, kept, dropping = head.split(newline), [], False
    start = f"{name.lower()}:".encode()
    for line in lines:
        dropping = line.lower().startswith(start) or (dropping and line[:1] in (b" ", b"\t"))
        if not dropping:
            kept.append(line)
    message = EmailMessage(policy=policy.SMTP)
    message[name] = " ".join(value.split())
    kept.append(message.as_bytes().strip().replace(b"\r\n", newline))
    return newline.join(kept) + gap + body
