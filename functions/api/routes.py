"""The routes of the API: a function for each path, and the API's description."""

import azure.functions as func

from functions.api import serving
from functions.http.handler import ALL_METHODS, AsyncHandler, Handler, async_http_handler, http_handler
from functions.http.responses import respond
from shared.api import routes

blueprint = func.Blueprint()

LARGEST_BODY = 256 * 1024
"""Bytes of the largest body of any operation; each operation has a limit of its own."""
_CACHED = {"Cache-Control": "public, max-age=300"}


def _handler(path: str, name: str) -> Handler:
    def handler(request: func.HttpRequest) -> func.HttpResponse:
        return serving.serve(request, path)

    handler.__name__ = handler.__qualname__ = name
    return http_handler(*ALL_METHODS, api=True, largest_body=LARGEST_BODY)(handler)


def _waiting_handler(path: str, name: str) -> AsyncHandler:
    async def handler(request: func.HttpRequest) -> func.HttpResponse:
        return await serving.serve_waiting(request, path)

    handler.__name__ = handler.__qualname__ = name
    return async_http_handler(*ALL_METHODS)(handler)


HANDLERS: dict[str, Handler | AsyncHandler] = {
    path: (_waiting_handler if path in routes.WAITING_PATHS else _handler)(path, f"api_{name}")
    for path, name in routes.PATHS.items()
}
"""The function of each path below /api/v1."""

for _path, _made in HANDLERS.items():
    blueprint.route(route=f"{routes.PREFIX}{_path}", methods=ALL_METHODS)(_made)


@blueprint.route(route="api/openapi.json", methods=ALL_METHODS)
@http_handler("GET", api=True)
def api_description(request: func.HttpRequest) -> func.HttpResponse:
    """Return the OpenAPI document. It is the same for every deployment of this version."""
    from shared.api.openapi import document

    return respond(document(), 200, "application/json", _CACHED)


@blueprint.route(route="api/docs", methods=ALL_METHODS)
@http_handler("GET")
def api_docs(request: func.HttpRequest) -> func.HttpResponse:
    """Show the operations of the API as a page."""
    from functions.http.responses import html
    from shared.api.docs_page import page_values

    return html("api_docs", headers=_CACHED, **page_values())
