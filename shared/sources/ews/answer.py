"""Reads a SOAP answer: one strict lxml pass, its response messages, and what went wrong in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

from shared.errors import MailboxSyncError
from shared.sources.ews.errors import Fault, error_of, of_code, of_fault

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
M = "{http://schemas.microsoft.com/exchange/services/2006/messages}"
T = "{http://schemas.microsoft.com/exchange/services/2006/types}"
E = "{http://schemas.microsoft.com/exchange/services/2006/errors}"

_HUGE = 9_000_000
"""From here on libxml2 must be told to accept a text of more than 10 MB (one large message)."""

_ENVELOPE_END = re.compile(rb"</(?:[\w.-]+:)?Envelope\s*>\s*$")
_CHARACTER_REFERENCE = re.compile(rb"&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,10}));")
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
"""Control characters, and U+FFFE and U+FFFF."""


def parse(data: bytes) -> etree._Element:
    """The children-bearing Body element of a SOAP answer.

    A document type is refused outright, before any entity could matter; nothing is ever fetched. Exchange writes
    control characters of subjects and bodies as character references that XML 1.0 forbids: an answer that does not
    parse is tried once more without them.

    Raises:
        Unreadable: it came whole but cannot be parsed. RetryLater: anything else that is no answer.
    """
    try:
        root = _parse_once(data)
    except etree.XMLSyntaxError as exc:
        if not _ENVELOPE_END.search(data[-256:]):
            raise of_fault(Fault.CUT) from exc
        root = _parse_cleaned(data)
    if root.getroottree().docinfo.internalDTD is not None:
        raise of_fault(Fault.DOCTYPE)
    body = root.find(f"{SOAP}Body")
    if root.tag != f"{SOAP}Envelope" or body is None:
        raise of_fault(Fault.UNEXPECTED)
    return body


def _parse_once(data: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        remove_comments=True,
        remove_pis=True,
        huge_tree=len(data) > _HUGE,
    )
    if _has_doctype(data):
        raise of_fault(Fault.DOCTYPE)
    return etree.fromstring(data, parser)


def _parse_cleaned(data: bytes) -> etree._Element:
    cleaned = _FORBIDDEN.sub(b"", _CHARACTER_REFERENCE.sub(_allowed_reference, data))
    try:
        return _parse_once(cleaned)
    except etree.XMLSyntaxError as exc:
        raise of_fault(Fault.MALFORMED) from exc


def _has_doctype(data: bytes) -> bool:
    """Whether a document type stands at the beginning, where alone XML allows it (UTF-16 is caught after parsing)."""
    return b"<!" in data[:2048] and b"<!DOCTYPE" in data[:2048].upper()


def _allowed_reference(match: re.Match[bytes]) -> bytes:
    number = int(match[1], 16) if match[1] else int(match[2])
    allowed = number in {9, 10, 13} or 0x20 <= number <= 0xD7FF or 0xE000 <= number <= 0xFFFD
    return match[0] if allowed or 0x10000 <= number <= 0x10FFFF else b""


@dataclass(frozen=True, slots=True)
class Problem:
    """What a response message or a fault says went wrong. `retry_after` in seconds, when it names a time."""

    code: str
    retry_after: float | None = None

    def error(self) -> MailboxSyncError:
        """The error this is when it speaks of the whole request."""
        return error_of(of_code(self.code), self.code, retry_after=self.retry_after)


def fault_of(body: etree._Element) -> Problem | None:
    """The SOAP fault in this body, if it is one."""
    fault = body.find(f"{SOAP}Fault")
    if fault is None:
        return None
    code = fault.findtext(f"detail/{E}ResponseCode") or fault.findtext("faultcode") or ""
    return Problem(_plain(code), _back_off(fault.find(f"detail/{T}MessageXml")))


def messages(body: etree._Element, operation: str) -> Iterator[etree._Element]:
    """The response messages of an operation's answer.

    Raises: what a SOAP fault leads to; RetryLater when this is no answer to that operation.
    """
    problem = fault_of(body)
    if problem:
        raise problem.error()
    response = body.find(f"{M}{operation}Response")
    holder = response.find(f"{M}ResponseMessages") if response is not None else None
    if holder is None or not len(holder):
        raise of_fault(Fault.UNEXPECTED)
    return iter(holder)


def problem_of(message: etree._Element) -> Problem | None:
    """What a response message says went wrong; None when it succeeded.

    A batch that was stopped half-way comes as a Warning, and so does nothing else that we could go on with.
    """
    if message.get("ResponseClass") == "Success":
        return None
    code = message.findtext(f"{M}ResponseCode") or ""
    if code == "NoError":
        return None
    return Problem(_plain(code), _back_off(message.find(f"{M}MessageXml")))


def _plain(code: str) -> str:
    """A code without the prefix some servers leave on it, and never more than a code: it is shown and counted."""
    code = code.strip().rpartition(":")[2]
    return code if re.fullmatch(r"[A-Za-z0-9_.-]{1,80}", code) else "unknown"


def _back_off(message_xml: etree._Element | None) -> float | None:
    """BackOffMilliseconds, in seconds."""
    if message_xml is None:
        return None
    for value in message_xml.iter(f"{T}Value"):
        text = (value.text or "").strip()
        if value.get("Name") == "BackOffMilliseconds" and text.isascii() and text.isdigit():
            return min(int(text[:9]) / 1000, 86_400.0)
    return None


def count_in(text: str) -> int | None:
    """A count as Exchange writes it; None when it is none."""
    return int(text[:15]) if text.isascii() and text.isdigit() else None


def moment(text: str | None) -> datetime | None:
    """A time as Exchange writes it, as aware UTC; None when there is none or it is no time.

    Some servers write nine fractional digits, some leave out the zone, which then is UTC.
    """
    if not text:
        return None
    try:
        if len(text) != 20:
            text = re.sub(r"(\.\d{6})\d+", r"\1", text.strip())
        value = datetime.fromisoformat(text)
        if value.tzinfo is UTC:
            return value
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
