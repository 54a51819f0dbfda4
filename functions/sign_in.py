"""The routes of sign-in, invitations, and sign-out.

All of them are anonymous to the host, because a function key would use the parameter `code`, as OAuth's code does.
They are protected by the state, PKCE, and the cookie that binds a flow to its browser.
"""

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import azure.functions as func

from functions.http.browser_flows import (
    WAITING,
    WAITING_SECONDS,
    begin,
    check_return,
    check_start,
    redirect_to_provider,
)
from functions.http.handler import (
    ALL_METHODS,
    HttpError,
    http_handler,
    read_cookie,
    read_form,
    require_same_origin,
)
from functions.http.page_language import current_language
from functions.http.responses import cookie, expired_cookie, html, problem, redirect
from functions.http.session_auth import binding_cookie
from shared.app import app
from shared.authorization.errors import APPROVABLE, AccountRefused, FlowUnknown, InvitationRefused, SignInRefused
from shared.authorization.onboarding import authorize_redirect as starts
from shared.authorization.onboarding.sign_in_outcome import AFTER_APPROVAL, SignInFailed, SignInOutcome, SignInPurpose
from shared.authorization.sessions.sessions import COOKIE
from shared.errors import ActionNeeded, AdministratorMustAct, NotFound, OperatorMustAct, PersonMustSignIn, RetryLater
from shared.pages import mailbox_actions as pages
from shared.pages import paths
from shared.pages.problems import problem_of

blueprint = func.Blueprint()

OPERATORS_PAGES = {"operator": paths.OPERATOR, "activate": paths.ACTIVATE}
"""The operator's pages that `?to=` can name."""

_log = logging.getLogger(__name__)


@blueprint.route(route="sign-in", methods=ALL_METHODS)
@http_handler("GET")
def sign_in(request: func.HttpRequest) -> func.HttpResponse:
    """Start a sign-in. `to` only opens a page of ours, `invitation` accepts one, `choose` shows the account picker.

    Microsoft asks nothing of a person who has consented before, so a link on another site could connect them again
    without their knowledge. So a request from another site first gets the page whose button leads here.
    """
    begin(request)
    if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") and not _is_for_session_only(request):
        return redirect(_invitation_page(request.params.get("invitation", "")))
    return redirect_to_provider(_start_for(request))


@blueprint.route(route="sign-in/callback", methods=ALL_METHODS)
@http_handler("GET", "POST")
def sign_in_callback(request: func.HttpRequest) -> func.HttpResponse:
    """Handle the browser's return from Microsoft: by a posted form, or by a GET that carries only an error."""
    check_return(request)
    answer = read_form(request) if request.method == "POST" else _errors_only(request.params)
    binding_name = starts.binding_cookie_name(answer.get("state", ""))
    unbind = expired_cookie(binding_name, same_site="None")
    try:
        outcome = app().sign_in_callback.complete(
            answer, read_cookie(request, binding_name), language=current_language().language.value
        )
    except SignInFailed as failed:
        return _failure_page(failed, unbind)
    return _success_page(outcome, unbind)


@blueprint.route(route="invitation/{token}", methods=ALL_METHODS)
@http_handler("GET")
def invitation(request: func.HttpRequest) -> func.HttpResponse:
    """Show an invitation. Opening it does not use it up, because mail scanners follow links as well."""
    check_start(request)
    token = request.route_params.get("token", "")
    invited = app().invitations.open(token)
    summary = _summary_of_group(invited.group)
    return html(
        "invitation",
        address=invited.address,
        valid_until=invited.expires_at,
        target=f"{paths.SIGN_IN}?{urlencode({'invitation': token})}",
        has_summary=bool(summary),
        **summary,
    )


def _summary_of_group(name: str) -> dict[str, Any]:
    """What the settings of an invitation's group mean for privacy; empty without a group, or if it is gone."""
    from shared.pages.privacy_summary import privacy_summary

    if not name:
        return {}
    try:
        scope = app().group_commands.scope_of(name)
    except NotFound:
        return {}
    return privacy_summary(scope, app().settings.deleted_days, is_own=True)


@blueprint.route(route="sign-out", methods=ALL_METHODS)
@http_handler("POST")
def sign_out(request: func.HttpRequest) -> func.HttpResponse:
    """End the session for every copy of its cookie. A form of another site cannot do this."""
    require_same_origin(request)
    session = app().sessions.read(read_cookie(request, COOKIE))
    if session is not None:
        if not app().sessions.is_csrf_valid(session, read_form(request).get("csrf", "")):
            raise HttpError("forbidden", refusal="csrf")
        app().sessions.end(session)
    # The waiting cookie is deleted as well: the next person at this browser must not continue with it.
    return html("signed_out", cookies=[expired_cookie(COOKIE), expired_cookie(WAITING)])


def _start_for(request: func.HttpRequest) -> starts.AuthorizeRedirect:
    choose = request.params.get("choose") == "account"
    if request.params.get("invitation"):
        return app().sign_in.invited(request.params["invitation"], choose=choose)
    if _is_for_session_only(request):
        to = request.params["to"]
        return app().sign_in.view(to if to in OPERATORS_PAGES else "my-sync")
    waiting = read_cookie(request, WAITING)
    if waiting and not choose:
        try:
            session = app().sessions.read(read_cookie(request, COOKIE))
            return app().sign_in.resume(app().consent.waiting(waiting).resume, session)
        except (NotFound, InvitationRefused):
            # The cookie can outlive its purpose, or belong to another person. That must not prevent a sign-in.
            return app().sign_in.connect()
    return app().sign_in.connect(choose=choose)


