"""EWS over HTTP: POST /EWS/Exchange.asmx, with any case of the path, and no other route."""

from aiohttp import web

from sandbox.ews.service import EwsService, operation_of

LARGEST_REQUEST = 64 * 1024 * 1024
"""Bytes; Exchange Online accepts 64 MiB in one EWS request."""

PATH = "/ews/exchange.asmx"


def application(service: EwsService) -> web.Application:
    """The web application of the EWS endpoint."""

    async def endpoint(request: web.Request) -> web.Response:
        if request.path.lower() != PATH:
            return web.Response(status=404)
        if request.method != "POST":
            return web.Response(status=405, headers={"Allow": "POST"})
        if request.content_type not in ("text/xml", "application/soap+xml"):
            return web.Response(status=415)
        answer = service.answer(await request.read(), request.headers)
        kind = "text/xml" if answer.text.startswith("<?xml") else "text/plain"
        return web.Response(text=answer.text, status=answer.status, headers=answer.headers, content_type=kind)

    app = web.Application(client_max_size=LARGEST_REQUEST)
    app.router.add_route("*", "/{path:.*}", endpoint)
    return app


async def operation(request: web.Request) -> str:
    """The name of the operation that a request calls."""
    return operation_of(await request.read())
