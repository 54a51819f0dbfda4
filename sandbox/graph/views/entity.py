"""What an entity of Graph is made of, and how a selection of it is written.

Property names and types are those of Microsoft's metadata; the contract tests compare them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.graph.wire.query import MVEP, SVEP, Expand, Query
from sandbox.graph.wire.request import Json, Preferences
from sandbox.mailboxes.fragments import children, local, parse_fragment, when

type Read[Thing] = Callable[[Thing, "Context"], Any]


@dataclass(frozen=True, slots=True)
class Context:
    """How an answer is to be written."""

    prefer: Preferences
    owner_name: str

    @property
    def immutable(self) -> bool:
        """Whether ids are immutable ones."""
        return self.prefer.immutable_ids


@dataclass(frozen=True, slots=True)
class Entity[Thing]:
    """A type of the metadata. `hidden`: properties that are there only when they are selected.

    `derived`: properties that only a derived type has, with that type; they are selected with a cast.
    """

    name: str
    properties: Mapping[str, Read[Thing]]
    navigation: Mapping[str, Callable[[Thing, "Context", Expand], Any]] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    derived: Mapping[str, str] = field(default_factory=dict)
    odata_type: Callable[[Thing], str] = lambda thing: ""
    etag: Callable[[Thing], str] = lambda thing: ""

    def shape(self, query: Query) -> "Shape[Thing]":
        """What a request wants to see. Raises GraphError for what the type does not have."""
        own = [name for name in (*self.properties, *self.navigation) if name not in self.derived]
        cast = [f"microsoft.graph.{kind}/{name}" for name, kind in self.derived.items()]
        return Shape(self, query.select([*own, *cast], self.name), query.expand(self.navigation, self.name))

    def default(self) -> "Shape[Thing]":
        """Everything that is shown without a selection."""
        return Shape(self, None, {})


@dataclass(frozen=True, slots=True)
class Shape[Thing]:
    """A selection of an entity's properties."""

    entity: Entity[Thing]
    select: tuple[str, ...] | None
    expand: Mapping[str, Expand]

    def show(self, thing: Thing, context: Context) -> Json:
        """One thing in this shape: annotations, id, selected properties, expansions."""
        entity, shown = self.entity, dict[str, Any]()
        if kind := entity.odata_type(thing):
            shown["@odata.type"] = f"#microsoft.graph.{kind}"
        if etag := entity.etag(thing):
            shown["@odata.etag"] = f'W/"{etag}"'
        shown["id"] = entity.properties["id"](thing, context)
        for name in self._names():
            read = entity.properties[name]
            value = read(thing, context)
            if value is not ABSENT:
                shown[name] = value
        for name, expand in self.expand.items():
            value = entity.navigation[name](thing, context, expand)
            if value is not ABSENT:
                shown[name] = value
        return shown

    def _names(self) -> Iterable[str]:
        if self.select is None:
            return [name for name in self.entity.properties if name not in self.entity.hidden and name != "id"]
        plain = dict.fromkeys(name.rpartition("/")[2] for name in self.select)
        return [name for name in plain if name in self.entity.properties and name != "id"]


class _Absent:
    """The value of a property that this thing does not have at all."""


ABSENT = _Absent()


def extended_values(read: Callable[[Any, Any], str]) -> Callable[[Any, Context, Expand], Any]:
    """The expansion of singleValueExtendedProperties: those that the thing has, in the service's spelling."""

    def expand(thing: Any, context: Context, asked: Expand) -> Any:
        found = [{"id": one.id, "value": value} for one in asked.extended() if (value := read(thing, one))]
        return found or ABSENT

    return expand


def extended_navigation(read: Callable[[Any, Any], str]) -> dict[str, Callable[[Any, Context, Expand], Any]]:
    """The navigation to extended properties that every Outlook entity has. Lists of values are never set here."""

    def no_lists(thing: Any, context: Context, asked: Expand) -> Any:
        asked.extended()
        return ABSENT

    return {SVEP: extended_values(read), MVEP: no_lists}


# Values that several entities share.


def stamp(moment: datetime) -> str:
    """A moment as Graph writes it: UTC, whole seconds."""
    return when(moment)


def recipient(shown: str, address: str) -> Json:
    """A recipient."""
    return {"emailAddress": {"name": shown or address, "address": address}}


def texts(fragment: str) -> list[str]:
    """The texts of a fragment's children."""
    return [child.text or "" for child in children(parse_fragment(fragment))] if fragment else []


def parts(fragment: str) -> dict[str, str]:
    """The texts of a fragment's children by name."""
    return {local(child): child.text or "" for child in children(parse_fragment(fragment))} if fragment else {}


def lower_first(text: str) -> str:
    """`Normal` as `normal`: how Graph writes the members of an enumeration."""
    return text[:1].lower() + text[1:]


def html_body(html: str, plain: str, prefer: Preferences) -> Json:
    """An itemBody: HTML where there is any, unless the client prefers text."""
    if prefer.body_type == "text" or not html:
        return {"contentType": "text", "content": plain or _without_tags(html)}
    return {"contentType": "html", "content": html}


def _without_tags(html: str) -> str:
    inside, out = False, []
    for sign in html:
        if sign == "<":
            inside = True
        elif sign == ">" and inside:
            inside = False
        elif not inside:
            out.append(sign)
    return "".join(out)
