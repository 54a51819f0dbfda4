"""Writes the content lines of iCalendar (RFC 5545, 3.1) and vCard (RFC 6350, 3.2): escaped, folded, with CRLF."""

from collections.abc import Iterable, Mapping

_LINE_OCTETS = 75


def escaped(text: str) -> str:
    """Escape backslashes, commas, semicolons and line breaks in a text value; remove other control characters."""
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    text = text.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")
    return _printable(text)


def parameter(text: str) -> str:
    """Write a parameter value, quoted if necessary. Characters that quotes cannot contain are encoded by RFC 6868."""
    text = text.replace("^", "^^").replace('"', "^'")
    text = text.replace("\r\n", "^n").replace("\n", "^n").replace("\r", "^n")
    text = _printable(text)
    return f'"{text}"' if any(mark in text for mark in ",;:") else text


def line(name: str, value: str, parameters: Mapping[str, str] | None = None) -> str:
    """One folded line. `value` is already encoded as its property requires."""
    written = "".join(f";{key}={parameter(text)}" for key, text in (parameters or {}).items() if text)
    return folded(f"{name}{written}:{value}")


def text_line(name: str, value: object, parameters: Mapping[str, str] | None = None) -> str:
    """One folded line with a text value; an empty string if there is no text."""
    return line(name, escaped(str(value)), parameters) if value else ""


def folded(content: str) -> str:
    """Fold a line into parts of at most 75 octets without splitting a character."""
    if content.isascii():
        return _folded_ascii(content)
    parts: list[str] = []
    start = octets = 0
    limit = _LINE_OCTETS
    for position, character in enumerate(content):
        width = len(character.encode())
        if octets + width > limit:
            parts.append(content[start:position])
            start, octets, limit = position, 0, _LINE_OCTETS - 1
        octets += width
    parts.append(content[start:])
    return "\r\n ".join(parts) + "\r\n"


def _folded_ascii(content: str) -> str:
    """Fold a line of single-octet characters. This is faster, which matters for megabytes of attachments."""
    if len(content) <= _LINE_OCTETS:
        return content + "\r\n"
    rest = range(_LINE_OCTETS, len(content), _LINE_OCTETS - 1)
    parts = [content[:_LINE_OCTETS], *(content[start : start + _LINE_OCTETS - 1] for start in rest)]
    return "\r\n ".join(parts) + "\r\n"


def component(name: str, lines: Iterable[str]) -> str:
    """A component: its lines between BEGIN and END."""
    return f"BEGIN:{name}\r\n{''.join(lines)}END:{name}\r\n"


def _printable(text: str) -> str:
    text = text.encode("utf-8", "replace").decode()
    return text if text.isprintable() else "".join(filter(_is_allowed, text))


def _is_allowed(character: str) -> bool:
    return character == "\t" or (character >= " " and character != "\x7f")
