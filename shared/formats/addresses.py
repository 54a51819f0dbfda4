"""Mail addresses and links as URIs (RFC 3986, 6068)."""

from urllib.parse import quote

_MAILBOX_MARKS = "!$'()*+,~"
"""What RFC 6068 lets stand in an address beside letters, digits and "-._"."""
_LINK_MARKS = "!#$%&'()*+,/:;=?@[]~"


def mailto(address: str) -> str:
    """A mail address as a URI; empty when it is none. Blanks around it are dropped, those within it encoded."""
    local, at, domain = address.strip().rpartition("@")
    if not at or not local or not domain:
        return ""
    return f"mailto:{_quoted(local, _MAILBOX_MARKS)}@{_quoted(domain.strip(), _MAILBOX_MARKS + ':[]')}"


def link(url: str) -> str:
    """A link without what a URI cannot hold: blanks and letters beyond ASCII are percent-encoded."""
    return _quoted(url.strip(), _LINK_MARKS)


def _quoted(text: str, safe: str) -> str:
    return quote("".join(mark for mark in text if mark >= " " and mark != "\x7f"), safe=safe, errors="replace")
