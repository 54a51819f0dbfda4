"""Decodes JSON responses with msgspec: pages of a collection, links, times, and extended properties."""

import binascii
import functools
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.sources.graph.faults.errors import JsonFault, of_fault


def decoded[T](kind: type[T], body: bytes) -> T:
    """Decode a response as the given type. Invalid Unicode is replaced, so that the rest is readable.

    Raises: AskForLess when it is no JSON; RetryLater when it is JSON of another shape.
    """
    try:
        return decoder(kind).decode(body)
    except msgspec.ValidationError as exc:
        raise of_fault(JsonFault.UNEXPECTED) from _nameless(exc)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        repaired = _with_valid_text(body)
        if repaired != body:
            return decoded(kind, repaired)
        raise of_fault(JsonFault.MALFORMED) from _nameless(exc)


def raw_content(body: bytes) -> bytes:
    """Return a response that is a message or a picture, unchanged.

    Raises: AskForLess when it begins as a page or as JSON does: a proxy or a failing service may send one with status
        200, and neither a message nor a JPEG begins so.
    """
    if _PAGE_OR_JSON.match(body):
        raise of_fault(JsonFault.MALFORMED)
    return body


_PAGE_OR_JSON = re.compile(rb"\s*[<{]")

_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)", re.DOTALL)
"""An escape within a JSON string; the group is a surrogate that is not part of a pair."""


def _with_valid_text(body: bytes) -> bytes:
    """Return JSON with invalid bytes and unpaired surrogates replaced by U+FFFD."""
    text = body.decode("utf-8", "replace").encode()
    return _ESCAPE.sub(lambda match: rb"\ufffd" if match[1] else match[0], text)


def decoder[T](kind: type[T]) -> msgspec.json.Decoder[T]:
    """Return the decoder of a type. It is created once, because creating one takes longer than decoding a page."""
    found = _DECODERS.get(kind)
    if found is None:
        found = _DECODERS[kind] = msgspec.json.Decoder(kind)
    return found


_DECODERS: dict[type, msgspec.json.Decoder[Any]] = {}


class Removed(msgspec.Struct, gc=False):
    """The mark of an item that has left a folder."""

    reason: str = ""


class Extended(msgspec.Struct, gc=False):
    """An extended property: its id, such as "Integer 0x0E08", which the service spells differently, and its value."""

    id: str
    value: str | None = None


class Page(msgspec.Struct, gc=False):
    """A page of a collection with undecoded members. An empty page can have a next one."""

    value: list[msgspec.Raw]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")
    delta_link: str | None = msgspec.field(default=None, name="@odata.deltaLink")


class Named(msgspec.Struct, rename="camel", gc=False):
    """The properties that every member of a collection has."""

    id: str
    change_key: str | None = None
    etag: str | None = msgspec.field(default=None, name="@odata.etag")
    removed: Removed | None = msgspec.field(default=None, name="@removed")

    @property
    def version(self) -> str:
        """The change key; from the ETag if the service returns it only there."""
        return self.change_key or key_in_etag(self.etag)


def key_in_etag(etag: str | None) -> str:
    """The change key within W/"..."."""
    match = _ETAG.fullmatch(etag or "")
    return match[1] if match else ""


_ETAG = re.compile(r'(?:W/)?"(.+)"')

_PROPERTY = re.compile(r"(\w+)\s+(?:\{([0-9a-fA-F-]{36})\}\s+(?:Id\s+|Name\s+))?(\S.*)")


@functools.lru_cache(maxsize=512)
def property_key(identifier: str) -> str:
    """An extended property's identity: set and number, or set and name, in lower case, without its type.

    Asked for "Integer 0x0E08" the service answers "Integer 0xe08", so that spellings are never compared.
    """
    match = _PROPERTY.fullmatch(identifier.strip())
    if match is None:
        return identifier.lower()
    _, group, name = match.groups()
    name = name.strip().lower()
    if name.startswith("0x"):
        name = format(int(name, 16), "04x") if _HEXADECIMAL.fullmatch(name) else name
    return f"{group.lower()}/{name}" if group else name


_HEXADECIMAL = re.compile(r"0x[0-9a-f]{1,8}")


def values_of(properties: Iterable[Extended] | None) -> dict[str, str]:
    """Return the values of extended properties by `property_key`."""
    return {property_key(each.id): each.value for each in properties or () if each.value is not None}


def binary(text: str | None) -> bytes:
    """Return the value of a binary property; empty if it is not base64."""
    try:
        return binascii.a2b_base64(text or "", strict_mode=False)
    except (binascii.Error, ValueError):
        return b""


def utc_text(text: str | None) -> str:
    """Return a time as ISO 8601 UTC in whole seconds, which is how Graph writes most times."""
    if not text or (len(text) == 20 and text[-1] == "Z"):
        return text or ""
    value = moment(text)
    return value.replace(microsecond=0).isoformat().replace("+00:00", "Z") if value else ""


def moment(text: str | None) -> datetime | None:
    """Return a time as aware UTC; None if it is not a time. It can have seven decimals, or no zone."""
    if not text:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    if value.tzinfo is UTC:
        return value
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _nameless(exc: BaseException) -> Exception:
    """Return only the exception's type, because its text may quote a mailbox's content."""
    return ValueError(type(exc).__name__)
