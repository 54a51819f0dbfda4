"""U12: an unknown, missing or wrong parameter of the API is refused, and named."""

import json
from collections.abc import Callable

import pytest

from functions.http.handler import HttpError
from functions.http.parameters import is_id, malformed, refuse_unknown
from functions.http.responses import problem_json


def refused(call: Callable[[], object]) -> tuple[str, str]:
    """The answer's parameter, and its sentence."""
    with pytest.raises(HttpError) as caught:
        call()
    answer = problem_json(caught.value.code, caught.value.status, headers=None, **caught.value.values)
    assert answer.status_code == 400
    body = json.loads(answer.get_body())
    assert body["code"] == "malformed"
    return body["parameter"], body["detail"]


@pytest.mark.parametrize(
    ("call", "parameter", "sentence"),
    [
        (lambda: refuse_unknown({"status": "paused"}, ("after",)), "status", "not a parameter"),
    ],
)
def test_what_is_wrong_with_a_call_is_named(call: Callable[[], object], parameter: str, sentence: str) -> None:
    named, detail = refused(call)
    assert named == parameter
    assert sentence in detail
    assert parameter in detail


def test_a_good_call_passes() -> None:
    refuse_unknown({"after": "x"}, ("after",))
    assert is_id("0a1b-2c")


def test_a_parameter_of_any_length_is_not_repeated_in_full() -> None:
    assert len(str(malformed("x" * 5000).values["parameter"])) == 100
