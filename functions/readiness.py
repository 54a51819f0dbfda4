"""The readiness check for operators and for the programs that watch the app."""

from dataclasses import asdict

import azure.functions as func

from functions.api.caller import caller_of
from functions.http.handler import ALL_METHODS, http_handler
from functions.http.parameters import refuse_unknown
from functions.http.responses import json
from shared.app import app
from shared.version import VERSION

blueprint = func.Blueprint()


@blueprint.route(route="api/ready", methods=ALL_METHODS)
@http_handler("GET", api=True)
def ready(request: func.HttpRequest) -> func.HttpResponse:
    """Report each dependency with its latency; 503 if one is not in order. For the roles Operator and Operator.Read."""
    from shared.api.access import STATE_READERS

    caller_of(request, STATE_READERS).require(STATE_READERS)
    refuse_unknown(request.params, ())
    found = app().readiness.check()
    body = {
        "status": "ready" if found.is_ready else "not_ready",
        "version": VERSION,
        "checked_at": found.checked_at.isoformat(),
        "dependencies": [asdict(dependency) for dependency in found.dependencies],
    }
    return json(body, 200 if found.is_ready else 503)
