"""EWS over HTTP: POST /EWS/Exchange.asmx, whatever the case of the path; all else is asked for a token at most."""

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
            return _not_posted(service, request)
        if request.content_type not in ("text/xml", "application/soap+xml"):
            return web.Response(status=415)
        answer = service.answer(await request.read(), request.headers)
        kind = "text/xml" if answer.text.startswith("<?xml") else "text/plain"
        return web.Response(text=answer.text, status=answer.status, headers=answer.headers, content_type=kind)

    app = web.Application(client_max_size=LARGEST_REQUEST)
    app.router.add_route("*", "/{path:.*}", endpoint)
    return app


def _not_posted(service: EwsService, request: web.Request) -> web.Response:
    """Who does not say who they are is asked to, before anything else: clients look for the ways to sign in so."""
    challenge = service.challenge(request.headers)
    if challenge is not None:
        return web.Response(status=challenge.status, headers=challenge.headers)
    return web.Response(status=405, headers={"Allow": "POST"})


async def operation(request: web.Request) -> str:
    """The name of the operation that a request calls."""
    return operation_of(await request.read())
