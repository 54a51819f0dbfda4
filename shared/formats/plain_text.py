"""HTML as plain text, for readers that show a DESCRIPTION or NOTE alone."""

import re
from html import unescape
from html.parser import HTMLParser

from shared.formats.common import Body

_BLOCKS = frozenset(
    {"address", "article", "blockquote", "center", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table"}
    | {"tbody", "thead", "tr", "ul"}
)
_HIDDEN = frozenset({"head", "script", "style", "title"})
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote"})


def plain_text(body: Body) -> str:
    """The body's own plain text, else that of its HTML."""
    return body.text or (text_of(body.html) if body.html else "")


def text_of(html: str) -> str:
    """What HTML says, with line breaks where it shows some, and links behind their words."""
    reader = _Reader()
    try:
        reader.feed(html)
        reader.close()
    except AssertionError:  # html.parser has no error of its own for declarations that it cannot read.
        reader.parts = [unescape(re.sub(r"<[^<>]*>", " ", html))]
    lines = (line.strip() for line in "".join(reader.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    """Collects text; knows no layout."""

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
        """The address behind the words, unless they are the address or it leads nowhere outside."""
        words = "".join(self.parts[start:]).strip()
        if url.startswith(("http://", "https://", "tel:")) and url.rstrip("/") != words.rstrip("/"):
            self.parts.append(f" <{url}>")

    def _break(self, tag: str) -> None:
        """Blocks begin on a line of their own, paragraphs after an empty one."""
        if self.parts:
            self.parts.append("\n\n" if tag in _PARAGRAPHS else "\n")
