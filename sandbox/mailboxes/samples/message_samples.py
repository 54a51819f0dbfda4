"""Generated messages: synthetic mail by the thousand, and one message of every class that the corpus lacks."""

import random
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import partial

from sandbox.mailboxes.fragments import tag, when
from sandbox.mailboxes.items.mime import mailbox, properties_of
from sandbox.mailboxes.store import Item

_WORDS = [
    "annual",
    "report",
    "meeting",
    "budget",
    "harbour",
    "lantern",
    "signal",
    "copper",
    "window",
    "planet",
    "river",
    "figures",
    "draft",
    "reply",
]


def _subject(number: int) -> str:
    chance = random.Random(number)  # noqa: S311 -- the same every time
    return f"{' '.join(chance.choices(_WORDS, k=4)).capitalize()} {number}"


def _mime(number: int, size: int, sent: datetime) -> bytes:
    """One message of about `size` bytes; the same for the same number."""
    head = (
        f"From: Sender {number % 50} <sender{number % 50}@senders.example>\r\nTo: reader@example.com\r\n"
        f"Subject: {_subject(number)}\r\nDate: {format_datetime(sent)}\r\nMessage-ID: <{number}@senders.example>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    ).encode()
    line = f"{number:08} {' '.join(_WORDS)}\r\n".encode()
    length = max(0, size - len(head))
    return head + (line * (length // len(line) + 1))[:length]


def synthetic(number: int, size: int, now: datetime) -> Item:
    """A message whose bytes are generated on demand: a hundred thousand of them fit into memory."""
    sent = (now - timedelta(minutes=number)).replace(microsecond=0)
    who = (f"Sender {number % 50}", f"sender{number % 50}@senders.example")
    properties = {
        "Subject": tag("Subject", _subject(number)),
        "DateTimeReceived": tag("DateTimeReceived", when(sent)),
        "DateTimeSent": tag("DateTimeSent", when(sent)),
        "DisplayTo": tag("DisplayTo", "reader@example.com"),
        "HasAttachments": tag("HasAttachments", "false"),
        "Sender": f"<t:Sender>{mailbox(*who)}</t:Sender>",
        "From": f"<t:From>{mailbox(*who)}</t:From>",
        "ToRecipients": f"<t:ToRecipients>{mailbox('', 'reader@example.com')}</t:ToRecipients>",
        "InternetMessageId": tag("InternetMessageId", f"<{number}@senders.example>"),
    }
    made = Item("Message", "IPM.Note", properties, partial(_mime, number, size, sent))
    made.size, made.is_read = size + 500, number % 3 != 0
    return made


def message(raw: bytes, item_class: str = "") -> Item:
    """The item of a message as it arrives."""
    element, its_class, properties = properties_of(raw)
    return Item(element, item_class or its_class, properties, raw)


def specials(address: str, now: datetime) -> list[Item]:
    """Three kinds of meeting mail, two reports, a post, signed and encrypted mail."""
    made = [message(_special(address, now, number, what)) for number, what in enumerate(_SPECIALS)]
    notice = _special(address, now, 99, ("Notice", "text/plain", "All welcome."))
    post = Item("PostItem", "IPM.Post", properties_of(notice)[2], notice)
    for invited in made[:3]:
        start = now.replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
        invited.properties |= {
            "Start": tag("Start", when(start)),
            "End": tag("End", when(start + timedelta(hours=1))),
            "Location": tag("Location", "Room 1"),
            "UID": tag("UID", "040000008200E00074C5B7101A82E00800000000ABCDEF"),
        }
    return [*made, post]


def _calendar(method: str) -> str:
    return (
        f"BEGIN:VCALENDAR\r\nMETHOD:{method}\r\nPRODID:-//Example//EN\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n"
        "UID:040000008200E00074C5B7101A82E00800000000ABCDEF\r\nDTSTAMP:20260101T000000Z\r\n"
        "DTSTART:20260301T090000Z\r\nDTEND:20260301T100000Z\r\nSUMMARY:Kick-off\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )


_REPORT = (
    "--b\r\nContent-Type: text/plain\r\n\r\n{what}\r\n--b\r\nContent-Type: message/{kind}\r\n\r\n"
    "Reporting-MTA: dns; mx.example.com\r\n\r\nFinal-Recipient: rfc822; nobody@example.com\r\nAction: failed\r\n"
    "Status: 5.1.1\r\n\r\n--b--\r\n"
)

_SPECIALS = (
    ("Kick-off", "text/calendar; method=REQUEST; charset=utf-8", _calendar("REQUEST")),
    ("Accepted: Kick-off", "text/calendar; method=REPLY; charset=utf-8", _calendar("REPLY")),
    ("Canceled: Kick-off", "text/calendar; method=CANCEL; charset=utf-8", _calendar("CANCEL")),
    (
        "Undeliverable: Offer",
        'multipart/report; report-type=delivery-status; boundary="b"',
        _REPORT.format(what="Nobody lives there.", kind="delivery-status"),
    ),
    (
        "Read: Offer",
        'multipart/report; report-type=disposition-notification; boundary="b"',
        _REPORT.format(what="It was read.", kind="disposition-notification"),
    ),
    (
        "Signed",
        'multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="b"',
        "--b\r\nContent-Type: text/plain\r\n\r\nTrust me.\r\n--b\r\nContent-Type: application/pkcs7-signature; "
        "name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=smime.p7s\r\n"
        "\r\nMIIGFwYJKoZIhvcNAQcCoIIGCDCCBgQCAQExDzANBglghkgBZQ==\r\n--b--\r\n",
    ),
    (
        "Encrypted",
        "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64",
        "MIIBkQYJKoZIhvcNAQcDoIIBgjCCAX4CAQAxggE4MIIBNAIBADAcMBcxFTATBgNVBAMMDA==\r\n",
    ),
)


def _special(address: str, now: datetime, number: int, special: tuple[str, str, str]) -> bytes:
    subject, kind, content = special
    sent = format_datetime((now - timedelta(days=number)).replace(microsecond=0))
    return (
        f"From: Erika Beispiel <erika@partners.example>\r\nTo: {address}\r\nSubject: {subject}\r\nDate: {sent}\r\n"
        f"Message-ID: <special{number}@partners.example>\r\nMIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n{content}"
    ).encode()
