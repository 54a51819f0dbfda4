"""Decodes the parameters and the body of a call into their structs, and names the parameter or field at fault."""

import re
from collections.abc import Mapping
from functools import cache

import msgspec
from msgspec import Struct, inspect

from shared.api.errors import Malformed, Refused
from shared.api.expectations import expected_of

_AT_FIELD = re.compile(r"`\$\.([^`]*)`")
_AT_BYTE = re.compile(r"\(byte (\d+)\)")
_MISSING = re.compile(r"missing required field `([^`]+)`")
_NUMBER = re.compile(r"[+-]?[\d.]+")
_UNKNOWN = re.compile(r"contains unknown field `([^`]+)`")


def decode_query(kind: type[Struct], given: Mapping[str, str]) -> Struct:
    """Decode query parameters. Raises Malformed."""
    if unknown := sorted(given.keys() - set(kind.__struct_encode_fields__)):
        raise Malformed(unknown[0], "unknown")
    for name in _times(kind) & given.keys():
        if _NUMBER.fullmatch(given[name]):  # would be seconds since 1970, and "2026" is a year to whoever sends it
            raise Malformed(name, expected=expected_of(kind, name))
    try:
        return msgspec.convert(dict(given), kind, strict=False)
    except msgspec.ValidationError as exc:
        raise _malformed(exc, kind) from exc


@cache
def _times(kind: type[Struct]) -> frozenset[str]:
    """The names of a query's parameters that are times."""
    declared = inspect.type_info(kind)
    fields = declared.fields if isinstance(declared, inspect.StructType) else ()
    return frozenset(field.encode_name for field in fields if _is_time(field.type))


def _is_time(found: inspect.Type) -> bool:
    if isinstance(found, inspect.UnionType):
        return any(_is_time(each) for each in found.types)
    return isinstance(found, inspect.DateTimeType)


def decode_body(kind: type[Struct] | None, body: bytes) -> Struct | None:
    """Decode a JSON body. An operation without a body takes none, or an empty object.

    Raises:
        Malformed: with the field at fault.
        Refused: malformed, if it is not JSON.
    """
    if kind is None:
        if body.strip() not in (b"", b"{}"):
            raise Refused("malformed", "body", "no_body")
        return None
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as exc:
        raise _malformed(exc, kind) from exc
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as exc:
        raise Refused("malformed", "body", "not_json", _position(exc, body)) from exc


def _position(error: Exception, body: bytes) -> str:
    """Where the body stops being JSON, as far as the error tells."""
    if found := _AT_BYTE.search(str(error)):
        return f"at byte {found[1]}"
    return f"at its end, after {len(body)} bytes" if "truncated" in str(error) else "somewhere in it"


def _malformed(error: msgspec.ValidationError, kind: type[Struct]) -> Refused:
    """The refusal that names the field in msgspec's message, and what it must be."""
    text = str(error)
    if found := _UNKNOWN.search(text):
        return Malformed(found[1], "unknown")
    if found := _MISSING.search(text):
        return Malformed(found[1], "missing")
    if found := _AT_FIELD.search(text):
        name = re.sub(r"\[.*", "", found[1])
        return Malformed(name, expected=expected_of(kind, name))
    return Refused("malformed", "body", "wrong", "a JSON object")
