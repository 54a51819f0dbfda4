"""$filter and $orderby, as far as the mail API's clients use them: comparisons joined by `and`."""

import re
from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from sandbox.graph.wire.errors import no_property, parse_error

type Test[Thing] = Callable[[Thing], bool]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"eq": eq, "ne": ne, "ge": ge, "gt": gt, "le": le, "lt": lt}
_TERM = re.compile(r"^(?P<name>[\w/]+)\s+(?P<op>eq|ne|ge|gt|le|lt)\s+(?P<value>'(?:[^']|'')*'|[^\s']+)$")
_PREFIX = re.compile(r"^startswith\((?P<name>[\w/]+),\s*(?P<value>'(?:[^']|'')*')\)$")


def compile_filter[Thing](text: str, known: Mapping[str, Callable[[Thing], Any]], entity: str) -> Test[Thing]:
    """The test that a $filter makes. Raises GraphError."""
    tests = [_term(term.strip(), known, entity) for term in _terms(text)] if text else []
    return lambda thing: all(test(thing) for test in tests)


def _terms(text: str) -> list[str]:
    """The parts between `and`; those within quotes are no words."""
    pieces = re.split(r"('(?:[^']|'')*')", text)
    marked = "".join(piece if number % 2 else re.sub(r"\s+and\s+", "\0", piece) for number, piece in enumerate(pieces))
    return marked.split("\0")


def _term[Thing](term: str, known: Mapping[str, Callable[[Thing], Any]], entity: str) -> Test[Thing]:
    found = _TERM.match(term) or _PREFIX.match(term)
    if found is None:
        raise parse_error(f"Invalid filter clause: {term}")
    read = known.get(found["name"])
    if read is None:
        raise no_property(found["name"], entity)
    value = _literal(found["value"])
    if "op" not in found.groupdict():
        return lambda thing: str(read(thing)).lower().startswith(str(value).lower())
    compare = _COMPARE[found["op"]]
    return lambda thing: compare(read(thing), value)


def _literal(text: str) -> Any:
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def order[Thing](
    things: list[Thing], text: str, known: Mapping[str, Callable[[Thing], Any]], entity: str
) -> list[Thing]:
    """Things in the order that an $orderby asks for. Raises GraphError."""
    for part in reversed([part.strip() for part in text.split(",") if part.strip()]):
        name, _, direction = part.partition(" ")
        read = known.get(name)
        if read is None or direction.strip() not in ("", "asc", "desc"):
            raise no_property(name, entity)
        things = sorted(things, key=read, reverse=direction.strip() == "desc")
    return things
