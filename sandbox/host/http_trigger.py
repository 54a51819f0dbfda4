"""Translates HTTP requests into invocations and back, as the real host does for a Python worker."""

import logging
from collections.abc import Iterable, Mapping
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote

from aiohttp import web

from sandbox.host import worker
from sandbox.host.config import HostFile
from sandbox.host.routes import RouteTable
from sandbox.host.worker import Function, Worker

MAX_BODY_BYTES = 100 * 1024 * 1024
"""Bytes; the platform's limit."""

log = logging.getLogger("host.http")


class HttpTrigger:
    """Serves the app's HTTP functions."""

    def __init__(self, app: Worker, functions: Iterable[Function], host: HostFile) -> None:
        self._app = app
        self._routes = RouteTable((_template(found, host), _methods(found), found) for found in functions)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request. Errors inside the app are never disclosed: the answer is an empty 500."""
        found = self._routes.find(request.method, request.rel_url.raw_path)
        if found is None:
            return web.Response(status=404)
        function, values = found
        incoming = worker.http(await _incoming(request, values))
        outcome = await self._app.invoke(function, [(str(function.trigger["name"]), incoming)])
        if not outcome.ok:
            return web.Response(status=500)
        return _outgoing(outcome.value)


def _template(function: Function, host: HostFile) -> str:
    route = function.trigger.get("route")
    return f"{host.route_prefix}/{function.name if route is None else route.strip('/')}"


def _methods(function: Function) -> list[str]:
    return [str(method) for method in function.trigger.get("methods") or ()]


async def _incoming(request: web.Request, values: Mapping[str, str]) -> dict[str, Any]:
    """The request in the worker's format.

    The real host lower-cases header names, joins repeated headers with a comma (cookies with "; "), and drops query
    parameters without a value.
    """
    headers = {
        name.lower(): ("; " if name.lower() == "cookie" else ",").join(request.headers.getall(name))
        for name in request.headers
    }
    query = {name: ",".join(request.query.getall(name)) for name in request.query}
    return {
        "method": worker.text(request.method),
        "url": worker.text(str(request.url)),
        "headers": {name: worker.text(value) for name, value in (headers | _front_end(request, headers)).items()},
        "params": {name: worker.text(value) for name, value in values.items()},
        "query": {name: worker.text(value) for name, value in query.items() if value},
        "body": worker.raw(await request.read()),
    }


def _front_end(request: web.Request, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that the platform's front end adds: https, and the client's address after any that it claims."""
    peer = request.transport.get_extra_info("peername") if request.transport else None
    sender = f"{peer[0]}:{peer[1]}" if peer else "127.0.0.1:0"
    claimed = headers.get("x-forwarded-for")
    return {
        "x-forwarded-for": f"{claimed}, {sender}" if claimed else sender,
        "x-forwarded-proto": "https",
    }


def _outgoing(value: Any) -> web.Response:
    """The HTTP response to a function's answer. A function that returned nothing gives 204."""
    if value is None or value.value is None:
        return web.Response(status=204)
    if value.type != "http":
        return web.Response(text=str(value.value))
    answer = value.value
    body = answer["body"].value if answer["body"] is not None else b""
    response = web.Response(
        status=int(answer["status_code"].value), body=body.encode() if isinstance(body, str) else body
    )
    for name, header in answer["headers"].items():
        response.headers[name] = header.value
    for cookie in answer.get("cookies") or ():
        for line in set_cookie(cookie):
            response.headers.add("Set-Cookie", line)
    return response


def set_cookie(cookie: "SimpleCookie") -> list[str]:
    """Set-Cookie headers as the real host writes them: the value percent-encoded, and Path=/ when no path is given."""
    lines = []
    for name, morsel in cookie.items():
        parts = [f"{name}={quote(morsel.value, safe='')}"]
        parts += [f"{key}={morsel[key]}" for key in ("expires", "max-age", "domain") if morsel[key] != ""]
        parts.append(f"path={morsel['path'] or '/'}")
        parts += ["secure"] if morsel["secure"] else []
        parts += [f"samesite={morsel['samesite'].lower()}"] if morsel["samesite"] else []
        parts += ["httponly"] if morsel["httponly"] else []
        lines.append("; ".join(parts))
    return lines
