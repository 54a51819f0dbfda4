"""What a client requests of an item or a folder: a base shape, field paths, and the format of bodies."""

from dataclasses import dataclass, field
from functools import cache

from lxml import etree

from sandbox.ews.properties import FOLDER_ALL, FOLDER_DEFAULT, NOT_IN_VIEWS, ORDER, all_properties, default_shape
from sandbox.ews.wire import M
from sandbox.mailboxes.fragments import T, children, escape, local

_INDEXED = {
    "contacts:EmailAddress": "EmailAddresses",
    "contacts:PhoneNumber": "PhoneNumbers",
    "contacts:ImAddress": "ImAddresses",
    "contacts:PhysicalAddress": "PhysicalAddresses",
    "item:InternetMessageHeader": "InternetMessageHeaders",
    "distributionlist:Members": "Members",
}


@dataclass(frozen=True, slots=True)
class Path:
    """One field path: a property's name, optionally with an index into a dictionary, or an extended property's key."""

    name: str = ""
    index: str = ""
    part: str = ""
    extended: str = ""


def read_path(element: etree._Element) -> Path:
    """Read a FieldURI, IndexedFieldURI or ExtendedFieldURI. Unknown dictionaries are accepted and match nothing."""
    kind = local(element)
    if kind == "ExtendedFieldURI":
        return Path(extended=extended_key(element))
    uri = str(element.get("FieldURI", ""))
    if kind == "FieldURI":
        return Path(name=uri.rpartition(":")[2])
    dictionary = ":".join(uri.split(":")[:2])
    part = uri.split(":")[2] if uri.count(":") == 2 else ""
    return Path(_INDEXED.get(dictionary, ""), str(element.get("FieldIndex", "")), part)


def extended_key(element: etree._Element) -> str:
    """An extended property's attributes in one fixed spelling: the key by which it is stored and shown."""
    found = {str(name): str(value) for name, value in element.items()}
    if "PropertySetId" in found:
        found["PropertySetId"] = found["PropertySetId"].lower()
    if "PropertyTag" in found:
        found["PropertyTag"] = _tag_number(found["PropertyTag"])
    return " ".join(f'{name}="{escape(found[name])}"' for name in _ATTRIBUTES if name in found)


def _tag_number(text: str) -> str:
    """A property tag as Exchange writes it: hexadecimal, lower case, no leading zeros."""
    try:
        return f"0x{int(text, 0):x}"
    except ValueError:
        return text.lower()


_ATTRIBUTES = (
    "DistinguishedPropertySetId",
    "PropertySetId",
    "PropertyTag",
    "PropertyName",
    "PropertyId",
    "PropertyType",
)


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape as plain data. `in_view`: for FindItem and SyncFolderItems, which never open an item."""

    base: str
    names: frozenset[str] = frozenset()
    extended: tuple[str, ...] = ()
    indexes: frozenset[tuple[str, str]] = frozenset()
    mime: bool = False
    body_type: str = "Best"
    in_view: bool = False
    largest_body: int | None = None
    _plans: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)

    def plan(self, element: str) -> tuple[str, ...]:
        """The properties of an element to show, in the schema's order."""
        if element not in self._plans:
            wanted = _base(self.base, element) | self.names | {name for name, _ in self.indexes}
            wanted |= {"MimeContent"} if self.mime else set()
            wanted |= {"ExtendedProperty"} if self.extended else set()
            hidden = NOT_IN_VIEWS if self.in_view else set()
            self._plans[element] = tuple(name for name in ORDER[element] if name in wanted and name not in hidden)
        return self._plans[element]

    def keys(self, dictionary: str, element: str) -> frozenset[str] | None:
        """The entries of a dictionary to show; None for all of them."""
        if dictionary in self.names or dictionary in _base(self.base, element):
            return None
        return frozenset(index for name, index in self.indexes if name == dictionary)


@cache
def _base(base: str, element: str) -> frozenset[str]:
    if base == "AllProperties":
        return frozenset(all_properties(element))
    return frozenset(default_shape(element)) if base == "Default" else frozenset({"ItemId"})


def _paths(shape: etree._Element) -> list[Path]:
    listed = shape.find(f"{T}AdditionalProperties")
    return [read_path(element) for element in children(listed)] if listed is not None else []


def item_shape(request: etree._Element, *, in_view: bool = False) -> Shape:
    """The ItemShape of a request."""
    element = request.find(f"{M}ItemShape")
    assert element is not None  # noqa: S101 -- the schema was checked
    paths, largest = _paths(element), element.findtext(f"{T}MaximumBodySize")
    return Shape(
        base=element.findtext(f"{T}BaseShape") or "IdOnly",
        names=frozenset(path.name for path in paths if path.name and not path.index),
        extended=tuple(dict.fromkeys(path.extended for path in paths if path.extended)),
        indexes=frozenset((path.name, path.index) for path in paths if path.name and path.index),
        mime=element.findtext(f"{T}IncludeMimeContent") in ("true", "1"),
        body_type=element.findtext(f"{T}BodyType") or "Best",
        in_view=in_view,
        largest_body=int(largest) if largest else None,
    )


@dataclass(frozen=True, slots=True)
class FolderShape:
    """What to show of a folder."""

    names: frozenset[str]
    extended: tuple[str, ...]


def folder_shape(request: etree._Element) -> FolderShape:
    """The FolderShape of a request."""
    element = request.find(f"{M}FolderShape")
    assert element is not None  # noqa: S101 -- the schema was checked
    paths = _paths(element)
    bases = {"IdOnly": {"FolderId"}, "Default": FOLDER_DEFAULT, "AllProperties": FOLDER_ALL}
    names = bases.get(element.findtext(f"{T}BaseShape") or "IdOnly", {"FolderId"})
    extended = tuple(dict.fromkeys(path.extended for path in paths if path.extended))
    return FolderShape(frozenset(names | {path.name for path in paths if path.name}), extended)
