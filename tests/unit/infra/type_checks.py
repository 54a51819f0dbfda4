"""Whether the resources of infra/ are what Azure takes: Microsoft's published types, cut down in types/."""

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.unit.infra.bicep import BicepFile
from tests.unit.infra.bodies import UNKNOWN, Choice, Literal, Resource, Value, resources

TYPES = Path(__file__).parent / "types"
OF_BICEP = frozenset({"parent", "scope", "dependsOn"})
"""Keys of a resource's body that are the language's own."""

KINDS: dict[str, type | tuple[type, ...]] = {"string": str, "int": int, "bool": bool}


@functools.cache
def published() -> dict[str, Any]:
    """Every known resource type with its API version."""
    return {name: body for path in TYPES.glob("*.json") for name, body in json.loads(path.read_text()).items()}


def type_findings(files: dict[str, BicepFile], _: Path) -> Iterator[str]:
    """Names, required and read-only properties, kinds of values, allowed values, lengths and ranges."""
    for name, file in files.items():
        for resource in resources(file):
            body = published().get(resource.type)
            where = f"{name}:{resource.line} {resource.name}"
            if body is None:
                yield f"{where}: {resource.type} is not in tests/unit/infra/types"
            else:
                yield from (f"{where}{finding}" for finding in _findings(_body(resource), body, ""))


def _body(resource: Resource) -> Value:
    assert isinstance(resource.body, dict)
    return {key: value for key, value in resource.body.items() if key not in OF_BICEP}


def _findings(value: Value, wanted: dict[str, Any], path: str) -> Iterator[str]:
    match value:
        case Choice():
            for one in value.values:
                yield from _findings(one, wanted, path)
        case dict() if "discriminator" in wanted:
            yield from _of_variant(value, wanted, path)
        case dict() if "properties" in wanted or "additional" in wanted:
            yield from _of_object(value, wanted, path)
        case list() if "items" in wanted:
            yield from _limits(len(value), wanted, path, "elements")
            for number, element in enumerate(value):
                yield from _findings(element, wanted["items"], f"{path}[{number}]")
        case dict() | list():
            kind = "an object" if isinstance(value, dict) else "an array"
            if wanted.get("type") not in ("any", "object", None) or "values" in wanted or "items" in wanted:
                yield f"{path} may not be {kind}"
            elif isinstance(value, list) and "properties" in wanted:
                yield f"{path} may not be an array"
        case Literal():
            yield from _of_literal(value.value, wanted, path)
        case _:
            pass


def _of_variant(value: dict[str, Value], wanted: dict[str, Any], path: str) -> Iterator[str]:
    """Of an object whose kind is told by one property of it."""
    name, variants = wanted["discriminator"], wanted["variants"]
    told = value.get(name)
    if told is None:
        yield f"{path}.{name} is missing"
    elif isinstance(told, Literal) and told.value not in variants:
        yield f"{path}.{name} may not be {told.value}"
    else:
        fitting = [variants[told.value]] if isinstance(told, Literal) else list(variants.values())
        wholes = [{**one, "properties": {**wanted["properties"], **one.get("properties", {})}} for one in fitting]
        yield from min((list(_of_object(value, whole, path)) for whole in wholes), key=len)


def _of_object(value: dict[str, Value], wanted: dict[str, Any], path: str) -> Iterator[str]:
    properties = wanted.get("properties", {})
    for key, inner in value.items():
        known = properties.get(key)
        if known is None and "additional" not in wanted:
            yield f"{path}.{key} is unknown"
        elif known is None:
            yield from _findings(inner, wanted["additional"], f"{path}.{key}")
        elif known.get("readOnly"):
            yield f"{path}.{key} is read-only"
        elif "type" not in known:
            yield f"{path}.{key} is used for the first time: make tests/unit/infra/types anew"
        else:
            given = inner if known.get("required") else _without_null(inner)
            yield from _findings(given, known["type"], f"{path}.{key}")
    missing = {key for key, known in properties.items() if known.get("required")} - set(value)
    yield from (f"{path}.{key} is missing" for key in sorted(missing))


def _without_null(value: Value) -> Value:
    """A property that may be left out may be null, which says the same."""
    if isinstance(value, Choice):
        return Choice(tuple(map(_without_null, value.values)))
    return UNKNOWN if value == Literal(None) else value


def _of_literal(value: str | int | bool | None, wanted: dict[str, Any], path: str) -> Iterator[str]:
    if "values" in wanted:
        if value not in wanted["values"]:
            yield f"{path} may not be {value}"
    elif "properties" in wanted or "items" in wanted or "discriminator" in wanted:
        if value is not None:
            yield f"{path} may not be {value}"
    elif wanted.get("type") in KINDS:
        expected = KINDS[wanted["type"]]
        if value is None or not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
            yield f"{path} has to be {wanted['type']}"
        else:
            yield from _value_limits(value, wanted, path)


def _value_limits(value: str | int, wanted: dict[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, str):
        yield from _limits(len(value), wanted, path, "characters")
        if "pattern" in wanted and not re.search(wanted["pattern"], value):
            yield f"{path} does not match {wanted['pattern']}"
    elif not wanted.get("minValue", value) <= value <= wanted.get("maxValue", value):
        yield f"{path} may not be {value}"


def _limits(length: int, wanted: dict[str, Any], path: str, what: str) -> Iterator[str]:
    if not wanted.get("minLength", length) <= length <= wanted.get("maxLength", length):
        yield f"{path} may not have {length} {what}"
