"""What enters over HTTP is checked before anything is done, and every failure leaves as an answer without details."""

import inspect
import json
import logging
from collections.abc import Callable

import azure.functions as func
import pytest

from functions import refusals
from functions.http.handler import (
    MAX_BODY_BYTES,
    HttpError,
    async_http_handler,
    http_handler,
    read_cookie,
    read_form,
    require_same_origin,
)
from functions.http.responses import json as json_answer
from shared import logs
from shared.api.errors import Forbidden, Malformed
from shared.authorization.errors import FlowReplayed, FlowUnknown, OtherBrowser
from shared.errors import (
    AdministratorMustAct,
    Conflict,
    NotFound,
    OperatorMustAct,
    Reason,
    RetryLater,
    SettingsInvalid,
)
from tests.fakes.clock import FakeClock

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SECRET = "ada@contoso.example"


def request(method: str = "GET", body: bytes = b"", headers: dict[str, str] | None = None) -> func.HttpRequest:
    return func.HttpRequest(method, "https://localhost/x", headers=headers or {}, body=body)


def behind(
    error: Exception | None, *methods: str, api: bool = False
) -> Callable[[func.HttpRequest], func.HttpResponse]:
    @http_handler(*(methods or ("GET",)), api=api)
    def handler(_: func.HttpRequest) -> func.HttpResponse:
        if error:
            raise error
        return json_answer({"ok": True})

    return handler


def test_a_handler_behind_a_door_keeps_its_name_by_which_the_host_knows_it() -> None:
    assert behind(None).__name__ == "handler"


def test_the_worker_sees_the_parameter_that_its_binding_is_named_after() -> None:
    assert list(inspect.signature(behind(None)).parameters) == ["req"]


def test_another_method_is_answered_with_those_that_are_allowed() -> None:
    answer = behind(None, "GET", "POST")(request("DELETE"))
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, POST"


def test_head_is_answered_where_get_is() -> None:
    assert behind(None)(request("HEAD")).status_code == 200


def test_a_body_that_is_too_large_is_refused_before_it_is_read() -> None:
    answer = behind(None, "POST")(request("POST", b"x" * (MAX_BODY_BYTES + 1)))
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (HttpError("malformed"), 400),
        (HttpError("malformed", 415), 415),
        (NotFound(SECRET), 404),
        (Conflict(SECRET), 409),
        (RetryLater(Reason.UNAVAILABLE, SECRET), 503),
        (AdministratorMustAct(Reason.EWS_BLOCKED, SECRET), 403),
        (OperatorMustAct(Reason.OUR_STORAGE, SECRET), 503),
        (SettingsInvalid(["APP_URL is missing"]), 503),
        (ZeroDivisionError(SECRET), 500),
    ],
)
@pytest.mark.parametrize("api", [False, True])
def test_whatever_is_raised_leaves_as_an_answer_without_its_text(error: Exception, status: int, api: bool) -> None:
    answer = behind(error, api=api)(request())
    assert answer.status_code == status
    assert SECRET not in answer.get_body().decode()
    assert answer.mimetype == ("application/problem+json" if api else "text/html")


@pytest.mark.parametrize("error", [Conflict(SECRET), RetryLater(Reason.TIMED_OUT), RetryLater(Reason.THROTTLED)])
def test_nobody_is_told_that_what_they_asked_for_is_repeated_by_itself(error: Exception) -> None:
    """Whoever asked has to ask again, and is told when."""
    answer = behind(error, api=True)(request())
    told = json.loads(answer.get_body())
    remedy = "Wait the seconds in the header Retry-After, and send the request again."
    assert (told["code"], told["remedy"].partition(" If ")[0]) == ("not_now", remedy)
    assert int(answer.headers["Retry-After"]) > 0


def test_a_wait_that_the_server_named_is_passed_on_and_the_usual_one_else() -> None:
    for seconds, header in ((12.4, "12"), (0.2, "1"), (None, "10")):
        answer = behind(RetryLater(Reason.THROTTLED, retry_after=seconds))(request())
        assert answer.headers["Retry-After"] == header


def test_an_unexpected_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        behind(ZeroDivisionError(SECRET))(request())
    assert any("request failed" in record.getMessage() for record in caplog.records)


