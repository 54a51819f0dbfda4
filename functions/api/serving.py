"""Serves the operations of the API: checks a request, decodes it, calls the operation, and encodes the answer."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import azure.functions as func

from functions.api.caller import caller_of
from functions.http.handler import CallerError, HttpError
from functions.http.parameters import is_id
from functions.http.rate_limits import RateLimit
from functions.http.responses import problem_json, respond
from shared.api.errors import Malformed, Missing
from shared.app import app
from shared.errors import MailboxSyncError, NotFound

if TYPE_CHECKING:
    from shared.api.access import Caller
    from shared.api.calls import Call, Operation, RawAnswer

_log = logging.getLogger(__name__)

PER_MINUTE = 600
"""Requests that one caller may make in a minute, in one instance of the app; as many at once."""
WAITING_TOGETHER = 32
"""Requests of one instance that may wait for changes. A further one is answered at once, as if it did not wait."""
LOOK_AGAIN_SECONDS = 2.0
JSON = "application/json"
RANGE_NOT_SATISFIABLE = 416

_limit = RateLimit(burst=PER_MINUTE, per_minute=PER_MINUTE, together=20, monotonic=time.monotonic)
_waiting = asyncio.Semaphore(WAITING_TOGETHER)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call that is checked and decoded."""

    operation: "Operation"
    call: "Call[Any, Any]"
    body: bytes
    idempotency_key: str


def serve(request: func.HttpRequest, path: str) -> func.HttpResponse:
    """Answer a request for this path of the API."""
    operation = _operation(request, path)
    caller = caller_of(request, operation.roles)
    with _errors_of(caller, operation):
        prepared = _prepare(request, operation, caller)
        return _encode(prepared, _run_once(prepared))


async def serve_waiting(request: func.HttpRequest, path: str) -> func.HttpResponse:
    """Answer a request that may wait for changes. Between its looks it occupies no thread."""
    operation = _operation(request, path)
    caller = await asyncio.to_thread(caller_of, request, operation.roles)
    with _errors_of(caller, operation):
        prepared = await asyncio.to_thread(_prepare, request, operation, caller)
        return _encode(prepared, await _awaited(prepared))


async def _awaited(prepared: Prepared) -> "RawAnswer":
    """Run the operation until its answer is not empty, or the time to wait is up."""
    answer = await asyncio.to_thread(_run, prepared)
    ends_at = time.monotonic() + prepared.call.query.wait
    if answer.is_empty and prepared.call.query.wait and not _waiting.locked():
        async with _waiting:
            while answer.is_empty and (left := ends_at - time.monotonic()) > 0:
                await asyncio.sleep(min(LOOK_AGAIN_SECONDS, left))
                answer = await asyncio.to_thread(_run, prepared)
    return answer


@contextmanager
def _errors_of(caller: "Caller", operation: "Operation") -> Iterator[None]:
    """Add the headers of the limit to an error's response, and to a 404 what was not found."""
    try:
        yield
    except Exception as error:
        values = {"missing": _missing(error, operation)} if isinstance(error, NotFound) else {}
        raise CallerError(error, _limit_headers(caller.object_id), values) from error


def _missing(error: NotFound, operation: "Operation") -> str:
    """What a 404 did not find: what the error names, the only parameter of the path, or what the body names."""
    if isinstance(error, Missing):
        return error.name
    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    return " or ".join(names) or operation.missing


def _operation(request: func.HttpRequest, path: str) -> "Operation":
    """Return the operation of a request. Raises HttpError: method_not_allowed, too_large."""
    from shared.api.catalog import by_path

    operations = by_path()[path]
    operation = operations.get("GET" if request.method == "HEAD" else request.method)
    if operation is None:
        raise HttpError("method_not_allowed", headers={"Allow": ", ".join(_methods(operations))})
    if len(request.get_body() or b"") > operation.largest_body:
        raise HttpError("too_large")
    return operation


