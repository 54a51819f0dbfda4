"""$batch: up to twenty requests in one, each counted, throttled and answered by itself.

All of them run side by side, or each waits for the one before (`dependsOn`). The batch is 200 when it could be read.
Source: learn.microsoft.com/graph/json-batching.
"""

import base64
from collections.abc import Callable
from typing import Any

from sandbox.graph.wire.errors import GraphError
from sandbox.graph.wire.request import GraphResponse, Json

LARGEST = 20

type Run = Callable[[str, str, dict[str, str], Any], GraphResponse]
"""Answers one request of a batch: method, URL below the version, headers, body."""


def answer(body: Any, run: Run) -> GraphResponse:
    """Answer every request of a batch. Raises GraphError where the batch itself is wrong."""
    requests = _read(body)
    done: dict[str, Json] = {}
    for request in requests:
        done[request["id"]] = _one(request, done, run)
    return GraphResponse(200, {"responses": list(done.values())})


def _read(body: Any) -> list[Json]:
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or not requests:
        raise _bad("Invalid batch payload format.")
    if len(requests) > LARGEST:
        raise _bad(f"Number of batch request steps exceeds the maximum value of {LARGEST}.")
    seen: set[str] = set()
    for request in requests:
        _check(request, seen)
        seen.add(request["id"])
    _check_order(requests)
    return requests


def _check(request: Any, seen: set[str]) -> None:
    if not isinstance(request, dict) or not all(isinstance(request.get(name), str) for name in ("id", "method", "url")):
        raise _bad("Every request needs an id, a method and a url, all of them strings.")
    if unknown := sorted(set(request) - {"id", "method", "url", "headers", "body", "dependsOn"}):
        raise _bad(f"'{unknown[0]}' is not a property of a request.")
    if request["id"] in seen:
        raise _bad(f"Duplicate request id '{request['id']}'.")
    if not request["url"].startswith("/"):
        raise _bad("The url must be relative to the version, as in /me/messages.")
    if any(name not in seen for name in request.get("dependsOn", [])):
        raise _bad("dependsOn names no earlier request.")


def _check_order(requests: list[Json]) -> None:
    """All at once, or each after the one before: nothing in between."""
    depending = [request.get("dependsOn", []) for request in requests]
    if not any(depending):
        return
    chained = all(named == [before["id"]] for named, before in zip(depending[1:], requests, strict=False))
    if depending[0] or not chained:
        raise _bad("Requests must either all be independent or each depend on the one before it.")


def _bad(message: str) -> GraphError:
    return GraphError(400, "BadRequest", message)


def _one(request: Json, done: dict[str, Json], run: Run) -> Json:
    failed = [name for name in request.get("dependsOn", []) if done[name]["status"] >= 400]
    if failed:
        error = {"code": "FailedDependency", "message": f"The request depends on '{failed[0]}', which failed."}
        return {"id": request["id"], "status": 424, "headers": {}, "body": {"error": error}}
    answered = run(request["method"].upper(), request["url"], dict(request.get("headers") or {}), request.get("body"))
    headers = {"Cache-Control": "private", "Content-Type": "application/json", **answered.headers}
    shown: Json = {"id": request["id"], "status": answered.status, "headers": headers}
    if isinstance(answered.body, bytes):
        shown["body"] = base64.b64encode(answered.body).decode()
    elif answered.body is not None:
        shown["body"] = answered.body
    return shown
