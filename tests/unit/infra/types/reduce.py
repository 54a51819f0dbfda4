"""Cuts the published Bicep types down to what infra/ uses: python -m tests.unit.infra.types.reduce FOLDER."""

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.unit.infra.bicep import load
from tests.unit.infra.bodies import Value, resources, used

HERE = Path(__file__).parent
INFRA = HERE.parents[3] / "infra"
REQUIRED, READ_ONLY = 1, 2
SIMPLE = {"StringType": "string", "IntegerType": "int", "BooleanType": "bool", "AnyType": "any", "BuiltInType": "any"}
LIMITS = ("minLength", "maxLength", "minValue", "maxValue", "pattern")


def main(folder: Path) -> None:
    """Write one file for each provider and version that infra/ uses and the folder has."""
    bodies: dict[str, list[Value]] = defaultdict(list)
    for path in sorted(INFRA.rglob("*.bicep")):
        for resource in resources(load(path)):
            bodies[resource.type].append(resource.body)
    written: dict[str, dict[str, Any]] = defaultdict(dict)
    for path in sorted(folder.glob("*.json")):
        published = json.loads(path.read_text())
        for entry in published:
            if entry["$type"] == "ResourceType" and entry["name"] in bodies:
                paths = used(bodies)[entry["name"]]
                name, _, version = entry["name"].partition("@")
                target = f"{name.partition('/')[0].lower()}-{version}.json"
                written[target][entry["name"]] = _reduced(published, entry["body"], paths)
    for target, kinds in written.items():
        (HERE / target).write_text(json.dumps(kinds, indent=1, sort_keys=True) + "\n")
        print(target, *sorted(kinds))


def _reduced(published: list[Any], reference: dict[str, str], paths: list[tuple[str, ...]]) -> dict[str, Any]:
    """One type, with as much of what is inside it as the paths reach."""
    entry = published[int(reference["$ref"].removeprefix("#/"))]
    match entry["$type"]:
        case "ObjectType":
            return _object(published, entry, paths)
        case "DiscriminatedObjectType":
            variants = {name: _reduced(published, one, paths) for name, one in entry["elements"].items()}
            base = _properties(published, entry["baseProperties"], paths)
            return {"discriminator": entry["discriminator"], "variants": variants, "properties": base}
        case "ArrayType":
            limits = {limit: entry[limit] for limit in LIMITS if limit in entry}
            return {"items": _reduced(published, entry["itemType"], paths)} | limits
        case "StringLiteralType":
            return {"values": [entry["value"]]}
        case "UnionType":
            return _union(published, entry, paths)
        case kind:
            return {"type": SIMPLE[kind]} | {limit: entry[limit] for limit in LIMITS if limit in entry}


def _object(published: list[Any], entry: Any, paths: list[tuple[str, ...]]) -> dict[str, Any]:
    if not paths:
        return {"type": "object"}
    found: dict[str, Any] = {"properties": _properties(published, entry["properties"], paths)}
    if "additionalProperties" in entry:
        found["additional"] = _reduced(
            published, entry["additionalProperties"], [path[1:] for path in paths if path[1:]]
        )
    return found


def _properties(published: list[Any], properties: Any, paths: list[tuple[str, ...]]) -> dict[str, Any]:
    found = {}
    for name, one in properties.items():
        below = [path[1:] for path in paths if path[0] == name and path[1:]]
        fact: dict[str, Any] = {}
        if one["flags"] & REQUIRED:
            fact["required"] = True
        if one["flags"] & READ_ONLY:
            fact["readOnly"] = True
        if any(path[0] == name for path in paths):
            fact["type"] = _reduced(published, one["type"], below)
        found[name] = fact
    return found


def _union(published: list[Any], entry: Any, paths: list[tuple[str, ...]]) -> dict[str, Any]:
    """Of a union of strings the listed ones: the plain string beside them stands for values yet to come."""
    parts = [_reduced(published, element, paths) for element in entry["elements"]]
    values = [value for part in parts for value in part.get("values", [])]
    return {"values": values} if values else {"type": "any"}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
