"""Restrictions and sort orders: which items or folders a client requests, and in which order."""

from collections.abc import Callable
from functools import partial
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from lxml import etree

from sandbox.ews.shapes import Path, read_path
from sandbox.ews.views import folder_view, item_view
from sandbox.mailboxes.fragments import children, local, read_when
from sandbox.mailboxes.store import Folder, Item

type Test[Thing] = Callable[[Thing], bool]
type Read[Thing] = Callable[[Thing, Path], str]

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "IsEqualTo": eq,
    "IsNotEqualTo": ne,
    "IsGreaterThan": gt,
    "IsGreaterThanOrEqualTo": ge,
    "IsLessThan": lt,
    "IsLessThanOrEqualTo": le,
}


def compile_restriction(element: etree._Element | None) -> Test[Item]:
    """The predicate of a Restriction for items; without one every item matches."""
    return _compile(children(element)[0], item_view.property_text) if element is not None else _everything


def compile_folder_restriction(element: etree._Element | None) -> Test[Folder]:
    """The predicate of a Restriction for folders."""
    return _compile(children(element)[0], folder_view.property_text) if element is not None else _everything


def _everything(thing: object) -> bool:
    return True


def _compile[Thing](element: etree._Element, read: Read[Thing]) -> Test[Thing]:
    kind, parts = local(element), children(element)
    if kind in ("And", "Or"):
        tests = [_compile(part, read) for part in parts]
        whole = all if kind == "And" else any
        return lambda thing: whole(test(thing) for test in tests)
    if kind == "Not":
        negated = _compile(parts[0], read)
        return lambda thing: not negated(thing)
    path = read_path(parts[0])
    if kind == "Exists":
        return lambda thing: bool(read(thing, path))
    constant = _constant(parts[1])
    if kind == "Contains":
        return _contains(element, path, constant, read)
    compare = _COMPARISONS[kind]
    return lambda thing: _compared(compare, read(thing, path), constant)


def _constant(element: etree._Element) -> str:
    holder = children(element)[0] if local(element) == "FieldURIOrConstant" else element
    return str(holder.get("Value", ""))


def _compared(compare: Callable[[Any, Any], bool], value: str, constant: str) -> bool:
    """Compare as times or numbers if both are, else as text, ignoring case."""
    if not value:
        return compare is ne
    return bool(compare(*_alike(value, constant)))


def _alike(value: str, constant: str) -> tuple[object, object]:
    for read in (float, read_when):
        try:
            return read(value), read(constant)
        except ValueError:
            continue
    return value.lower(), constant.lower()


def _contains[Thing](element: etree._Element, path: Path, constant: str, read: Read[Thing]) -> Test[Thing]:
    mode, exact = element.get("ContainmentMode", "FullString"), element.get("ContainmentComparison", "Exact") == "Exact"
    wanted = constant if exact else constant.lower()

    def test(thing: Thing) -> bool:
        value = read(thing, path) if exact else read(thing, path).lower()
        if mode == "FullString":
            return value == wanted
        if mode == "Prefixed":
            return value.startswith(wanted)
        return wanted in value

    return test


def sort(items: list[Item], order: etree._Element | None) -> list[Item]:
    """Sort items as the client requests; by default the newest first."""
    if order is None:
        return sorted(items, key=lambda item: (item.text("DateTimeReceived"), item.number), reverse=True)
    for field in reversed(children(order)):
        key = partial(_key, read_path(children(field)[0]))
        items = sorted(items, key=key, reverse=field.get("Order") == "Descending")
    return items


def _key(path: Path, item: Item) -> tuple[float, str]:
    value = item_view.property_text(item, path)
    return (float(value), "") if value.isdecimal() else (0.0, value.lower())
