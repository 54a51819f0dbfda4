"""The values of the page that describes the API: operations by tag, and the fields of each type."""

from collections import defaultdict
from functools import cache
from typing import Any

from shared.api.catalog import OPERATIONS
from shared.api.openapi import description, text_of
from shared.version import VERSION


@cache
def page_values() -> dict[str, Any]:
    """The values of the page: operations by tag, and the fields of each type."""
    described = description()
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for operation in OPERATIONS:
        entry = described["paths"][operation.path][operation.method.lower()]
        groups[operation.tag].append(
            {
                "name": operation.name,
                "method": operation.method,
                "path": operation.path,
                "summary": operation.summary,
                "paragraphs": [each for each in text_of(operation).split("\n\n") if each != f"{operation.summary}."],
                "roles": sorted(role.value for role in operation.roles),
                "parameters": [
                    {
                        "name": each["name"],
                        "where": each["in"],
                        "kind": _kind(each["schema"]),
                        "text": each["description"],
                    }
                    for each in entry["parameters"]
                ],
                "body": operation.body.__name__ if operation.body else "",
                "answer": operation.answer.__name__ if isinstance(operation.answer, type) else "",
                "media": list(operation.answer) if isinstance(operation.answer, tuple) else [],
                "lines": [each.__name__ for each in operation.lines],
            }
        )
    types = [
        {
            "name": name,
            "description": schema.get("description", ""),
            "values": schema.get("enum", []),
            "fields": [
                {"name": field, "kind": _kind(value), "text": value["description"]}
                for field, value in schema.get("properties", {}).items()
            ],
        }
        for name, schema in described["components"]["schemas"].items()
    ]
    return {"groups": sorted(groups.items()), "types": types, "version": VERSION}


def _kind(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    words = [str(schema.get("format") or schema.get("type") or "any value")]
    if "minimum" in schema and "maximum" in schema:
        words.append(f"{schema['minimum']} to {schema['maximum']}")
    if schema.get("default") not in (None, "", [], False):
        words.append(f"default {schema['default']}")
    return ", ".join(words)
