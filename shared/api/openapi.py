"""The OpenAPI 3.1 document of the API, generated from its operations and their types."""

from collections import defaultdict
from functools import cache
from inspect import cleandoc
from typing import Any

import msgspec
from msgspec import Struct

from shared.api.calls import Operation
from shared.api.catalog import OPERATIONS
from shared.api.field_texts import field_texts, structs_of
from shared.api.resources.items import Change, Item, Position
from shared.replica.port import FeedKind
from shared.sources.model import ItemKind
from shared.version import VERSION

PROBLEM = "application/problem+json"
NDJSON = "application/x-ndjson"
_IN_PATH = {
    "account": "The id of a service account.",
    "group": "The name of a group.",
    "item": "The id of an item.",
    "job": "The id of a job.",
    "mailbox": "The id of a mailbox.",
    "number": "The number of an attachment, from 0.",
    "reader": "The object id of an account or application.",
    "subject": "The id of a mailbox, an invitation, a service account, a reader, a job, or an endpoint; of a group, "
    "`group-` and its name.",
    "webhook": "The id of an endpoint.",
}
"""The parameters of paths."""
_IN_HEADERS = {
    "If-None-Match": "The ETag of the content that the client has; the answer is 304 if it is still the same.",
    "Range": "One range of bytes, for example `bytes=0-1023`.",
    "If-Range": "The ETag that the range is of; the whole content is sent if it is another one.",
}
"""The headers of requests for contents."""
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
    already, and `mailboxes` how many mailboxes a group has that cannot be deleted.
    """

    type: str
    """Always `about:blank`."""
    title: str
    """The problem in a few words, for people."""
    status: int
    """The HTTP status."""
    code: str
    """The problem in a stable word, for programs."""
    detail: str
    """What happened, for people."""
    remedy: str
    """What to do, for people."""
    parameter: str = ""
    """The parameter, header, or field at fault."""
    fault: str = ""
    """What is wrong with it: `unknown`, `missing`, `wrong`, `one_of`, `url`, `content_type`, `not_json`, or
    `no_body`."""
    expected: str = ""
    """What it may be, or where the fault lies."""
    roles: str = ""
    """The roles that the operation needs, with `role_missing`."""
    missing: str = ""
    """What a 404 did not find, for example `mailbox`, `item`, or `content` (the item is there without one)."""
    existing: str = ""
    """The id of what is there already, with `webhook_exists`."""
    mailboxes: int = 0
    """How many mailboxes a group has, with `group_in_use`."""
    support: str = ""
    """The error number of Microsoft, if there is one."""


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
    for name, kind in structs_of(kinds).items():
        for field, text in field_texts(kind).items():
            schemas[name]["properties"][field]["description"] = text
    return schemas


def _operation(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"{text_of(operation)}\n\nRoles: {', '.join(_roles(operation))}.",
        "tags": [operation.tag],
        "parameters": [*_path_parameters(operation), *_query(operation, schemas), *_headers(operation)],
        "responses": _responses(operation),
    }
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _content(operation.body, "application/json")}
    return described


def text_of(operation: Operation) -> str:
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
    return [
        {"name": name, "in": "path", "required": True, "description": _IN_PATH[name], "schema": schema}
        for name in names
    ]


def _query(operation: Operation, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "description": schema["description"], "schema": _without_null(schema)}
        for name, schema in schemas[operation.query.__name__]["properties"].items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a query parameter, whose description is beside it: one that is left out is not null."""
    given = {name: value for name, value in schema.items() if name != "description"}
    if given.get("default", ...) is None:
        del given["default"]
    options = [one for one in given.pop("anyOf", []) if one != {"type": "null"}]
    return given | (options[0] if options else {})


def _headers(operation: Operation) -> list[dict[str, Any]]:
    named = _IN_HEADERS if operation.is_content else {}
    headers: list[dict[str, Any]] = [
        {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}
        for name, text in named.items()
    ]
    if operation.takes_key:
        text = "Repeating a request with the same key within a day returns the first answer and changes nothing."
        schema = {"type": "string", "maxLength": 255, "pattern": "^[ -~]*$"}
        headers.append({"name": "Idempotency-Key", "in": "header", "description": text, "schema": schema})
    return headers


def _responses(operation: Operation) -> dict[str, Any]:
    success: dict[str, Any] = {"description": operation.summary + "."}
    if isinstance(operation.answer, tuple):
        success["content"] = {kind: _raw_media(operation) for kind in operation.answer}
    elif operation.answer is not None:
        success["content"] = _content(operation.answer, "application/json")
    responses = {str(operation.status): success}
    if operation.is_content:
        responses["206"] = success | {"description": "The range of the content."}
        responses["304"] = {"description": "The client has this content."}
    return responses | {"default": {"$ref": "#/components/responses/Problem"}}


def _raw_media(operation: Operation) -> dict[str, Any]:
    """Bytes are what they are. Lines are a text, whose content has a schema for each line.

    JSON Schema describes the content of a text by contentMediaType and contentSchema, which OpenAPI 3.1 takes over.
    OpenAPI 3.1 has no word of its own for a sequence; `x-line-schema` is what OpenAPI 3.2 calls itemSchema.
    """
    if not operation.lines:
        return {"schema": {}}
    references = [{"$ref": _TEMPLATE.format(name=each.__name__)} for each in operation.lines]
    line = references[0] if len(references) == 1 else {"anyOf": references}
    names = " or ".join(f"`{each.__name__}`" for each in operation.lines)
    text = f"JSON objects, each on a line of its own: {names}."
    schema = {"type": "string", "description": text, "contentMediaType": NDJSON, "contentSchema": line}
    return {"schema": schema, "x-line-schema": line, "example": _example(operation)}


def _example(operation: Operation) -> str:
    """Lines as an answer may have them."""
    item = Item(id="mfrggzdfmztwq2lknnwg23tpoa3tkmrq", kind=ItemKind.MESSAGE, folder="Inbox", subject="Hello")
    position = "eyJleGFtcGxlIjoxfQ" if Position in operation.lines else ""
    change = Change(number=7_000_001, mailbox_id="4f1c2a7e", change=FeedKind.CREATE, item=item, position=position)
    lines = [change, Position(position)] if position else [change]
    return msgspec.json.Encoder().encode_lines(lines).decode()


def _content(kind: type[Struct], media_type: str = PROBLEM) -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": _TEMPLATE.format(name=kind.__name__)}}}
