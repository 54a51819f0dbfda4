"""The routes of an administrator's approval, and the page of a person who waits for it.

They are protected as a sign-in is: see sign_in.py.
"""

import azure.functions as func

from functions.http.browser_flows import WAITING, begin, check_return, redirect_to_provider
from functions.http.handler import ALL_METHODS, http_handler, note_refusal, read_cookie
from functions.http.responses import expired_cookie, html, problem
from shared.app import app
from shared.authorization.errors import SignInRefused
from shared.authorization.onboarding import authorize_redirect as starts

blueprint = func.Blueprint()

REFRESH_SECONDS = "60"


@blueprint.route(route="approval", methods=ALL_METHODS)
@http_handler("GET")
def approval(request: func.HttpRequest) -> func.HttpResponse:
    """Redirect an administrator to Microsoft's approval page."""
    begin(request)
    return redirect_to_provider(app().consent.start())


@blueprint.route(route="approval/for/{id}", methods=ALL_METHODS)
@http_handler("GET")
def approval_for(request: func.HttpRequest) -> func.HttpResponse:
    """The same for the link of a person who waits; their page shows when the approval was given."""
    begin(request)
    return redirect_to_provider(app().consent.start(request.route_params.get("id", "")))


@blueprint.route(route="approval/waiting", methods=ALL_METHODS)
@http_handler("GET")
def approval_waiting(request: func.HttpRequest) -> func.HttpResponse:
    """Show the page of a person who waits. It reloads by itself and says when the approval has been given."""
    check_return(request)
    waiting = app().consent.waiting(read_cookie(request, WAITING))
    if waiting.granted_at is not None:
        return html("admin_consented", waiting=0)
    return html(
        "need_admin_approval",
        headers={"Refresh": REFRESH_SECONDS},
        approval_url=app().consent.link(waiting),
        support=request.params.get("support", "") if _is_support(request.params.get("support", "")) else "",
    )


@blueprint.route(route="approval/callback", methods=ALL_METHODS)
@http_handler("GET")
def approval_callback(request: func.HttpRequest) -> func.HttpResponse:
    """Handle an administrator's return from Microsoft."""
    check_return(request)
    answer = dict(request.params)
    binding_name = starts.binding_cookie_name(answer.get("state", ""))
    unbind = [expired_cookie(binding_name, same_site="None")]
    try:
        waiting = app().consent.callback(answer, read_cookie(request, binding_name))
    except SignInRefused as refused:
        note_refusal(refused)
        return problem(refused.code, cookies=unbind, support=refused.support)
    return html("admin_consented", cookies=unbind, waiting=waiting)


def _is_support(text: str) -> bool:
    return text.startswith("AADSTS") and text[6:].isdigit() and len(text) < 20
