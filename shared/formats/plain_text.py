"""Converts HTML to plain text, for programs that show only a DESCRIPTION or NOTE."""

import re
from html import unescape
from html.parser import HTMLParser

from shared.formats.values.common import Body

_BLOCKS = frozenset(
    {"address", "article", "blockquote", "center", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table"}
    | {"tbody", "thead", "tr", "ul"}
)
_HIDDEN = frozenset({"head", "script", "style", "title"})
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote"})


def plain_text(body: Body) -> str:
    """The body's own plain text, or else its HTML converted to plain text."""
    return body.text or (text_of(body.html) if body.html else "")


def text_of(html: str) -> str:
    """Convert HTML to text, with line breaks where HTML shows them, and link addresses after the link texts."""
    reader = _Reader()
    try:
        reader.feed(html)
        reader.close()
    except AssertionError:  # html.parser raises it for declarations that it cannot parse.
        reader.parts = [unescape(re.sub(r"<[^<>]*>", " ", html))]
    lines = (line.strip() for line in "".join(reader.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    """Collects the text of an HTML document without its layout."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0
        self._preformatted = 0
        self._link: tuple[str, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag == "br":
            self.parts.append("\n")
        elif tag == "a":
            self._link = (dict(attrs).get("href") or "", len(self.parts))
        elif tag in ("td", "th"):
            self.parts.append(" ")
        elif tag in _BLOCKS:
            self._preformatted += tag == "pre"
            self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "a" and self._link:
            self._end_link(*self._link)
            self._link = None
        elif tag in _BLOCKS:
            self._preformatted = max(0, self._preformatted - (tag == "pre"))
            self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data if self._preformatted else re.sub(r"\s+", " ", data))

    def _end_link(self, url: str, start: int) -> None:
        """Add the link's address after its text, unless the text is the address or the link is not external."""
        words = "".join(self.parts[start:]).strip()
        if url.startswith(("http://", "https://", "tel:")) and url.rstrip("/") != words.rstrip("/"):
            self.parts.append(f" <{url}>")

    def _break(self, tag: str) -> None:
        """Begin a new line for a block, and leave an empty line before a paragraph."""
        if self.parts:
            self.parts.append("\n\n" if tag in _PARAGRAPHS else "\n")
