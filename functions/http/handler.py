"""Checks HTTP requests (methods, sizes, forms, cookies) and maps every error to a response.

`http_handler` wraps each handler. A handler may raise any error; the response is a page (or JSON, for the API) that
says what happened and what to do, and never contains a stack trace or a vendor's text.
"""

import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import partial, wraps
from typing import Any
from urllib.parse import parse_qsl

import azure.functions as func

from functions import refusals
from functions.http.page_language import negotiated_language
from functions.http.responses import problem, problem_json
from shared import logs
from shared.api.errors import Refused
from shared.authorization.errors import FlowReplayed, OtherBrowser, SignInRefused
from shared.errors import ActionNeeded, Conflict, MailboxSyncError, NotFound, RetryLater, SettingsInvalid
from shared.mailboxes.errors import CommandRefused
from shared.pages.problems import problem_of

ALL_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""For `route(methods=ALL_METHODS)`: every route accepts all methods, so that `http_handler` answers 405, and not the
host 404.
"""

MAX_BODY_BYTES = 64 * 1024
MAX_FORM_FIELDS = 64
USUAL_WAIT_SECONDS = 10
"""The Retry-After of an answer `not_now` if the service that did not answer named no time."""

_log = logging.getLogger(__name__)

Handler = Callable[[func.HttpRequest], func.HttpResponse]
AsyncHandler = Callable[[func.HttpRequest], Coroutine[Any, Any, func.HttpResponse]]


class HttpError(MailboxSyncError):
    """The request cannot be served: the problem code of the response, its status, and the values of its sentences.

    `refusal` is the kind under which the log counts it, if it was refused for a security reason; `detail` is a constant
    text for the log.
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


class CallerError(MailboxSyncError):
    """A request of a known caller failed with `error`; the response has these headers and values as well."""

    def __init__(self, error: Exception, headers: Mapping[str, str], values: Mapping[str, Any]) -> None:
        super().__init__("a request of a known caller failed")
        self.error = error
        self.headers = dict(headers)
        self.values = dict(values)


def http_handler(*methods: str, api: bool = False, largest_body: int = MAX_BODY_BYTES) -> Callable[[Handler], Handler]:
    """Check the method and the size of a request before the handler runs, and map what it raises to a response.

    With `api`, problems are returned as JSON. GET includes HEAD. `largest_body` is in bytes.
    """

    def decorate(handler: Handler) -> Handler:
        @wraps(handler, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
        def answer(req: func.HttpRequest) -> func.HttpResponse:
            with negotiated_language(req):
                try:
                    _check_request(req, methods, largest_body)
                    return handler(req)
                except Exception as error:
                    note_refusal(error)
                    return _api_error_response(error) if api else _error_response(error, problem)

        # The worker passes the request by the binding's name, `req`, so it must see this signature, not the handler's.
        del answer.__wrapped__
        return logs.redact_errors(answer)

    return decorate


def async_http_handler(*methods: str, largest_body: int = MAX_BODY_BYTES) -> Callable[[AsyncHandler], AsyncHandler]:
    """Do what `http_handler` does for a handler of the API that waits without occupying a thread."""

    def decorate(handler: AsyncHandler) -> AsyncHandler:
        @wraps(handler, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
        async def answer(req: func.HttpRequest) -> func.HttpResponse:
            try:
                _check_request(req, methods, largest_body)
                return await handler(req)
            except Exception as error:
                note_refusal(error)
                return _api_error_response(error)

        del answer.__wrapped__
        return logs.redact_async_errors(answer)

    return decorate


def read_form(request: func.HttpRequest) -> dict[str, str]:
    """Return the fields of a posted HTML form.

    Raises:
        HttpError: malformed: it is not such a form, is not UTF-8, repeats a field, or has too many fields.
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


def read_cookie(request: func.HttpRequest, name: str) -> str:
    """Return the value of our cookie with this name (without its __Host- prefix); empty if the browser sent none.

    A name that was sent twice counts as none, because another site may have planted the second.
    """
    values = [
        value.strip()
        for key, _, value in (pair.partition("=") for pair in request.headers.get("Cookie", "").split(";"))
        if key.strip() == f"__Host-{name}"
    ]
    return values[0] if len(values) == 1 else ""


def require_same_origin(request: func.HttpRequest) -> None:
    """Refuse a request that a browser says comes from another site. This adds to the CSRF token, not replaces it.

    It checks Sec-Fetch-Site and not Origin, because with Referrer-Policy no-referrer browsers send `Origin: null` with
    forms. A client that does not send the header passes.

    Raises:
        HttpError: forbidden.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise HttpError("forbidden", refusal="foreign_page")


def note_refusal(error: Exception) -> None:
    """Log the error if the request was refused for a security reason; other errors are not logged here."""
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
    """Map the error of a failed request to a response."""
    if isinstance(error, HttpError):
        return answer(error.code, error.status, headers=error.headers, **error.values)
    if isinstance(error, Refused | SignInRefused):
        support = {"support": error.support} if isinstance(error, SignInRefused) else {}
        return answer(error.code, **support, **error.values)
    if isinstance(error, CommandRefused):
        return answer(error.code, headers=_retry_after_header(error.wait), **error.values)
    if isinstance(error, NotFound):
        return answer("not_found")
    if isinstance(error, Conflict):
        return answer("not_now", 409, headers=_retry_after_header(1))
    return _unexpected_error_response(error, answer)


def _api_error_response(error: Exception) -> func.HttpResponse:
    """Map an error to a problem document, with the headers and values of a known caller's request."""
    if not isinstance(error, CallerError):
        return _error_response(error, problem_json)
    response = _error_response(error.error, partial(problem_json, **error.values))
    for name, value in error.headers.items():
        response.headers.setdefault(name, value)
    return response


def _unexpected_error_response(error: Exception, answer: Callable[..., func.HttpResponse]) -> func.HttpResponse:
    """Log the error and map it to a response. RetryLater becomes `not_now`: no queue repeats a person's request."""
    _log.error("request failed", exc_info=error)
    if isinstance(error, RetryLater):
        headers = _retry_after_header(error.retry_after or USUAL_WAIT_SECONDS)
        status = problem_of(error.reason).status
        return answer("not_now", status, headers=headers, support=error.support)
    if isinstance(error, ActionNeeded):
        return answer(error.reason, support=error.support)
    return answer("our_configuration" if isinstance(error, SettingsInvalid) else "internal")


def _retry_after_header(seconds: float | None) -> dict[str, str]:
    return {"Retry-After": str(max(1, round(seconds)))} if seconds else {}
