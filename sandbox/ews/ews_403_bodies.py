"""The 403 answers with which Exchange Online refuses EWS. The wording is ours: Microsoft's is not public."""

EWS_403_BODIES: dict[str, tuple[str, dict[str, str]]] = {
    "tenant_off": ("Exchange Web Services is disabled for this organization (EwsEnabled is false).", {}),
    "app_not_listed": ("The application is not allowed: it is not on the organization's EwsAllowedAppIDs list.", {}),
    "mailbox_off": ("Exchange Web Services is disabled for this mailbox.", {}),
    "licence": ("The user's license does not include Exchange Web Services.", {}),
    "conditional_access": ("Access was blocked by a conditional access policy.", {}),
    "access_denied": ("Access is denied. Check credentials and try again.", {}),
    "unsaid": ("", {}),
}
"""The body and headers of each variant."""
