"""The API's description and its routes agree with its operations."""

import json
from typing import Any

import msgspec

from shared.api import routes
from shared.api.catalog import OPERATIONS, by_path
from shared.api.docs_page import page_values
from shared.api.openapi import document
from shared.api.resources.items import Change, Position


def test_routes_are_those_of_the_operations() -> None:
    assert set(routes.PATHS) == set(by_path())
    assert {operation.path for operation in OPERATIONS if operation.waits} == routes.WAITING_PATHS
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)


def test_every_reference_of_the_document_leads_somewhere() -> None:
    described = json.loads(document())

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if "$ref" in value else []
            return own + [found for each in value.values() for found in references(each)]
        return [found for each in value for found in references(each)] if isinstance(value, list) else []

    for reference in references(described):
        place = described
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
        assert place


def test_every_operation_is_described_with_roles_and_problems() -> None:
    described = json.loads(document())
    assert described["openapi"] == "3.1.0"
    found = [entry for methods in described["paths"].values() for entry in methods.values()]
    assert {entry["operationId"] for entry in found} == {operation.name for operation in OPERATIONS}
    for entry in found:
        assert "Roles: " in entry["description"]
        assert entry["responses"]["default"]["$ref"] == "#/components/responses/Problem"


def test_every_field_and_parameter_has_a_description() -> None:
    """The docstring below the field of its type."""
    described = json.loads(document())
    fields = {
        f"{name}.{field}": schema.get("description")
        for name, type_ in described["components"]["schemas"].items()
        for field, schema in type_.get("properties", {}).items()
    }
    assert fields["NewMove.dry_run"] == "Survey only."
    assert [name for name, text in fields.items() if not text] == []
    parameters = [
        one for methods in described["paths"].values() for each in methods.values() for one in each["parameters"]
    ]
    assert [one["name"] for one in parameters if not one.get("description")] == []


def test_lines_of_a_feed_have_a_schema_and_an_example_that_keeps_it() -> None:
    paths = json.loads(document())["paths"]
    for path, names in (("/mailboxes/{mailbox}/changes", ["Change"]), ("/changes", ["Change", "Position"])):
        (media,) = paths[path]["get"]["responses"]["200"]["content"].items()
        kind, described = media
        references = [{"$ref": f"#/components/schemas/{name}"} for name in names]
        line = {"anyOf": references} if len(references) > 1 else references[0]
        assert described["schema"]["contentMediaType"] == kind == "application/x-ndjson"
        assert described["schema"]["contentSchema"] == described["x-line-schema"] == line
        first, *rest = described["example"].splitlines()
        assert msgspec.json.decode(first, type=Change).number == 7_000_001
        assert [msgspec.json.decode(each, type=Position) for each in rest] == [Position("eyJleGFtcGxlIjoxfQ")][
            : len(rest)
        ]
        assert len(rest) == len(names) - 1


def test_page_shows_every_operation_and_type() -> None:
    values = page_values()
    shown = [operation["name"] for _, operations in values["groups"] for operation in operations]
    assert sorted(shown) == sorted(operation.name for operation in OPERATIONS)
    named = {each["name"] for each in values["types"]}
    for _, operations in values["groups"]:
        for operation in operations:
            assert {operation["body"], operation["answer"]} - {""} <= named
