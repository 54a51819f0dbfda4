"""The paths of all pages.

The Functions host reserves every route that begins with `admin` or `runtime` (ScriptHost.ValidateHttpFunction), hence
/approval and /operator.
"""

HOME = "/"
SIGN_IN = "/sign-in"
SIGN_IN_FOR_SESSION = "/sign-in?to=my-sync"
"""Opens only a session: asks for no permission and connects nothing."""
SIGN_IN_FOR_OPERATOR = "/sign-in?to=operator"
SIGN_IN_TO_ACTIVATE = "/sign-in?to=activate"
SIGN_IN_CALLBACK = "/sign-in/callback"
SIGN_OUT = "/sign-out"
INVITATION = "/invitation"
"""Followed by /{token}."""
APPROVAL = "/approval"
"""Where an administrator approves the app for everyone; redirects to Microsoft's admin consent page."""
APPROVAL_CALLBACK = "/approval/callback"
MY_SYNC = "/my-sync"
"""Also /my-sync/{action}: see shared.pages.my_sync."""
PROGRESS = "/my-sync/progress"
OPERATOR = "/operator"
ACTIVATE = "/operator/activate"
"""The page that activates lists of mailboxes and lists the service accounts."""
MAILBOXES = "/operator/mailboxes"
"""Also /operator/mailboxes/{id}, and /operator/mailboxes/{id}/{action}."""
INVITATIONS = "/operator/invitations"
GROUPS = "/operator/groups"
"""Also /operator/groups/{name}: one group."""
JOBS = "/operator/jobs"
"""Also /operator/jobs/{id}: the progress of a bulk job."""
MOVES = "/operator/moves"
"""Also /operator/moves/{id}: one mailbox's parity report."""
WEBHOOKS = "/operator/webhooks"
"""Also /operator/webhooks/{id}, and /operator/webhooks/{id}/{action}."""
STATIC = "/static"
API = "/api/v1"
API_DESCRIPTION = "/api/openapi.json"
API_DOCS = "/api/docs"

RESERVED = (
    "api/(health|ready)",
    "approval|approval/(callback|waiting|for/.+)",
    "invitation/.+",
    "my-sync|my-sync/.+",
    "operator|operator/(groups|jobs|mailboxes|moves|webhooks)/.+",
    "operator/(activate|groups|invitations|jobs|mailboxes|moves|service-account|service-account/revoke|webhooks)",
    "sign-in|sign-in/callback",
    "sign-out",
    "static/.+",
)
"""Expressions for the paths of all routes; functions.landing.not_found answers every other path. They contain no braces
or brackets, because these have a special meaning in route templates."""
