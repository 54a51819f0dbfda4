"""What enters the program over HTTP: methods, sizes, forms, cookies; and what every failure turns into.

A handler stands behind `http_handler`: it may raise what it likes, and what leaves is a page (or JSON, for the API)
that says what happened and what to do, never a stack trace nor a vendor's text.
"""

import json
import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl

import azure.functions as func

from functions import refusals
from functions.http.responses import problem, problem_json
from shared import logs
from shared.authorization.errors import FlowReplayed, OtherBrowser, SignInRefused
from shared.errors import ActionNeeded, Conflict, MailboxSyncError, NotFound, RetryLater, SettingsInvalid
from shared.mailboxes.errors import CommandRefused
from shared.pages.problems import problem_of

ALL_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""For `route(methods=ALL_METHODS)`: every route takes all of them, so that `http_handler` answers 405 and not the host
404.
"""

MAX_BODY_BYTES = 64 * 1024
MAX_FORM_FIELDS = 64

_log = logging.getLogger(__name__)

Handler = Callable[[func.HttpRequest], func.HttpResponse]


class HttpError(MailboxSyncError):
    """The request cannot be served as it is: the problem to answer with, its status and its sentences' values.

    `refusal`: the kind that the log counts it by, when it was refused for security's sake; `detail`: a constant text.
    """

    def __init__(
        self,
        code: str,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        refusal: str = "",
        detail: str = "",
        **values: object,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.refusal = refusal
        self.detail = detail
        self.status = status
        self.headers = dict(headers or {})
        self.values = values


def http_handler(*methods: str, api: bool = False, largest_body: int = MAX_BODY_BYTES) -> Callable[[Handler], Handler]:
    """Check the method and the size of a request before the handler runs, and map what it raises to a response.

    `api`: problems are answered as JSON for a program. GET includes HEAD.
    """

    def decorate(handler: Handler) -> Handler:
        @wraps(handler, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
        def answer(req: func.HttpRequest) -> func.HttpResponse:
            try:
                _check_request(req, methods, largest_body)
                return handler(req)
            except Exception as error:
                note_refusal(error)
                return _error_response(error, problem_json if api else problem)

        # The worker calls by the binding's name, `req`: it must see this signature, not the handler's.
        del answer.__wrapped__
        return logs.redact_errors(answer)

    return decorate


def read_form(request: func.HttpRequest) -> dict[str, str]:
    """The fields of a posted HTML form.

    Raises:
        Refused: malformed, when it is no such form, is not UTF-8, repeats a field or has too many of them.
    """
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HttpError("malformed", 415)
    try:
        text = request.get_body().decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS, errors="strict")
    except ValueError as exc:
        raise HttpError("malformed") from exc
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise HttpError("malformed")
    return fields


def read_json_object(request: func.HttpRequest) -> dict[str, Any]:
    """The JSON object that an API call posts. Raises Refused: malformed."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HttpError("malformed", 415)
    try:
        body = json.loads(request.get_body())
    except (ValueError, RecursionError) as exc:
        raise HttpError("malformed") from exc
    if not isinstance(body, dict):
        raise HttpError("malformed")
    return body


def read_cookie(request: func.HttpRequest, name: str) -> str:
    """The value of our cookie of that name (without its __Host- prefix); empty when the browser sent none.

    A name sent twice counts as none: somebody beside us may have planted the second.
    """
    values = [
        value.strip()
        for key, _, value in (pair.partition("=") for pair in request.headers.get("Cookie", "").split(";"))
        if key.strip() == f"__Host-{name}"
    ]
    return values[0] if len(values) == 1 else ""


def require_same_origin(request: func.HttpRequest) -> None:
    """Insist that a browser says the request comes from a page of ours; beside the CSRF token, not instead of it.

    Sec-Fetch-Site rather than Origin: with Referrer-Policy no-referrer, browsers send `Origin: null` with forms.

    Raises:
        Refused: forbidden.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise HttpError("forbidden", refusal="foreign_page")


def note_refusal(error: Exception) -> None:
    """Log what was refused for security's sake; any other failure is not."""
    if isinstance(error, HttpError) and error.refusal:
        refusals.note(error.refusal, error.detail)
    if isinstance(error, OtherBrowser | FlowReplayed):
        refusals.note(error.code)


def _check_request(request: func.HttpRequest, methods: tuple[str, ...], largest_body: int) -> None:
    allowed = {*methods, *(["HEAD"] if "GET" in methods else [])}
    if request.method not in allowed:
        raise HttpError("method_not_allowed", headers={"Allow": ", ".join(sorted(allowed))})
    if len(request.get_body() or b"") > largest_body:
        raise HttpError("too_large")


def _error_response(error: Exception, answer: Callable[..., func.HttpResponse]) -> func.HttpResponse:
    """What a failed request is answered with; the log learns the kind of error, not what was in it."""
    if isinstance(error, HttpError):
        return answer(error.code, error.status, headers=error.headers, **error.values)
    if isinstance(error, SignInRefused):
        return answer(error.code, support=error.support, **error.values)
    if isinstance(error, CommandRefused):
        return answer(error.code, headers=_retry_after_header(error.wait))
    if isinstance(error, NotFound):
        return answer("not_found")
    if isinstance(error, Conflict):
        return answer("not_now", 409)
    return _unexpected_error_response(error, answer)


def _unexpected_error_response(error: Exception, answer: Callable[..., func.HttpResponse]) -> func.HttpResponse:
    """Of a pass it would be said that it is tried again by itself; what somebody asks for they have to ask again."""
    _log.error("a request failed", exc_info=error)
    if isinstance(error, RetryLater):
        status, headers = problem_of(error.reason).status, _retry_after_header(error.retry_after)
        return answer("not_now", status, headers=headers, support=error.support)
    if isinstance(error, ActionNeeded):
        return answer(error.reason, support=error.support)
    return answer("our_configuration" if isinstance(error, SettingsInvalid) else "internal")


def _retry_after_header(seconds: float | None) -> dict[str, str]:
    return {"Retry-After": str(round(seconds))} if seconds else {}
