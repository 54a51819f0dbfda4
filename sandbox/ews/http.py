"""EWS over HTTP: POST /EWS/Exchange.asmx, whatever the case of the path; all else is asked for a token at most.

GET /EWS/Services.wsdl describes the service, as an Exchange Server does; beside it are the schemas, if they are here.
"""

from pathlib import Path

from aiohttp import web

from sandbox.ews.service import EwsService, operation_of
from sandbox.ews.wsdl import schema, services_wsdl

LARGEST_REQUEST = 64 * 1024 * 1024
"""Bytes; Exchange Online accepts 64 MiB in one EWS request."""

PATH = "/ews/exchange.asmx"


def application(service: EwsService, schemas: Path | None = None) -> web.Application:
    """The web application of the EWS endpoint. `schemas` is the folder with Exchange's messages.xsd and types.xsd."""

    async def endpoint(request: web.Request) -> web.Response:
        if request.path.lower() != PATH:
            return _description(service, request, schemas)
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


def _description(service: EwsService, request: web.Request, schemas: Path | None) -> web.Response:
    """The WSDL or a schema, for who has a token; 404 for any other path."""
    folder, _, name = request.path.lower().rpartition("/")
    is_wsdl = name == "services.wsdl"
    body = (
        services_wsdl(str(request.url.with_path("/EWS/Exchange.asmx"))).encode() if is_wsdl else schema(schemas, name)
    )
    if folder != PATH.rpartition("/")[0] or body is None or request.method != "GET":
        return web.Response(status=404)
    challenge = service.challenge(request.headers)
    if challenge is not None:
        return web.Response(status=challenge.status, headers=challenge.headers)
    return web.Response(body=body, content_type="text/xml")


def _not_posted(service: EwsService, request: web.Request) -> web.Response:
    """Who does not say who they are is asked to, before anything else: clients look for the ways to sign in so."""
    challenge = service.challenge(request.headers)
    if challenge is not None:
        return web.Response(status=challenge.status, headers=challenge.headers)
    return web.Response(status=405, headers={"Allow": "POST"})


async def operation(request: web.Request) -> str:
    """The name of the operation that a request calls."""
    return operation_of(await request.read())
