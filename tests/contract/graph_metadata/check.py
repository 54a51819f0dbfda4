"""Checks JSON against the metadata: every name must be a property of its type, every value of the property's type."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_ANNOTATIONS = frozenset(
    {"@odata.context", "@odata.etag", "@odata.type", "@odata.nextLink", "@odata.deltaLink", "@odata.count", "@removed"}
)


@dataclass(frozen=True)
class Metadata:
    """The names and types of Microsoft's metadata."""

    enums: dict[str, list[str]]
    types: dict[str, dict[str, Any]]

    def properties(self, name: str) -> dict[str, str]:
        """The properties and navigation properties of a type, inherited ones included, by name."""
        found: dict[str, str] = {}
        while name:
            one = self.types[name]
            found = {**one["navigation"], **one["properties"], **found}
            name = one["base"]
        return found

    def problems(self, value: Any, kind: str, where: str = "") -> Iterator[str]:
        """The errors in an entity of this type in a response; empty if it is valid."""
        if not isinstance(value, dict):
            yield f"{where}: {kind} expected, not {value!r}"
            return
        kind = str(value.get("@odata.type", kind)).removeprefix("#microsoft.graph.")
        known = self.properties(kind)
        for name, inner in value.items():
            if name.startswith("@") or "@odata." in name:
                if name not in _ANNOTATIONS:
                    yield f"{where}.{name}: unknown annotation"
            elif name not in known:
                yield f"{where}.{name}: {kind} has no such property"
            else:
                yield from self._value(inner, known[name], f"{where}.{name}")

    def _value(self, value: Any, kind: str, where: str) -> Iterator[str]:
        name = kind.rstrip("!").removesuffix("[]")
        if "[]" in kind:
            if not isinstance(value, list):
                yield f"{where}: a list expected, not {value!r}"
                return
            for number, inner in enumerate(value):
                yield from self._value(inner, name, f"{where}[{number}]")
        elif value is None:
            if kind.endswith("!"):
                yield f"{where}: null is not allowed"
        elif name in self.enums:
            if value not in self.enums[name]:
                yield f"{where}: {value!r} is no {name}"
        elif name in self.types:
            yield from self.problems(value, name, where)
        elif not _PLAIN[name](value):
            yield f"{where}: {value!r} is no {name}"


def _base64(value: Any) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError):
        return False
    return True


def _matches(pattern: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


_PLAIN: dict[str, Callable[[Any], bool]] = {
    "String": lambda value: isinstance(value, str),
    "Boolean": lambda value: isinstance(value, bool),
    "Int32": lambda value: isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31,
    "Int64": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "Double": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "Binary": _base64,
    "Stream": _base64,
    "Date": _matches(r"\d{4}-\d\d-\d\d"),
    "DateTimeOffset": _matches(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
    "Guid": _matches(r"[0-9a-f-]{36}"),
}


@cache
def load() -> Metadata:
    """Load the metadata from the file in this folder."""
    found = json.loads(Path(__file__).with_name("outlook-v1.0.json").read_text(encoding="utf-8"))
    return Metadata(found["enums"], found["types"])
