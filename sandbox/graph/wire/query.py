"""Query options of a URL: which there are, which of them a path allows, and what they say."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sandbox.graph.wire import extended
from sandbox.graph.wire.errors import GraphError, no_property, parse_error
from sandbox.graph.wire.extended import ExtendedProperty

SVEP = "singleValueExtendedProperties"
MVEP = "multiValueExtendedProperties"


@dataclass(frozen=True, slots=True)
class Expand:
    """One navigation property to expand, with its own options."""

    name: str
    options: Mapping[str, str]

    def extended(self) -> list[ExtendedProperty]:
        """The extended properties that its $filter names. Raises GraphError."""
        text = self.options.get("$filter", "")
        named = re.findall(r"id\s+eq\s+'((?:[^']|'')*)'", text, re.IGNORECASE)
        rest = re.sub(r"(?:\w+/)?id\s+eq\s+'(?:[^']|'')*'|\bor\b|[()\s]", "", text, flags=re.IGNORECASE)
        if not named or rest or set(self.options) - {"$filter"}:
            raise parse_error(f"{self.name} needs a $filter of the form id eq '...' or id eq '...'.")
        return [extended.read(name.replace("''", "'")) for name in named]

    def select(self) -> tuple[str, ...]:
        """The properties that its $select names."""
        return tuple(name.strip() for name in self.options.get("$select", "").split(",") if name.strip())


class Query:
    """The options of one request."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._options: dict[str, str] = {}
        for name, value in pairs:
            key = _KNOWN.get(name.lower())
            if key is None:
                raise parse_error(f"The query parameter '{name}' is not supported.")
            if key in self._options:
                raise parse_error(f"Query option '{name}' was specified more than once, but it must be at most once.")
            self._options[key] = value

    def allow(self, *names: str, what: str = "") -> None:
        """Refuse options that this path does not have. `what`: the resource, where changes are tracked."""
        refused = sorted(set(self._options) - set(names))
        if not refused:
            return
        if what:
            text = f"The following parameters are not supported with change tracking over the '{what}' resource: "
            raise GraphError(400, "ErrorInvalidUrlQuery", f"{text}'{', '.join(refused)}'.")
        raise parse_error(f"The query parameter '{refused[0]}' is not supported for this resource.")

    def __contains__(self, name: str) -> bool:
        return name in self._options

    def text(self, name: str) -> str:
        """An option's value; empty when it is not there."""
        return self._options.get(name, "")

    def items(self) -> dict[str, str]:
        """Every option."""
        return dict(self._options)

    def number(self, name: str, default: int, largest: int | None = None) -> int:
        """A whole number of at least zero. Raises GraphError."""
        text = self._options.get(name)
        if text is None:
            return default
        if not text.isdigit() or (largest is not None and int(text) > largest):
            raise parse_error(f"Invalid value '{text}' for {name} query option found.")
        return int(text)

    def flag(self, name: str) -> bool:
        """A boolean. Raises GraphError."""
        text = self._options.get(name, "false").lower()
        if text not in ("true", "false"):
            raise parse_error(f"Invalid value '{text}' for {name} query option found.")
        return text == "true"

    def select(self, properties: Iterable[str], entity: str) -> tuple[str, ...] | None:
        """The selected properties; None: no $select. Raises GraphError for one that the type does not have."""
        if "$select" not in self._options:
            return None
        known = {name.lower(): name for name in properties}
        found = []
        for name in (part.strip() for part in self._options["$select"].split(",")):
            if name.lower() not in known:
                raise no_property(name, entity)
            found.append(known[name.lower()])
        return tuple(found)

    def expand(self, navigable: Iterable[str], entity: str) -> dict[str, Expand]:
        """What to expand, by name. Raises GraphError for what the type does not have."""
        known = {name.lower(): name for name in navigable}
        found: dict[str, Expand] = {}
        for part in split(self._options.get("$expand", ""), ","):
            name, _, inside = part.partition("(")
            if name.strip().lower() not in known:
                raise no_property(name.strip(), entity)
            options = dict(_option(option) for option in split(inside.removesuffix(")"), ";"))
            key = known[name.strip().lower()]
            found[key] = Expand(key, options)
            if key in (SVEP, MVEP):
                found[key].extended()
        return found


def _option(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if name.strip().lower() not in ("$filter", "$select", "$expand", "$top", "$orderby"):
        raise parse_error(f"The query option '{name.strip()}' cannot be used in $expand.")
    return name.strip().lower(), value.strip()


def split(text: str, separator: str) -> list[str]:
    """The parts of a text; separators within quotes or parentheses do not separate."""
    parts, depth, quoted, start = [], 0, False, 0
    for at, sign in enumerate(text):
        if sign == "'":
            quoted = not quoted
        elif not quoted:
            depth += (sign == "(") - (sign == ")")
            if sign == separator and not depth:
                parts.append(text[start:at])
                start = at + 1
    return [part.strip() for part in [*parts, text[start:]] if part.strip()]


_KNOWN = {
    name.lower(): name
    for name in (
        "$select", "$expand", "$filter", "$orderby", "$top", "$skip", "$count", "$search", "$skiptoken",
        "$deltatoken", "startDateTime", "endDateTime", "includeHiddenFolders", "changeType", "includeNestedFolders",
    )
}  # fmt: skip
