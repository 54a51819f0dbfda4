"""HTTP route templates as the Functions host reads them: literals, {name}, {name:constraint}, {name?}, {*rest}.

https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-templates
"""

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from sandbox.host.config import ConfigInvalid

_PARAMETER = re.compile(r"\{(?P<rest>\*{1,2})?(?P<name>\w+)(?P<constraints>(?::.+?)??)(?P<optional>\?)?\}")
_CONSTRAINT = re.compile(r"(\w+)(?:\((.*)\))?")

Test = Callable[[str], bool]


def _is_uuid(value: str) -> bool:
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True


def _constraint(text: str) -> Test:
    """The check of one constraint, such as int or length(4). Raises ConfigInvalid when it is unknown."""
    match = _CONSTRAINT.fullmatch(text)
    kind, argument = (match[1], match[2] or "") if match else (text, "")
    tests: dict[str, Test] = {
        "int": lambda value: bool(re.fullmatch(r"-?\d{1,10}", value)),
        "long": lambda value: bool(re.fullmatch(r"-?\d{1,19}", value)),
        "bool": lambda value: value.lower() in ("true", "false"),
        "alpha": lambda value: bool(re.fullmatch(r"[A-Za-z]*", value)),
        "guid": _is_uuid,
        "length": lambda value: len(value) in _between(argument),
        "minlength": lambda value: len(value) >= int(argument),
        "maxlength": lambda value: len(value) <= int(argument),
        "regex": lambda value: bool(re.search(argument, value)),
    }
    if kind not in tests:
        raise ConfigInvalid(f"the route constraint {kind!r} is not known here")
    return tests[kind]


def _between(argument: str) -> range:
    least, _, most = argument.partition(",")
    return range(int(least), int(most or least) + 1)


def _split(text: str, at: str, brackets: str) -> list[str]:
    """Split at the separators outside all brackets: a regex constraint may contain them too."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == brackets[0]) - (character == brackets[1])
        if character == at and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


@dataclass(frozen=True, slots=True)
class _Segment:
    """One part of a template between slashes. `rank` orders candidates: literals first, catch-alls last."""

    rank: int
    literal: str = ""
    name: str = ""
    tests: tuple[Test, ...] = ()
    optional: bool = False
    rest: bool = False

    @classmethod
    def parse(cls, text: str) -> "_Segment":
        match = _PARAMETER.fullmatch(text)
        if match is None:
            if "{" in text or "}" in text:
                raise ConfigInvalid(f"the route segment {text!r} is not one literal nor one parameter")
            return cls(rank=0, literal=text.lower())
        tests = tuple(_constraint(part) for part in _split(match["constraints"], ":", "()") if part)
        rest = bool(match["rest"])
        return cls(
            rank=(3 if rest else 2) - bool(tests),
            name=match["name"],
            tests=tests,
            optional=bool(match["optional"]) or rest,
            rest=rest,
        )

    def admits(self, value: str) -> bool:
        """Whether one decoded part of a path matches."""
        if self.name:
            return all(test(value) for test in self.tests)
        return value.lower() == self.literal


@dataclass(frozen=True, slots=True)
class Route:
    """A parsed route template."""

    segments: tuple[_Segment, ...]

    @classmethod
    def parse(cls, template: str) -> "Route":
        """Parse a template; "" and "/" are the root. Raises ConfigInvalid."""
        segments = tuple(_Segment.parse(part) for part in _split(template, "/", "{}") if part)
        if any(segment.rest for segment in segments[:-1]):
            raise ConfigInvalid(f"the catch-all of {template!r} has to stand last")
        return cls(segments)

    @property
    def order(self) -> tuple[int, ...]:
        """The sort key of candidates: the most specific first."""
        return (*(segment.rank for segment in self.segments), -1)

    def match(self, path: str) -> dict[str, str] | None:
        """The parameters' values when the (still percent-encoded) path matches, else None."""
        parts = [part for part in path.strip("/").split("/") if part]
        values: dict[str, str] = {}
        for index, segment in enumerate(self.segments):
            if segment.rest:
                rest = unquote("/".join(parts[index:]))
                return values | {segment.name: rest} if segment.admits(rest) else None
            if index >= len(parts):
                return values if all(left.optional for left in self.segments[index:]) else None
            value = unquote(parts[index])
            if not segment.admits(value):
                return None
            if segment.name:
                values[segment.name] = value
        return values if len(parts) == len(self.segments) else None


class RouteTable[T]:
    """All routes of the app, with the target of each."""

    def __init__(self, routes: Iterable[tuple[str, Iterable[str], T]]) -> None:
        """Each route: its template with the prefix, its methods (none: all methods), and its target."""
        table = [
            (Route.parse(template), frozenset(map(str.upper, methods)), target) for template, methods, target in routes
        ]
        self._table = sorted(table, key=lambda entry: entry[0].order)

    def find(self, method: str, path: str) -> tuple[T, Mapping[str, str]] | None:
        """The target of a request and its route parameters; None when no route matches.

        A method that a path does not support gives "not found" too, as in the real host.
        """
        for route, methods, target in self._table:
            if methods and method.upper() not in methods:
                continue
            values = route.match(path)
            if values is not None:
                return target, values
        return None
