"""Reads the bodies of Bicep resources as values: objects, arrays, literals, and what only a deployment computes.

Both branches of a condition are kept, variables of the same file are looked up, and `union` is merged. Whatever else
has to be computed becomes UNKNOWN, and is checked by name alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.unit.infra.bicep import HOLE, TOKEN, BicepFile

type Value = "dict[str, Value] | list[Value] | Literal | Choice | Unknown"


@dataclass(frozen=True)
class Literal:
    """A string, number, flag or null that stands in the file."""

    value: str | int | bool | None


@dataclass(frozen=True)
class Choice:
    """One of several values."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class Unknown:
    """A value that is computed."""


UNKNOWN = Unknown()
NAMED = {"true": Literal(True), "false": Literal(False), "null": Literal(None)}
OPERATORS = frozenset("=!<>&|+-*/%")


@dataclass(frozen=True)
class Resource:
    """One resource: where it is declared, its type with the API version, its body."""

    name: str
    line: int
    type: str
    body: Value


def resources(file: BicepFile) -> list[Resource]:
    """Every resource that the file makes; those it only refers to (`existing`) apart."""
    found = []
    for declared in file.named("resource").values():
        head = re.match(r"resource \w+ '([^']+)' (existing )?= *", declared.text)
        if head and not head[2]:
            body = _Reader(declared.text[head.end() :], file).resource()
            found.append(Resource(declared.name, declared.line, head[1], body))
    return found


class _Reader:
    """A recursive-descent reader of one expression."""

    def __init__(self, text: str, file: BicepFile, seen: frozenset[str] = frozenset()) -> None:
        self._tokens = [token for token in TOKEN.finditer(text) if token.lastgroup not in ("comment", "space")]
        self._at = 0
        self._file = file
        self._seen = seen

    def resource(self) -> Value:
        """The body, whatever condition or loop stands before it."""
        self._lines()
        if self._is("if"):
            self._next()
            self._brackets()
        if self._is("[") and self._tokens[self._at + 1][0] == "for":
            return self._loop()
        return self.value()

    def value(self) -> Value:
        """One expression."""
        self._lines()
        found = self._operand()
        while self._at < len(self._tokens):
            if self._is("?"):
                self._next()
                found = Choice((self.value(), self._after_colon()))
            elif self._text() in OPERATORS:
                while self._text() in OPERATORS:
                    self._next()
                self._operand()
                found = UNKNOWN
            else:
                break
        return found

    def _after_colon(self) -> Value:
        self._lines()
        self._expect(":")
        return self.value()

    def _operand(self) -> Value:
        self._lines()
        while self._text() in ("!", "-"):
            self._next()
        if self._is("{"):
            return self._object()
        if self._is("["):
            return self._loop() if self._tokens[self._at + 1][0] == "for" else self._array()
        if self._is("("):
            self._brackets()
            return self._members(UNKNOWN)
        token = self._next()
        if token.lastgroup == "string":
            literal = token[0][1:-1]
            return UNKNOWN if HOLE.search(literal) else Literal(re.sub(r"\\(.)", r"\1", literal))
        if token.lastgroup == "number":
            return Literal(int(token[0]))
        return self._members(self._named(token[0]))

    def _named(self, name: str) -> Value:
        if name in NAMED:
            return NAMED[name]
        if name == "union" and self._is("("):
            return self._union()
        variable = self._file.named("var").get(name)
        if variable is None or name in self._seen or self._text() in (".", "["):
            return UNKNOWN
        return _Reader(variable.text.partition("=")[2], self._file, self._seen | {name}).value()

    def _members(self, found: Value) -> Value:
        """Whatever is read of a value, or called, is known only later."""
        while self._text() in (".", "[", "(") or (self._text() == "!" and self._tokens[self._at + 1][0] == "."):
            if self._is(".") or self._is("!"):
                self._next()
                if self._text() not in (".", "(", "["):
                    self._next()
            else:
                self._brackets()
            found = UNKNOWN
        return found

    def _union(self) -> Value:
        merged: dict[str, Value] = {}
        self._expect("(")
        while not self._is(")"):
            part = self.value()
            if isinstance(part, dict):
                merged |= part
            self._lines()
            if self._is(","):
                self._next()
        self._expect(")")
        return merged

    def _object(self) -> Value:
        found: dict[str, Value] = {}
        self._expect("{")
        while not self._separators("}"):
            key = self._next()[0].strip("'")
            self._expect(":")
            found[key] = self.value()
        self._expect("}")
        return found

    def _array(self) -> Value:
        found: list[Value] = []
        self._expect("[")
        while not self._separators("]"):
            found.append(self.value())
        self._expect("]")
        return found

    def _loop(self) -> Value:
        """What a loop makes of each element."""
        self._expect("[")
        while not self._is(":"):
            if self._text() in ("(", "["):
                self._brackets()
            else:
                self._next()
        self._expect(":")
        found = self.value()
        self._lines()
        self._expect("]")
        return found

    def _brackets(self) -> None:
        depth = 0
        while True:
            depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(self._next()[0], 0)
            if depth == 0:
                return

    def _separators(self, end: str) -> bool:
        while self._text() in ("\n", ","):
            self._next()
        return self._is(end)

    def _lines(self) -> None:
        while self._text() == "\n":
            self._next()

    def _text(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _is(self, text: str) -> bool:
        return self._text() == text

    def _next(self) -> re.Match[str]:
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, text: str) -> None:
        token = self._next()
        if token[0] != text:
            raise ValueError(f"expected {text}, found {token[0]!r} at {token.start()}")


def used(values: Mapping[str, list[Value]]) -> dict[str, list[tuple[str, ...]]]:
    """For each resource type the paths of the properties that are used, arrays without their numbers."""
    return {kind: sorted({path for body in bodies for path in _paths(body)}) for kind, bodies in values.items()}


def _paths(value: Value, before: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    if isinstance(value, dict):
        return {(*before, key) for key in value}.union(*(_paths(inner, (*before, key)) for key, inner in value.items()))
    inner = value if isinstance(value, list) else value.values if isinstance(value, Choice) else ()
    return set().union(*(_paths(item, before) for item in inner))
