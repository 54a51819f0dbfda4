"""Where the pages live: every path that a page links to, in one place.

The Functions host keeps every route that begins with `admin` or `runtime` for itself and refuses to map ours there
(ScriptHost.ValidateHttpFunction), hence /approval and /operator.
"""

HOME = "/"
SIGN_IN = "/sign-in"
SIGN_IN_FOR_SESSION = "/sign-in?to=my-sync"
"""A session alone: asks for no permission and connects nothing."""
SIGN_IN_FOR_OPERATOR = "/sign-in?to=operator"
SIGN_IN_TO_ACTIVATE = "/sign-in?to=activate"
SIGN_IN_CALLBACK = "/sign-in/callback"
SIGN_OUT = "/sign-out"
INVITATION = "/invitation"
"""Followed by /{token}."""
APPROVAL = "/approval"
"""Where an administrator approves for everyone; leads to Microsoft's admin consent page."""
APPROVAL_CALLBACK = "/approval/callback"
MY_SYNC = "/my-sync"
"""Also /my-sync/{action}: see shared.pages.my_sync."""
PROGRESS = "/my-sync/progress"
OPERATOR = "/operator"
ACTIVATE = "/operator/activate"
"""With the service accounts."""
STATIC = "/static"
HEALTH = "/health"

RESERVED = (
    "api/(activations|invitations|mailboxes|mailboxes/.+)",
    "api/service-accounts|api/service-accounts/.+/give-up",
    "approval|approval/(callback|waiting|for/.+)",
    "health",
    "invitation/.+",
    "my-sync|my-sync/.+",
    "operator|operator/(activate|service-account|service-account/give-up)",
    "sign-in|sign-in/callback",
    "sign-out",
    "static/.+",
)
"""The paths of all routes; any other path is answered by functions.landing.not_found. Route templates give braces and
brackets a meaning of their own, so these expressions do without."""
