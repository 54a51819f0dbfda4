"""The OpenAPI 3.1 document of the API, generated from its operations and their types, and the values of its page."""

from collections import defaultdict
from functools import cache
from inspect import cleandoc
from typing import Any

import msgspec
from msgspec import Struct

from shared.api.calls import Operation
from shared.api.catalog import OPERATIONS
from shared.api.resources.items import Change, Position
from shared.version import VERSION

PROBLEM = "application/problem+json"
NDJSON = "application/x-ndjson"
_TEMPLATE = "#/components/schemas/{name}"

_DESCRIPTION = """\
Reads mailboxes' copies, follows their changes, and operates the sync.

Send an access token of this application as `Authorization: Bearer ...`. Its app roles decide what you may do:
`Operator` (everything), `Operator.Read` (no content, no commands), `Replica.Read` (content and changes, of all
mailboxes or of those that an operator lists). Errors are problem documents (RFC 9457) with a stable `code` and, if one
is at fault, the `parameter`. Unknown parameters and fields are refused."""


class Problem(Struct, frozen=True, omit_defaults=True):
    """What went wrong (RFC 9457). `code` is stable; `parameter` is the parameter or field at fault, if one is.

    `fault` says what is wrong with it, and `expected` what it may be. `missing` names what a 404 did not find,
    and `roles` are the roles that the operation needs, with `role_missing`. `existing` is the id of what is there
    already.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    remedy: str
    parameter: str = ""
    fault: str = ""
    expected: str = ""
    roles: str = ""
    missing: str = ""
    existing: str = ""
    support: str = ""


def description() -> dict[str, Any]:
    """The document as a value."""
    schemas = _schemas()
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for operation in OPERATIONS:
        paths[operation.path][operation.method.lower()] = _operation(operation, schemas)
    kept = {name: schema for name, schema in schemas.items() if not name.endswith("Query")}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Mailbox Sync",
            "version": VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"bearer": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(kept.items())),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "responses": {"Problem": {"description": "The request was not served.", "content": _content(Problem)}},
        },
    }


@cache
def document() -> bytes:
    """The document as JSON, with an indent of two."""
    return msgspec.json.format(msgspec.json.encode(description()), indent=2) + b"\n"


def _schemas() -> dict[str, Any]:
    """The schemas of all types by name. Enumerations get the type of their values, which msgspec leaves out."""
    kinds: list[Any] = [Problem, Change, Position]
    for operation in OPERATIONS:
        kinds += [kind for kind in (operation.query, operation.body, operation.answer) if isinstance(kind, type)]
    _, schemas = msgspec.json.schema_components(kinds, ref_template=_TEMPLATE)
    for schema in schemas.values():
        if "enum" in schema:
            schema["type"] = "string"
        if "description" in schema:
            schema["description"] = cleandoc(schema["description"])
    return schemas


def _operation(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"{_text_of(operation)}\n\nRoles: {', '.join(_roles(operation))}.",
        "tags": [operation.tag],
        "parameters": [*_path_parameters(operation), *_query(operation, schemas), *_headers(operation)],
        "responses": _responses(operation),
    }
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _content(operation.body, "application/json")}
    return described


def _text_of(operation: Operation) -> str:
    """The docstring of the operation, and of its query."""
    texts = [cleandoc(operation.run.__doc__ or "")]
    if operation.query.__struct_fields__:
        texts.append(cleandoc(operation.query.__doc__ or ""))
    return "\n\n".join(texts)


def _roles(operation: Operation) -> list[str]:
    return sorted(f"`{role.value}`" for role in operation.roles)


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    schema = {"type": "string", "pattern": "^[A-Za-z0-9-]{1,64}$"}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _query(operation: Operation, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    properties = schemas[operation.query.__name__]["properties"]
    return [{"name": name, "in": "query", "schema": _without_null(schema)} for name, schema in properties.items()]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a query parameter: one that is left out is not null."""
    given = {name: value for name, value in schema.items() if not (name == "default" and value is None)}
    options = [one for one in given.pop("anyOf", []) if one != {"type": "null"}]
    return given | (options[0] if options else {})


def _headers(operation: Operation) -> list[dict[str, Any]]:
    names = ["If-None-Match", "Range", "If-Range"] if operation.is_content else []
    headers = [{"name": name, "in": "header", "schema": {"type": "string"}} for name in names]
    if operation.takes_key:
        text = "Repeating a request with the same key within a day returns the first answer and changes nothing."
        schema = {"type": "string", "maxLength": 255, "pattern": "^[ -~]*$"}
        headers.append({"name": "Idempotency-Key", "in": "header", "description": text, "schema": schema})
    return headers


def _responses(operation: Operation) -> dict[str, Any]:
    success: dict[str, Any] = {"description": operation.summary + "."}
    if isinstance(operation.answer, tuple):
        success["content"] = {kind: _raw_media(kind) for kind in operation.answer}
    elif operation.answer is not None:
        success["content"] = _content(operation.answer, "application/json")
    responses = {str(operation.status): success}
    if operation.is_content:
        responses["206"] = success | {"description": "The range of the content."}
        responses["304"] = {"description": "The client has this content."}
    return responses | {"default": {"$ref": "#/components/responses/Problem"}}


def _raw_media(kind: str) -> dict[str, Any]:
    """NDJSON has a schema for a line; other bytes are what they are."""
    if kind != NDJSON:
        return {"schema": {}}
    lines = [{"$ref": _TEMPLATE.format(name=each.__name__)} for each in (Change, Position)]
    return {"schema": {"type": "string", "description": "One object a line."}, "x-line-schema": {"anyOf": lines}}


def _content(kind: type[Struct], media_type: str = PROBLEM) -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": _TEMPLATE.format(name=kind.__name__)}}}


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
                "paragraphs": [each for each in _text_of(operation).split("\n\n") if each != f"{operation.summary}."],
                "roles": sorted(role.value for role in operation.roles),
                "parameters": [
                    {"name": each["name"], "where": each["in"], "kind": _kind(each["schema"])}
                    for each in entry["parameters"]
                ],
                "body": operation.body.__name__ if operation.body else "",
                "answer": operation.answer.__name__ if isinstance(operation.answer, type) else "",
                "media": list(operation.answer) if isinstance(operation.answer, tuple) else [],
            }
        )
    types = [
        {
            "name": name,
            "description": schema.get("description", ""),
            "values": schema.get("enum", []),
            "fields": [{"name": field, "kind": _kind(value)} for field, value in schema.get("properties", {}).items()],
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
