"""One request to Graph and its answer, whether it came by itself or within a batch."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from sandbox.graph.wire.errors import GraphError, parse_error

type Json = dict[str, Any]

_HEADERS = frozenset(
    (
        "accept", "accept-charset", "accept-encoding", "accept-language", "authorization", "cache-control",
        "client-request-id", "connection", "consistencylevel", "content-length", "content-type", "feature-flag",
        "host", "if-match", "if-none-match", "origin", "pragma", "prefer", "return-client-request-id", "sdkversion",
        "sec-fetch-mode", "traceparent", "tracestate", "user-agent", "x-anchormailbox",
    )
)  # fmt: skip
"""What a request may carry; anything else is a mistake of the client's that the real service hides."""


@dataclass(frozen=True, slots=True)
class GraphRequest:
    """What is asked. `segments` begin behind the version, keys in parentheses are segments of their own."""

    method: str
    version: str
    segments: tuple[str, ...]
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: Any = None
    base: str = ""
    path: str = ""

    @property
    def prefer(self) -> "Preferences":
        """What the Prefer header says. Raises GraphError."""
        return Preferences.parse(self.headers.get("prefer", ""))


@dataclass(slots=True)
class GraphResponse:
    """What is answered: a JSON object, bytes of a media type, or nothing."""

    status: int = 200
    body: Json | bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


def read_request(method: str, url: str, headers: Mapping[str, str], body: Any, base: str) -> GraphRequest:
    """A request from its URL's path and query, below the version. Raises GraphError."""
    lower = {name.lower(): value for name, value in headers.items()}
    if unknown := sorted(set(lower) - _HEADERS):
        raise GraphError(400, "BadRequest", f"The header '{unknown[0]}' is not supported.")
    path, _, query = url.partition("?")
    version, *rest = [part for part in path.split("/") if part]
    if version not in ("v1.0", "beta"):
        raise GraphError(400, "BadRequest", "Invalid version.")
    segments = tuple(piece for part in rest for piece in _pieces(part))
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    return GraphRequest(method, version, segments, pairs, lower, body, base, path)


_KEYED = re.compile(r"^([A-Za-z]+)\('(.*)'\)$")


def _pieces(part: str) -> list[str]:
    """A segment as plain names: `messages('id')` is two, `microsoft.graph.delta()` is `delta`."""
    text = unquote(part)
    keyed = _KEYED.match(text)
    if keyed:
        return [keyed.group(1), keyed.group(2).replace("''", "'")]
    return [text.removeprefix("microsoft.graph.").removesuffix("()")]


@dataclass(frozen=True, slots=True)
class Preferences:
    """The Prefer header. `page_size` None: not given; `time_zone` as a client names it."""

    page_size: int | None = None
    immutable_ids: bool = False
    time_zone: str = ""
    body_type: str = ""
    applied: tuple[str, ...] = ()

    @classmethod
    def parse(cls, header: str) -> "Preferences":
        """Read a Prefer header. Raises GraphError for preferences that are not known."""
        found: dict[str, str] = {}
        for part in _split(header):
            name, _, value = part.partition("=")
            found[name.strip().lower()] = value.strip().strip('"')
        if unknown := sorted(set(found) - _PREFERENCES):
            raise parse_error(f"The preference '{unknown[0]}' is not supported.")
        size, ids, body = found.get("odata.maxpagesize"), found.get("idtype"), found.get("outlook.body-content-type")
        if size is not None and not (size.isdigit() and int(size)):
            raise parse_error("The value of 'odata.maxpagesize' must be a positive number.")
        if ids not in (None, "ImmutableId"):
            raise parse_error("The value of 'IdType' must be ImmutableId.")
        if body not in (None, "text", "html"):
            raise parse_error("The value of 'outlook.body-content-type' must be text or html.")
        applied = tuple(f'{name}="{value}"' if value else name for name, value in found.items())
        zone = found.get("outlook.timezone", "")
        return cls(int(size) if size else None, ids is not None, zone, body or "", applied)


_PREFERENCES = frozenset(
    (
        "idtype",
        "odata.maxpagesize",
        "outlook.allow-unsafe-html",
        "outlook.body-content-type",
        "outlook.timezone",
        "respond-async",
        "return",
    )
)


def _split(header: str) -> list[str]:
    """The preferences of a header: commas within quotes do not separate."""
    return [part.strip() for part in re.findall(r'(?:[^,"]|"[^"]*")+', header) if part.strip()]
