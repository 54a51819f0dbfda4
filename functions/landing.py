"""The public routes: the landing page, static files, the health check, and 404 for every other path."""

import azure.functions as func

from functions.http.handler import ALL_METHODS, http_handler
from functions.http.responses import html, json, problem, problem_json, respond
from shared.api import routes as api_routes
from shared.app import app
from shared.pages import paths
from shared.pages.privacy_summary import privacy_summary
from shared.version import VERSION

blueprint = func.Blueprint()

_TYPES = {"css": "text/css", "js": "text/javascript", "png": "image/png", "svg": "image/svg+xml"}


@blueprint.route(route="/", methods=ALL_METHODS)
@http_handler("GET")
def landing(request: func.HttpRequest) -> func.HttpResponse:
    """Show what is read and kept, with the sign-in link. Nothing is personal, so it may be cached for a minute."""
    summary = privacy_summary(app().scope_settings, app().settings.deleted_days)
    minutes = round(app().interval.total_seconds() / 60)
    return html("landing", headers={"Cache-Control": "public, max-age=60"}, minutes=minutes, **summary)


@blueprint.route(route="static/{file}", methods=ALL_METHODS)
@http_handler("GET")
def static(request: func.HttpRequest) -> func.HttpResponse:
    """Return the style sheet, the script, or the icon, or the organization's own color or logo."""
    from shared.pages.pages import static_file

    name = request.route_params.get("file", "")
    body = static_file(name) or app().brand.file(name)
    if body is None:
        return problem("not_found")
    return respond(body, 200, _TYPES[name.rpartition(".")[2]], {"Cache-Control": "public, max-age=3600"})


@blueprint.route(route="api/health", methods=ALL_METHODS)
@http_handler("GET", api=True)
def health(request: func.HttpRequest) -> func.HttpResponse:
    """Report whether this instance can read its settings. Says nothing about any mailbox."""
    app().settings  # noqa: B018 -- raises when they are not valid
    return json({"status": "ok", "version": VERSION})


_TAKEN = "|".join([*paths.RESERVED, *api_routes.patterns()])


@blueprint.route(route=f"{{*path:regex(^(?!({_TAKEN})/?$).+)}}", methods=ALL_METHODS)
@http_handler(*ALL_METHODS)
def not_found(request: func.HttpRequest) -> func.HttpResponse:
    """Answer every other path with 404.

    The Functions host takes the first route that matches, in no reliable order. So no two routes may match the same
    path, and this one excludes the paths of all others.
    """
    is_api = request.route_params.get("path", "").startswith("api/")
    return problem_json("not_found", missing="path") if is_api else problem("not_found")
