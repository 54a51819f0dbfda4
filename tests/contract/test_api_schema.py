"""schemathesis calls every operation with generated parameters and bodies, valid and invalid, and checks the answers.

No answer may be a server error, undocumented, or of another schema than the description says.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
)

from shared.api.calls import Operation
from shared.api.catalog import OPERATIONS
from shared.api.openapi import description
from shared.replica.port import item_key
from tests.contract.api_server import ApiServer
from tests.unit.replica.samples import created, cursor_with, folder

EXAMPLES = 5
"""Cases for each operation and kind of data: the suite has to stay cheap."""
CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]


@pytest.fixture(scope="module")
def described(api: ApiServer) -> BaseSchema:
    """The description, in which mailboxes are one that exists and one that does not, and nobody waits."""
    document = description()
    mailbox = api.connect(created("A", b"Subject: hi\r\n\r\nHello"), folders=cursor_with(folder(items=1)))
    for path, methods in document["paths"].items():
        for parameter in (one for method in methods.values() for one in method["parameters"]):
            if parameter["name"] == "mailbox" and not path.endswith("/erase"):
                parameter["schema"] = {"enum": [mailbox.id, "0" * 32], "type": "string"}
            if parameter["name"] == "item":
                parameter["schema"] = {"enum": [item_key("A"), "none"], "type": "string"}
            if parameter["name"] == "wait":
                parameter["schema"] = {"enum": [0], "type": "integer"}

    def application(environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/openapi.json":
            return api.wsgi(environ, start)
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(document).encode()]

    return schemathesis.openapi.from_wsgi("/openapi.json", application)


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_operation_keeps_its_description(
    operation: Operation, mode: GenerationMode, described: BaseSchema, api: ApiServer
) -> None:
    if mode is GenerationMode.NEGATIVE and not operation.query.__struct_fields__ and operation.body is None:
        return
    headers = {"Authorization": f"Bearer {api.token('Operator')}"}
    strategy = described[operation.path][operation.method].as_strategy(generation_mode=mode)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=(Phase.generate,),
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def check(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(checks=CHECKS, headers=headers)

    check()
