"""Graph over HTTPS: requests in, JSON or bytes out, batches taken apart, requests throttled."""

import asyncio
import json
import uuid
from typing import Any

from aiohttp import web

from sandbox.graph.access import Caller
from sandbox.graph.service import GraphService, failure, operation_of, raise_fault
from sandbox.graph.wire import batch
from sandbox.graph.wire.errors import GraphError
from sandbox.graph.wire.request import GraphRequest, GraphResponse, read_request

LARGEST_REQUEST = 4 * 1024 * 1024
"""Bytes; Graph takes 4 MB in one request."""

COMPRESSED_FROM = 1024
"""Bytes; smaller answers are not worth compressing."""

FAULT = "graph_fault"
"""The key of the request under which a fault of kind `graph` reaches the service."""

_JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"


def application(service: GraphService) -> web.Application:
    """The web application of the Graph endpoint."""

    async def endpoint(request: web.Request) -> web.Response:
        try:
            return _written(await _answer(service, request), request)
        except GraphError as exc:
            return _written(failure(exc, request.headers), request)

    app = web.Application(client_max_size=LARGEST_REQUEST)
    app.router.add_route("*", "/{path:.*}", endpoint)
    return app


async def operation(request: web.Request) -> str:
    """The name of the operation that a request asks for; empty for none that is known."""
    try:
        return operation_of(read_request(request.method, request.raw_path, {}, None, ""))
    except GraphError:
        return ""


async def _answer(service: GraphService, http: web.Request) -> GraphResponse:
    base = f"{http.scheme}://{http.host}"
    request = read_request(http.method, http.raw_path, dict(http.headers), await _body(http), base)
    caller, fault = service.caller(request), http.get(FAULT) or {}
    if request.segments == ("$batch",):
        return await _batch(service, request, caller, fault)
    with service.throttle.running(service.bucket(request, caller)):
        await asyncio.sleep(service.throttle.limits.latency_seconds)
        return service.answer(request, caller, fault)


async def _batch(service: GraphService, request: GraphRequest, caller: Caller, fault: dict[str, Any]) -> GraphResponse:
    """Each request within a batch has its own faults and limits; the service runs no more at a time than it allows."""
    if request.method != "POST":
        raise GraphError(405, "BadRequest", "Specified HTTP method is not allowed for the request target.")
    raise_fault(fault, request)

    def run(method: str, url: str, headers: dict[str, str], body: Any) -> GraphResponse:
        try:
            inner = read_request(method, f"/{request.version}{url}", headers, body, request.base)
        except GraphError as exc:
            return failure(exc, request.headers)
        struck = service.fault_of(method, f"/{request.version}{url}", operation_of(inner))
        try:
            with service.throttle.running(service.bucket(inner, caller)):
                return service.answer(inner, caller, struck)
        except GraphError as exc:
            return failure(exc, request.headers)

    await asyncio.sleep(service.throttle.limits.latency_seconds)
    return batch.answer(request.body, run)


async def _body(http: web.Request) -> Any:
    raw = await http.read()
    if not raw:
        return None
    if http.content_type != "application/json":
        raise GraphError(415, "UnsupportedMediaType", "Content-Type must be application/json.")
    try:
        return json.loads(raw)
    except ValueError:
        raise GraphError(400, "BadRequest", "Unable to read JSON request payload.") from None


def _written(answer: GraphResponse, http: web.Request) -> web.Response:
    request_id = str(uuid.uuid4())
    headers = {
        "request-id": request_id,
        "client-request-id": http.headers.get("client-request-id", request_id),
        "OData-Version": "4.0",
        "Cache-Control": "no-store, no-cache",
        **answer.headers,
    }
    if isinstance(answer.body, dict):
        headers["Content-Type"] = _JSON
        body = json.dumps(_with_metadata(answer.body, http), ensure_ascii=False, separators=(",", ":")).encode()
    else:
        body = answer.body or b""
    response = web.Response(status=answer.status, body=body, headers=headers)
    if len(body) >= COMPRESSED_FROM and "gzip" in http.headers.get("Accept-Encoding", ""):
        response.enable_compression(web.ContentCoding.gzip)
    return response


def _with_metadata(body: Any, http: web.Request) -> Any:
    """Without annotations where the client wants none; links stay."""
    if "odata.metadata=none" not in http.headers.get("Accept", ""):
        return body
    return _plain(body)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name for name in value if not name.startswith("@odata.") or name.endswith("Link")}
        return {name: _plain(inner) for name, inner in value.items() if name in kept}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