def _prepare(request: func.HttpRequest, operation: "Operation", caller: "Caller") -> Prepared:
    """Check and decode a request.

    Raises:
        HttpError, Refused, NotFound: it is not served.
    """
    from shared.api.calls import Call, Conditions
    from shared.api.decoding import decode_body, decode_query

    if seconds := _limit.wait(caller.object_id):
        raise HttpError("too_many_requests", headers={"Retry-After": str(seconds)})
    caller.require(operation.roles)
    if operation.body is not None and not _is_json(request):
        raise HttpError("malformed", 415, parameter="Content-Type", fault="content_type")
    body = request.get_body() or b""
    call = Call(
        caller,
        _path_values(request.route_params, operation),
        decode_query(operation.query, request.params),
        decode_body(operation.body, body) if operation.is_write else None,
        Conditions(*(request.headers.get(name, "") for name in ("If-None-Match", "Range", "If-Range"))),
    )
    return Prepared(operation, call, body, _idempotency_key(request, operation) if operation.is_write else "")


def _is_json(request: func.HttpRequest) -> bool:
    return bool(request.headers.get("Content-Type", "").partition(";")[0].strip().lower() == JSON)


def _methods(operations: "Mapping[str, Operation]") -> list[str]:
    return sorted({*operations, *(["HEAD"] if "GET" in operations else [])})


def _path_values(given: Mapping[str, str], operation: "Operation") -> dict[str, str]:
    """The values in the path. All of them have the format of ids. Raises Missing, Malformed."""
    for name, value in given.items():
        if not is_id(value):
            if operation.named:
                raise Malformed(name, expected=operation.named)
            raise Missing("attachment" if name == "number" else name)
    return dict(given)


def _idempotency_key(request: func.HttpRequest, operation: "Operation") -> str:
    """The header Idempotency-Key; empty if there is none. Raises Malformed, also where the answer is not stored."""
    key: str = request.headers.get("Idempotency-Key", "")
    if key and not operation.takes_key:
        raise Malformed("Idempotency-Key", expected="left out here, because the answer has a secret and is not stored")
    if len(key) > 255 or not key.isprintable() or not key.isascii():
        raise Malformed("Idempotency-Key", expected="at most 255 printable ASCII characters")
    return key


def _run(prepared: Prepared) -> "RawAnswer":
    """Run the operation. An answer that is a struct becomes JSON; no answer becomes an empty one."""
    import msgspec

    from shared.api.calls import RawAnswer

    answer = prepared.operation.run(app(), prepared.call)
    if isinstance(answer, RawAnswer):
        return answer
    data = b"" if answer is None else msgspec.json.encode(answer)
    return RawAnswer(data, JSON, prepared.operation.status)


def _run_once(prepared: Prepared) -> "RawAnswer":
    """Run the operation, unless its idempotency key says that it was carried out before.

    A request that fails was not carried out, so its key is released. One whose answer cannot be stored was: the caller
    has to get its answer, or it would ask again.
    """
    if not prepared.idempotency_key:
        return _run(prepared)
    from shared.api.calls import RawAnswer
    from shared.api.port import StoredAnswer

    store, caller, key = app().idempotency, prepared.call.caller.object_id, prepared.idempotency_key
    stored = store.begin(caller, key, _request_digest(prepared))
    if stored is not None:
        return RawAnswer(stored.body, stored.media_type, stored.status, {"Idempotency-Replayed": "true"})
    answer = _released_on_error(lambda: _run(prepared), lambda: store.abandon(caller, key))
    try:
        store.finish(caller, key, StoredAnswer(answer.status, answer.data, answer.media_type))
    except MailboxSyncError as error:
        _log.warning("answer to an idempotency key not stored", exc_info=error)
    return answer


def _released_on_error[T](work: Callable[[], T], release: Callable[[], None]) -> T:
    try:
        return work()
    except Exception:
        release()
        raise


def _request_digest(prepared: Prepared) -> str:
    operation, path = prepared.operation, sorted(prepared.call.path.items())
    return hashlib.sha256(f"{operation.name} {path}".encode() + prepared.body).hexdigest()


def _encode(prepared: Prepared, answer: "RawAnswer") -> func.HttpResponse:
    headers = _limit_headers(prepared.call.caller.object_id) | dict(answer.headers)
    if answer.status == RANGE_NOT_SATISFIABLE:
        return problem_json("range_not_satisfiable", headers=headers)
    return respond(answer.data, answer.status, answer.media_type, headers)


def _limit_headers(caller: str) -> dict[str, str]:
    """The headers of the limit: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/"""
    left, seconds = _limit.left(caller)
    return {"RateLimit-Policy": f'"caller";q={PER_MINUTE};w=60', "RateLimit": f'"caller";r={left};t={seconds}'}
