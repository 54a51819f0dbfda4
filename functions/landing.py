"""The public routes: the first page, static files, the health check, and 404 for every other path."""

import azure.functions as func

from functions.http.handler import ALL_METHODS, http_handler
from functions.http.responses import html, json, problem, problem_json, respond
from shared.app import app
from shared.pages import paths
from shared.pages.privacy_summary import privacy_summary
from shared.version import VERSION

blueprint = func.Blueprint()

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@blueprint.route(route="/", methods=ALL_METHODS)
@http_handler("GET")
def landing(request: func.HttpRequest) -> func.HttpResponse:
    """What is read and kept, and the sign-in link. Nothing personal, so it may be cached for a minute."""
    return html(
        "landing", headers={"Cache-Control": "public, max-age=60"}, **privacy_summary(app().settings, app().interval)
    )


@blueprint.route(route="static/{file}", methods=ALL_METHODS)
@http_handler("GET")
def static(request: func.HttpRequest) -> func.HttpResponse:
    """The style sheet, the script, the icon."""
    from shared.pages.pages import static_file

    name = request.route_params.get("file", "")
    body = static_file(name)
    if body is None:
        return problem("not_found")
    return respond(body, 200, _TYPES[name.rpartition(".")[2]], {"Cache-Control": "public, max-age=3600"})


@blueprint.route(route="health", methods=ALL_METHODS)
@http_handler("GET", api=True)
def health(request: func.HttpRequest) -> func.HttpResponse:
    """Whether this instance serves: its settings can be read. Says nothing about anybody's mailbox."""
    app().settings  # noqa: B018 -- raises when they cannot be used
    return json({"status": "ok", "version": VERSION})


@blueprint.route(route=f"{{*path:regex(^(?!({'|'.join(paths.RESERVED)})/?$).+)}}", methods=ALL_METHODS)
@http_handler(*ALL_METHODS)
def not_found(request: func.HttpRequest) -> func.HttpResponse:
    """Every other address.

    The Functions host takes the first route that matches, in no order one can rely on, so no two of ours may match
    one path: this one leaves out what belongs to another.
    """
    is_api = request.route_params.get("path", "").startswith("api/")
    return (problem_json if is_api else problem)("not_found")
