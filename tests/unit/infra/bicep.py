"""Reads Bicep closely enough to check it: declarations, what they refer to, and what modules are given.

The syntax is proven by pycep; but its tree tells a string from a name no more, so references are read from the tokens.
"""

import functools
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pycep import BicepParser

TOKEN = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?\*/)"
    r"|(?P<string>'(?:\\.|\$(?!\{)|[^'\\$]|\$\{(?:[^{}']|'(?:\\.|[^'\\])*'|\{[^{}]*\})*\})*')"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<number>\d+)"
    r"|(?P<newline>\n)"
    r"|(?P<space>[ \t\r]+)"
    r"|(?P<mark>.)",
    re.DOTALL,
)
HOLE = re.compile(r"\$\{((?:[^{}']|'(?:\\.|[^'\\])*'|\{[^{}]*\})*)\}")
DECLARATION = re.compile(
    r"^(?P<kind>param|var|resource|module|output|extension|func|type) +(?P<name>\w+)(?P<rest>[^\n]*)", re.MULTILINE
)
KEYWORDS = frozenset(
    [
        "param",
        "var",
        "resource",
        "module",
        "output",
        "extension",
        "func",
        "type",
        "existing",
        "if",
        "for",
        "in",
        "true",
        "false",
        "null",
        "targetScope",
        "string",
        "int",
        "bool",
        "object",
        "array",
    ]
)
FUNCTIONS = frozenset(
    [
        "loadJsonContent",
        "loadTextContent",
        "toLower",
        "uniqueString",
        "subscription",
        "tenant",
        "union",
        "empty",
        "take",
        "guid",
        "items",
        "filter",
        "concat",
        "subscriptionResourceId",
        "environment",
        "replace",
        "resourceGroup",
        "minLength",
        "maxLength",
        "minValue",
        "maxValue",
        "description",
        "secure",
        "allowed",
        "metadata",
        "max",
    ]
)


@dataclass(frozen=True)
class Declaration:
    """One param, var, resource, module or output with its source text."""

    kind: str
    name: str
    line: int
    text: str


@dataclass
class BicepFile:
    """One file: its text, syntax tree, declarations in order, and the names each uses."""

    path: Path
    text: str
    tree: dict[str, Any]
    declarations: list[Declaration] = field(default_factory=list)

    def named(self, kind: str) -> dict[str, Declaration]:
        """The declarations of one kind, by name."""
        return {declared.name: declared for declared in self.declarations if declared.kind == kind}


def load(path: Path) -> BicepFile:
    """Parse one file. Raises whatever pycep raises on bad syntax."""
    text = path.read_text()
    return BicepFile(path, text, _parse(text), declarations(text))


def declarations(text: str) -> list[Declaration]:
    """What a file declares, in order, each with its text up to the next one."""
    starts = list(DECLARATION.finditer(text))
    ends = [match.start() for match in starts[1:]] + [len(text)]
    return [
        Declaration(match["kind"], match["name"], text.count("\n", 0, match.start()) + 1, text[match.start() : end])
        for match, end in zip(starts, ends, strict=True)
    ]


@functools.cache
def _parse(text: str) -> dict[str, Any]:
    """The syntax tree. Remembered, for the parser is slow and the checks run over many copies of the same files."""
    return cast("dict[str, Any]", BicepParser().parse(text=text))


def references(text: str) -> set[str]:
    """The names that an expression or a declaration refers to, holes in strings included."""
    found: set[str] = set()
    tokens = [match for match in TOKEN.finditer(text) if match.lastgroup not in ("comment", "space")]
    for position, token in enumerate(tokens):
        if token.lastgroup == "string":
            for hole in HOLE.finditer(token[0]):
                found |= references(hole[1])
        elif token.lastgroup == "name" and not _is_member_or_key(tokens, position):
            found.add(token[0])
    return found


def _is_member_or_key(tokens: list[re.Match[str]], position: int) -> bool:
    """After a dot it is a property; before a colon and first on its line, or after a brace or comma, a key."""
    before = tokens[position - 1] if position else None
    after = tokens[position + 1] if position + 1 < len(tokens) else None
    if before is not None and before[0] in (".", "@"):
        return True
    begins = before is None or before.lastgroup == "newline" or before[0] in ("{", ",")
    return begins and after is not None and after[0] == ":"


def loop_names(text: str) -> set[str]:
    """The variables that loops in the text introduce."""
    found: set[str] = set()
    for pair, single in re.findall(r"\[for +(?:\(([^)]*)\)|(\w+)) +in", text):
        found |= {name.strip() for name in (pair or single).split(",")}
    return found


def block(text: str, key: str) -> str:
    """The source of the object that follows `key`, braces included; empty when there is none."""
    start = re.search(rf"\b{key}\b *[:=] *\{{", text)
    if not start:
        return ""
    depth = 0
    for position in range(start.end() - 1, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return text[start.end() - 1 : position + 1]
    return text[start.end() - 1 :]


def keys(source: str) -> dict[str, str]:
    """The top-level keys of an object's source, with the text of their values."""
    found: dict[str, str] = {}
    depth = 0
    for line in source[1:-1].splitlines():
        if depth == 0 and (match := re.match(r"\s*'?([\w-]+)'?\s*:\s*(.*)", line)):
            found[match[1]] = match[2]
        depth += sum({"{": 1, "[": 1, "(": 1, "}": -1, "]": -1, ")": -1}.get(mark, 0) for mark in _bare(line))
    return found


def _bare(line: str) -> str:
    return re.sub(r"'(?:\\.|[^'\\])*'", "", line)
