"""XML fragments: the form in which items' properties are stored, with the element names of Exchange's data model.

A fragment is a string with the prefix `t:`, which the embedding document declares. What a client sets on an item is
stored as such a fragment and returned unchanged.
"""

import re
from datetime import UTC, datetime
from html import unescape

from lxml import etree

TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
T = f"{{{TYPES}}}"

# Characters that XML 1.0 cannot hold, not even escaped.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def parse(body: bytes) -> etree._Element:
    """Parse a request without resolving entities or loading anything.

    Raises: ValueError when it is not well-formed XML or has a document type declaration.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as exc:
        raise ValueError(str(exc)) from None
    if b"<!DOCTYPE" in body[:4096] or root.getroottree().docinfo.internalDTD is not None:
        raise ValueError("For security reasons DTD is prohibited in this XML document.")
    return root


def parse_fragment(fragment: str) -> etree._Element:
    """A stored fragment as an element."""
    return etree.fromstring(f'<x xmlns:t="{TYPES}">{fragment}</x>')[0]


def local(element: etree._Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def children(element: etree._Element) -> list[etree._Element]:
    """An element's child elements."""
    return [child for child in element if isinstance(child.tag, str)]


def escape(text: str) -> str:
    """Text escaped for content or an attribute; characters that XML cannot hold are dropped."""
    if not text.isprintable():
        text = _UNPRINTABLE.sub("", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return text.replace("\r", "&#xD;")


def tag(name: str, text: str) -> str:
    """A simple element of the types namespace."""
    return f"<t:{name}>{escape(text)}</t:{name}>"


def flag(value: bool) -> str:
    """A boolean as XML writes it."""
    return "true" if value else "false"


def fragment_of(element: etree._Element, name: str = "") -> str:
    """An element of a request as a fragment: our prefixes, without comments and white space."""
    name = name or local(element)
    attributes = "".join(f' {str(key).rpartition("}")[2]}="{escape(str(value))}"' for key, value in element.items())
    below = children(element)
    inside = "".join(fragment_of(child) for child in below) if below else escape(element.text or "")
    return f"<t:{name}{attributes}>{inside}</t:{name}>" if inside else f"<t:{name}{attributes}/>"


def text_of(fragment: str) -> str:
    """The text of a simple fragment; empty when there is none."""
    start, end = fragment.find(">"), fragment.rfind("</")
    return unescape(fragment[start + 1 : end]) if 0 <= start < end else ""


def extended_text(fragment: str) -> str:
    """The single value in an ExtendedProperty's fragment."""
    start, end = fragment.find("<t:Value>"), fragment.find("</t:Value>")
    return unescape(fragment[start + 9 : end]) if 0 <= start < end else ""


def when(moment: datetime) -> str:
    """A time in Exchange's format: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_when(text: str) -> datetime:
    """A time in a client's format; one without a zone is taken as UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text.strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