def test_a_form_is_read_once_decoded() -> None:
    assert read_form(request("POST", b"a=1&b=%C3%A9+x", FORM)) == {"a": "1", "b": "é x"}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"a=1&a=2", FORM),
        (b"a=%ff", FORM),
        ("a=é".encode(), FORM),
        (b"&".join(b"f%d=1" % number for number in range(100)), FORM),
        (b'{"a": 1}', {"Content-Type": "application/json"}),
        (b"a=1", {}),
    ],
)
def test_a_form_that_is_none_is_refused(body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(HttpError):
        read_form(request("POST", body, headers))


def test_a_cookie_is_found_by_its_host_bound_name_alone() -> None:
    sent = request(headers={"Cookie": "session=planted; __Host-session=real; other=x"})
    assert read_cookie(sent, "session") == "real"
    assert read_cookie(sent, "binding") == ""


def test_a_cookie_that_comes_twice_counts_as_none() -> None:
    assert read_cookie(request(headers={"Cookie": "__Host-session=a; __Host-session=b"}), "session") == ""


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_form_from_elsewhere_is_refused(site: str) -> None:
    with pytest.raises(HttpError):
        require_same_origin(request("POST", headers={"Sec-Fetch-Site": site}))


def test_a_form_of_our_own_page_is_accepted() -> None:
    sent = request("POST", headers={"Sec-Fetch-Site": "same-origin"})
    require_same_origin(sent)


REFUSALS = [
    (HttpError("forbidden", refusal="csrf"), "csrf"),
    (HttpError("unauthenticated", refusal="bearer", detail="expired"), "bearer"),
    (OtherBrowser(), "other_browser"),
    (FlowReplayed(), "flow_replayed"),
]


@pytest.mark.parametrize(("error", "kind"), REFUSALS)
def test_what_is_refused_for_securitys_sake_is_logged(
    error: Exception, kind: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S11."""
    monkeypatch.setattr(refusals, "note", refusals.Refusals(FakeClock().monotonic).note)
    with caplog.at_level(logging.WARNING, "functions.refusals"):
        behind(error)(request())
    (record,) = [one for one in caplog.records if one.name == "functions.refusals"]
    assert (record.__dict__["refusal"], record.__dict__["refusals"]) == (kind, 1)


def test_an_ordinary_mistake_is_no_refusal(caplog: pytest.LogCaptureFixture) -> None:
    for error in (HttpError("malformed"), NotFound("x"), FlowUnknown()):
        behind(error)(request())
    assert [one for one in caplog.records if one.name == "functions.refusals"] == []


def test_refusals_without_end_do_not_fill_the_log_and_are_all_counted(caplog: pytest.LogCaptureFixture) -> None:
    """S11: the log has a daily cap, past which no alert sees anything."""
    clock = FakeClock()
    log = refusals.Refusals(clock.monotonic)
    with caplog.at_level(logging.WARNING, "functions.refusals"):
        for _ in range(1000):
            log.note("bearer")
        assert len(caplog.records) == 30
        clock.pass_by(minutes=1)
        log.note("csrf")
    assert sum(record.__dict__["refusals"] for record in caplog.records) == 1001


def test_the_pages_of_others_and_wrong_csrf_values_say_what_they_are() -> None:
    with pytest.raises(HttpError) as caught:
        require_same_origin(request("POST", headers={"Sec-Fetch-Site": "cross-site"}))
    assert caught.value.refusal == "foreign_page"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (None, 200),
        (NotFound("x"), 404),
        (HttpError("too_large"), 413),
        (Malformed("limit"), 400),
        (Forbidden(["Operator"]), 403),
        (ValueError(SECRET), 500),
    ],
)
async def test_a_handler_that_waits_is_answered_for_like_any_other(error: Exception | None, status: int) -> None:
    @async_http_handler("GET")
    async def handler(_: func.HttpRequest) -> func.HttpResponse:
        if error:
            raise error
        return json_answer({"ok": True})

    assert list(inspect.signature(handler).parameters) == ["req"]
    assert inspect.iscoroutinefunction(handler)
    answer = await handler(request())
    assert answer.status_code == status
    assert SECRET not in answer.get_body().decode()
    assert (await handler(request("DELETE"))).status_code == 405


async def test_an_error_that_leaves_a_coroutine_tells_the_host_nothing() -> None:
    @logs.redact_async_errors
    async def failing() -> None:
        raise ValueError(SECRET)

    with pytest.raises(logs.InvocationFailed) as caught:
        await failing()
    assert SECRET not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_refused_parameter_is_named_in_the_problem() -> None:
    answer = behind(Malformed("limit", "unknown"), api=True)(request())
    body = json.loads(answer.get_body())
    assert (body["code"], body["parameter"], body["fault"]) == ("malformed", "limit", "unknown")
