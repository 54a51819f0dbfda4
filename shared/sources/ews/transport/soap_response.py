"""Parses SOAP responses: the envelope with strict lxml, the response messages, and the errors they report."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

from shared.errors import MailboxSyncError
from shared.sources.ews.faults.rules import Fault, error_of_fault, error_of_rule, rule_of_code

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
M = "{http://schemas.microsoft.com/exchange/services/2006/messages}"
T = "{http://schemas.microsoft.com/exchange/services/2006/types}"
E = "{http://schemas.microsoft.com/exchange/services/2006/errors}"

_HUGE = 9_000_000
"""From this size (bytes) libxml2 needs `huge_tree`, since one text may exceed 10 MB (one large message)."""

_ENVELOPE_END = re.compile(rb"</(?:[\w.-]+:)?Envelope\s*>\s*$")
_CHARACTER_REFERENCE = re.compile(rb"&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,10}));")
_CHARACTER_REFERENCES = re.compile(rb"(?:&#(?:x[0-9a-fA-F]{1,8}|[0-9]{1,10});)+")
_SURROGATES = re.compile(rb"(?:\xed[\xa0-\xbf][\x80-\xbf])+")
"""UTF-16 surrogates that are encoded as single characters (CESU-8), which UTF-8 forbids."""
_OTHER_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*encoding\s*=\s*["'](?!utf-?8["'])""", re.IGNORECASE)
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
"""The characters that XML 1.0 forbids: control characters, U+FFFE and U+FFFF."""


def parse(data: bytes) -> etree._Element:
    """Parse a SOAP response and return its Body element.

    A document type declaration is rejected before any entity is resolved, and nothing is ever downloaded. Exchange
    writes control characters of subjects and bodies as character references that XML 1.0 forbids, and a character
    beyond U+FFFF as two references; it also passes on bytes that are not UTF-8. A response that does not parse is
    therefore parsed once more without these.

    Raises:
        ResponseUnreadable: the response is complete but cannot be parsed.
        RetryLater: any other invalid response.
    """
    try:
        root = _parse_once(data)
    except etree.XMLSyntaxError as exc:
        if not _ENVELOPE_END.search(data[-256:]):
            raise error_of_fault(Fault.CUT) from exc
        root = _parse_cleaned(data)
    if root.getroottree().docinfo.internalDTD is not None:
        raise error_of_fault(Fault.DOCTYPE)
    body = root.find(f"{SOAP}Body")
    if root.tag != f"{SOAP}Envelope" or body is None:
        raise error_of_fault(Fault.UNEXPECTED)
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
        raise error_of_fault(Fault.DOCTYPE)
    return etree.fromstring(data, parser)


def _parse_cleaned(data: bytes) -> etree._Element:
    cleaned = _FORBIDDEN.sub(b"", _CHARACTER_REFERENCES.sub(_allowed_references, _as_utf8(data)))
    try:
        return _parse_once(cleaned)
    except etree.XMLSyntaxError as exc:
        raise error_of_fault(Fault.MALFORMED) from exc


def _has_doctype(data: bytes) -> bool:
    """Whether a document type declaration is at the beginning, its only place (UTF-16 is checked after parsing)."""
    return b"<!" in data[:2048] and b"<!DOCTYPE" in data[:2048].upper()


def _as_utf8(data: bytes) -> bytes:
    """The same text as valid UTF-8, with invalid bytes replaced. Data in another encoding stays unchanged."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or _OTHER_ENCODING.match(data[:200]):
        return data
    joined = _SURROGATES.sub(lambda match: _joined(match[0].decode("utf-8", "surrogatepass")).encode(), data)
    return joined.decode("utf-8", "replace").encode()


def _joined(text: str) -> str:
    """The text with each surrogate pair joined to one character; a single surrogate is replaced."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _allowed_references(run: re.Match[bytes]) -> bytes:
    """Adjacent character references without forbidden ones; two references to a surrogate pair become one."""
    found = _CHARACTER_REFERENCE.finditer(run[0])
    numbers = [int(each[1], 16) if each[1] else int(each[2]) for each in found]
    text = "".join(chr(number) for number in numbers if 0 < number <= 0x10FFFF)
    return b"".join(b"&#%d;" % ord(each) for each in _joined(text) if _is_allowed(ord(each)))


def _is_allowed(number: int) -> bool:
    """Whether XML 1.0 allows the character (https://www.w3.org/TR/xml/#charsets)."""
    return number in {9, 10, 13} or 0x20 <= number <= 0xD7FF or 0xE000 <= number <= 0xFFFD or number >= 0x10000


@dataclass(frozen=True, slots=True)
class ResponseProblem:
    """The error that a response message or SOAP fault reports. `retry_after` is in seconds; None if not given."""

    code: str
    retry_after: float | None = None

    def error(self) -> MailboxSyncError:
        """The exception for this problem if it concerns the whole request."""
        return error_of_rule(rule_of_code(self.code), self.code, retry_after=self.retry_after)


def soap_fault(body: etree._Element) -> ResponseProblem | None:
    """The SOAP fault in this body; None if there is none."""
    fault = body.find(f"{SOAP}Fault")
    if fault is None:
        return None
    code = fault.findtext(f"detail/{E}ResponseCode") or fault.findtext("faultcode") or ""
    return ResponseProblem(_plain(code), _back_off(fault.find(f"detail/{T}MessageXml")))


def response_messages(body: etree._Element, operation: str) -> Iterator[etree._Element]:
    """The response messages of an operation.

    Raises: the error for a SOAP fault; RetryLater if this is not a response to that operation.
    """
    problem = soap_fault(body)
    if problem:
        raise problem.error()
    response = body.find(f"{M}{operation}Response")
    holder = response.find(f"{M}ResponseMessages") if response is not None else None
    if holder is None or not len(holder):
        raise error_of_fault(Fault.UNEXPECTED)
    return iter(holder)


def response_problem(message: etree._Element) -> ResponseProblem | None:
    """The problem that a response message reports; None if it succeeded.

    A Warning counts as a problem: Exchange uses it for a batch that it stopped halfway, and for nothing that we could
    accept as a success.
    """
    if message.get("ResponseClass") == "Success":
        return None
    code = message.findtext(f"{M}ResponseCode") or ""
    if code == "NoError":
        return None
    return ResponseProblem(_plain(code), _back_off(message.find(f"{M}MessageXml")))


def _plain(code: str) -> str:
    """A code without the prefix that some servers add. Any other text becomes "unknown", since codes are displayed."""
    code = code.strip().rpartition(":")[2]
    return code if re.fullmatch(r"[A-Za-z0-9_.-]{1,80}", code) else "unknown"


def _back_off(message_xml: etree._Element | None) -> float | None:
    """The value of BackOffMilliseconds, converted to seconds."""
    if message_xml is None:
        return None
    for value in message_xml.iter(f"{T}Value"):
        text = (value.text or "").strip()
        if value.get("Name") == "BackOffMilliseconds" and text.isascii() and text.isdigit():
            return min(int(text[:9]) / 1000, 86_400.0)
    return None


def parse_count(text: str) -> int | None:
    """Parse a count as Exchange writes it; None if it is not a number."""
    return int(text[:15]) if text.isascii() and text.isdigit() else None


def parse_time(text: str | None) -> datetime | None:
    """Parse a time as Exchange writes it to aware UTC; None if it is missing or invalid.

    Some servers write nine fractional digits. Some leave out the zone, which then is UTC.
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