def _is_for_session_only(request: func.HttpRequest) -> bool:
    """Whether this sign-in only opens a session. An invitation takes precedence over `to`."""
    return bool(request.params.get("to")) and not request.params.get("invitation")


def _invitation_page(invitation: str) -> str:
    return f"{paths.INVITATION}/{quote(invitation, safe='')}" if invitation else paths.HOME


def _errors_only(params: Mapping[str, str]) -> dict[str, str]:
    """Accept only an error in a URL. A code there is not redeemed, because histories and logs keep URLs."""
    if "code" in params or "error" not in params:
        raise FlowUnknown
    return dict(params)


def _success_page(outcome: SignInOutcome, unbind: str) -> func.HttpResponse:
    if outcome.purpose is SignInPurpose.SERVICE:
        return redirect(f"{paths.ACTIVATE}?authorization={outcome.authorization_id}", cookies=[unbind])
    session = cookie(COOKIE, outcome.session, max_age=app().sessions.max_age)
    if outcome.purpose is SignInPurpose.CONFIRM:
        page = f"{paths.MY_SYNC}/{pages.MailboxAction.ERASE}?{urlencode({'mailbox': outcome.intent['mailbox']})}"
        return redirect(page, cookies=[unbind, session])
    if outcome.purpose is SignInPurpose.VIEW:
        page = OPERATORS_PAGES.get(outcome.intent.get("to", ""), paths.MY_SYNC)
        # A person who only views a page keeps waiting, unless the approval that they waited for led here.
        waited = [expired_cookie(WAITING)] if AFTER_APPROVAL in outcome.intent else []
        return redirect(page, cookies=[unbind, session, *waited])
    cookies = [unbind, session, expired_cookie(WAITING)]
    if outcome.return_url:
        return redirect(outcome.return_url, cookies=cookies)
    return redirect(f"{paths.MY_SYNC}?done={'connected' if outcome.new else 'renewed'}", cookies=cookies)


def _failure_page(failed: SignInFailed, unbind: str) -> func.HttpResponse:
    """Return the response to a failed sign-in."""
    cause = failed.cause
    if failed.return_url:
        return redirect(failed.return_url, cookies=[unbind])
    if isinstance(cause, PersonMustSignIn) and cause.claims and "again" not in failed.intent:
        start = app().sign_in.challenged(failed.intent, cause.claims)
        return redirect(start.url, cookies=[unbind, binding_cookie(start)])
    if (
        isinstance(cause, ActionNeeded)
        and cause.reason in APPROVABLE
        and failed.intent.get("act") != SignInPurpose.SERVICE
    ):
        return _approval_page(cause, failed.intent, unbind)
    return _problem_page(cause, failed.intent, unbind)


def _approval_page(cause: ActionNeeded, intent: Mapping[str, str], unbind: str) -> func.HttpResponse:
    query = f"?{urlencode({'support': cause.support})}" if cause.support else ""
    waiting = cookie(WAITING, app().consent.wait(intent), max_age=WAITING_SECONDS)
    return redirect(f"{paths.APPROVAL}/waiting{query}", cookies=[unbind, waiting])


def _problem_page(cause: SignInRefused | ActionNeeded, intent: Mapping[str, str], unbind: str) -> func.HttpResponse:
    target = _retry_url(intent, choose=isinstance(cause, AccountRefused))
    if isinstance(cause, SignInRefused):
        # Another person waited in this browser, so their intent must not be resumed by each new sign-in.
        is_other_person = isinstance(cause, AccountRefused) and AFTER_APPROVAL in intent
        cookies = [unbind, *([expired_cookie(WAITING)] if is_other_person else [])]
        return problem(cause.code, cookies=cookies, support=cause.support, target=target, **cause.values)
    if isinstance(cause, RetryLater):
        # The problem's own page says that a pass is repeated automatically; a sign-in has to be started again.
        return problem(
            "not_now", problem_of(cause.reason).status, cookies=[unbind], support=cause.support, target=target
        )
    if isinstance(cause, OperatorMustAct):
        _log.error("sign-in failed", exc_info=cause)
    steps_for: dict[str, Any] = (
        {"client_id": app().settings.entra_client_id} if isinstance(cause, AdministratorMustAct) else {}
    )
    return problem(cause.reason, cookies=[unbind], support=cause.support, target=target, **steps_for)


def _retry_url(intent: Mapping[str, str], *, choose: bool) -> str:
    """Return where the problem page's button leads, to start the same purpose again."""
    if intent.get("act") in (SignInPurpose.RENEW, SignInPurpose.CHANGE, SignInPurpose.CONFIRM):
        return paths.MY_SYNC
    if intent.get("act") == SignInPurpose.SERVICE:
        return paths.ACTIVATE
    query = {"invitation": intent["token"]} if "token" in intent else {}
    query |= {"to": intent["to"]} if "to" in intent else {}
    query |= {"choose": "account"} if choose else {}
    return f"{paths.SIGN_IN}?{urlencode(query)}" if query else paths.SIGN_IN
