"""The API's description and its routes agree with its operations."""

import json
from typing import Any

from shared.api import routes
from shared.api.catalog import OPERATIONS, by_path
from shared.api.openapi import document, page_values


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


def test_page_shows_every_operation_and_type() -> None:
    values = page_values()
    shown = [operation["name"] for _, operations in values["groups"] for operation in operations]
    assert sorted(shown) == sorted(operation.name for operation in OPERATIONS)
    named = {each["name"] for each in values["types"]}
    for _, operations in values["groups"]:
        for operation in operations:
            assert {operation["body"], operation["answer"]} - {""} <= named
