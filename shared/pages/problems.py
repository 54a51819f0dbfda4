"""The table of problems that have a page: the HTTP status and the button's target. The catalog has the texts."""

from dataclasses import dataclass

from shared.errors import Reason
from shared.pages import paths


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. `target` is the path of the page's only button; empty if there is no button."""

    code: str
    status: int
    target: str


_TABLE = [
    # signing in
    Problem("flow_unknown", 400, paths.SIGN_IN),
    Problem("flow_expired", 400, paths.SIGN_IN),
    Problem("flow_replayed", 400, paths.SIGN_IN),
    Problem("other_browser", 400, paths.SIGN_IN),
    Problem("declined", 403, paths.SIGN_IN),
    Problem("sign_in_failed", 403, paths.SIGN_IN),
    Problem("wrong_account", 403, paths.SIGN_IN),
    Problem("personal_account", 403, paths.SIGN_IN),
    Problem("tenant_not_allowed", 403, paths.SIGN_IN),
    Problem("synced_by_organization", 409, paths.SIGN_IN),
    Problem("invitation_invalid", 404, ""),
    Problem("invitation_used", 410, paths.MY_SYNC),
    Problem("invitation_expired", 410, ""),
    Problem("approval_declined", 403, paths.APPROVAL),
    Problem("approval_failed", 502, paths.APPROVAL),
    # a person's or an operator's session
    Problem("session_expired", 401, paths.SIGN_IN_FOR_SESSION),
    Problem("operator_session_expired", 401, paths.SIGN_IN_FOR_OPERATOR),
    Problem("not_operator", 403, paths.MY_SYNC),
    Problem("forbidden", 403, paths.MY_SYNC),
    Problem("too_soon", 429, paths.MY_SYNC),
    Problem("not_while_stopped", 409, paths.MY_SYNC),
    Problem("already_connected", 409, paths.MY_SYNC),
    Problem("still_under_way", 409, paths.MY_SYNC),
    Problem("on_hold", 409, paths.MY_SYNC),
    Problem("erasure_begun", 409, paths.MY_SYNC),
    Problem("still_in_use", 409, paths.ACTIVATE),
    Problem("group_in_use", 409, paths.GROUPS),
    # one name of a list to activate: shown beside it
    Problem("unknown_name", 404, ""),
    Problem("ambiguous_name", 409, ""),
    Problem("disconnected_copy", 409, ""),
    # the request itself
    Problem("unauthenticated", 401, ""),
    Problem("role_missing", 403, ""),
    Problem("position_expired", 410, ""),
    Problem("idempotency_key_reused", 422, ""),
    Problem("idempotency_key_in_use", 409, ""),
    Problem("return_url_not_allowed", 400, ""),
    Problem("no_parity_report", 404, ""),
    Problem("parity_report_pending", 404, ""),
    Problem("webhook_exists", 409, ""),
    Problem("too_many_webhooks", 409, ""),
    Problem("too_many_requests", 429, ""),
    Problem("not_found", 404, paths.HOME),
    Problem("method_not_allowed", 405, paths.HOME),
    Problem("too_large", 413, paths.HOME),
    Problem("range_not_satisfiable", 416, ""),
    Problem("malformed", 400, paths.HOME),
    Problem("internal", 500, paths.HOME),
    Problem("not_now", 503, paths.MY_SYNC),
    # retried by us
    Problem(Reason.THROTTLED, 503, paths.MY_SYNC),
    Problem(Reason.UNAVAILABLE, 503, paths.MY_SYNC),
    Problem(Reason.TIMED_OUT, 504, paths.MY_SYNC),
    Problem(Reason.BAD_ANSWER, 502, paths.MY_SYNC),
    Problem(Reason.CONFLICT, 409, paths.MY_SYNC),
    # the person
    Problem(Reason.TOKEN_REJECTED, 403, paths.SIGN_IN),
    Problem(Reason.GRANT_REVOKED, 403, paths.SIGN_IN),
    Problem(Reason.GRANT_EXPIRED, 403, paths.SIGN_IN),
    Problem(Reason.INTERACTION_REQUIRED, 403, paths.SIGN_IN),
    Problem(Reason.CONSENT_REQUIRED, 403, paths.SIGN_IN),
    Problem(Reason.ACCOUNT_DISABLED, 403, paths.SIGN_IN),
    # their administrator
    Problem(Reason.ADMIN_CONSENT_REQUIRED, 403, paths.SIGN_IN),
    Problem(Reason.CONDITIONAL_ACCESS, 403, paths.SIGN_IN),
    Problem(Reason.EWS_BLOCKED, 403, paths.MY_SYNC),
    Problem(Reason.NOT_ASSIGNED, 403, paths.SIGN_IN),
    Problem(Reason.APP_NOT_IN_TENANT, 403, paths.APPROVAL),
    Problem(Reason.NO_MAILBOX, 403, paths.SIGN_IN),
    Problem(Reason.NO_LICENSE, 403, paths.SIGN_IN),
    Problem(Reason.ACCESS_DENIED, 403, paths.SIGN_IN),
    Problem(Reason.IMPERSONATION_DENIED, 403, ""),
    # us
    Problem(Reason.OUR_CREDENTIAL, 503, paths.HOME),
    Problem(Reason.OUR_CONFIGURATION, 503, paths.HOME),
    Problem(Reason.OUR_STORAGE, 503, paths.HOME),
    # one item: never a page of its own, shown in the list of issues
    Problem(Reason.ITEM_GONE, 404, paths.MY_SYNC),
    Problem(Reason.ITEM_CORRUPT, 422, paths.MY_SYNC),
    Problem(Reason.ITEM_TOO_LARGE, 422, paths.MY_SYNC),
    Problem(Reason.ITEM_REFUSED, 422, paths.MY_SYNC),
    Problem(Reason.ITEM_UNREADABLE, 422, paths.MY_SYNC),
]

PROBLEMS = {str(problem.code): problem for problem in _TABLE}


def problem_of(code: str) -> Problem:
    """Return the problem with this code; `internal` for an unknown code, so that there is always a page."""
    return PROBLEMS.get(str(code), PROBLEMS["internal"])
