"""Writes mail addresses and links as URIs (RFC 3986, RFC 6068)."""

from urllib.parse import quote

_MAILBOX_MARKS = "!$'()*+,~"
"""The characters that RFC 6068 allows in an address unencoded, besides letters, digits and "-._"."""
_LINK_MARKS = "!#$%&'()*+,/:;=?@[]~"


def mailto(address: str) -> str:
    """A mail address as a URI; empty if it is not an address. Outer spaces are removed, inner ones are encoded."""
    local, at, domain = address.strip().rpartition("@")
    if not at or not local or not domain:
        return ""
    return f"mailto:{_quoted(local, _MAILBOX_MARKS)}@{_quoted(domain.strip(), _MAILBOX_MARKS + ':[]')}"


def link(url: str) -> str:
    """A link as a valid URI: spaces and characters beyond ASCII are percent-encoded."""
    return _quoted(url.strip(), _LINK_MARKS)


def _quoted(text: str, safe: str) -> str:
    return quote("".join(mark for mark in text if mark >= " " and mark != "\x7f"), safe=safe, errors="replace")
