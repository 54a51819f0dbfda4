"""What can go wrong with each service that a pass needs, and what the pass has to make of it: who acts next."""

from collections.abc import Mapping
from typing import Any

from tests.e2e.fault_bench import After, Trouble

Fault = Mapping[str, Any]


def status(number: int, body: object = "", **headers: str) -> Fault:
    """A status with a body, and headers named with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"kind": "status", "status": number, "headers": named, "body": body}


def busy(number: int, back_off_ms: int | None = None) -> Fault:
    """ErrorServerBusy with this HTTP status."""
    return {"kind": "ews", "code": "ErrorServerBusy", "status": number, "back_off_ms": back_off_ms}


def as_xml(body: str) -> Fault:
    """Another body than the right one, called XML."""
    return {"kind": "content_type", "value": "text/xml; charset=utf-8", "body": body}


def refused(error: str, number: int) -> Fault:
    """An OAuth refusal."""
    said = {"error": error, "error_description": f"AADSTS{number}: refused.", "error_codes": [number]}
    return status(401 if error == "invalid_client" else 400, said)


def missing(code: str) -> Fault:
    """A 404 of Storage's, with its code."""
    return status(404, {"odata.error": {"code": code, "message": {"value": "not found"}}}, x_ms_error_code=code)


# ---------------------------------------------------------------- who acts next

HEALS = After(outcome="done")
"""Nobody: the pass itself gets over it."""

REDELIVERED = After(raised="RetryLater")
"""Nobody: it fell out before or after the pass, so that the queue brings the same message again."""

NOT_TAKEN = After(outcome="token_rejected", reason="token_rejected", failures=1, rejections=1)
"""The person, perhaps: the mail server did not take the token. It counts, and asks nobody yet."""

BLOCKED = After(outcome="ews_blocked", status="needs_admin", reason="ews_blocked", failures=1)
"""Their administrator; never the person."""

SIGN_IN = After(outcome="grant_revoked", status="needs_sign_in", reason="grant_revoked", failures=1, rejections=1)
"""The person, at once: whoever gave the access has said that it is over."""

BAD_ANSWER = After(outcome="bad_answer", reason="bad_answer", failures=1, delay=30)
"""Nobody yet; a mailbox that is answered so for ever is suspended in the end."""


def later(reason: str, delay: int = 30) -> After:
    """Nobody: an outage counts against nothing, and the message comes again after the delay."""
    return After(outcome=reason, reason=reason, delay=delay)


def ours(reason: str) -> After:
    """We ourselves: the alarm sees it, the queue redelivers, the mailbox learns nothing of it."""
    return After(raised="OperatorMustAct", outcome=reason)


# ---------------------------------------------------------------- Exchange

RESET: Fault = {"kind": "reset"}
CUT: Fault = {"kind": "cut"}
SILENCE: Fault = {"kind": "silence", "seconds": 2.5}
PORTAL: Fault = {"kind": "content_type", "value": "text/html", "body": "<html>Sign in to the network</html>"}
HALF_AN_ENVELOPE = '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Bo'
MISMATCHED = '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><a></b></s:Envelope>'

EXCHANGE_OPERATIONS = ("FindFolder", "SyncFolderItems", "GetItem")

EXCHANGE: dict[str, tuple[Fault, After]] = {
    "401": (status(401), NOT_TAKEN),
    "token expired, and the renewed one too": ({"kind": "expired_token"}, NOT_TAKEN),
    "403": (status(403), BLOCKED),
    "404": (status(404), ours("our_configuration")),
    "409": (status(409), later("unavailable")),
    "412": (status(412), later("unavailable")),
    "429 with Retry-After": (status(429, Retry_After="90"), later("throttled", 90)),
    "500": (status(500), later("unavailable")),
    "503": (status(503), later("unavailable")),
    "503 with Retry-After": (status(503, Retry_After="45"), later("unavailable", 45)),
    "busy within a 200": (busy(200), later("throttled")),
    "busy within a 200, with a back-off": (busy(200, 60_000), later("throttled", 60)),
    "busy as a 500, with a back-off": (busy(500, 60_000), later("throttled", 60)),
    "busy as a 503": (busy(503), later("throttled")),
    "truncated XML": (as_xml(HALF_AN_ENVELOPE), BAD_ANSWER),
    "malformed XML": (as_xml(MISMATCHED), BAD_ANSWER),
    "half of the answer, then rubbish": ({"kind": "malformed_xml"}, BAD_ANSWER),
    "body cut in mid-stream": (CUT, BAD_ANSWER),
    "wrong content type": ({"kind": "content_type", "value": "text/html"}, BAD_ANSWER),
    "a captive portal": (PORTAL, BAD_ANSWER),
    "entity-expansion bomb": ({"kind": "entity_bomb"}, BAD_ANSWER),
    "external entity": ({"kind": "external_entity"}, BAD_ANSWER),
    "reset": (RESET, later("unavailable")),
    "silence": (SILENCE, later("timed_out")),
    "slow drip": ({"kind": "drip", "bytes": 40, "seconds": 0.5}, later("timed_out")),
}

# ---------------------------------------------------------------- Entra ID and Key Vault

ENTRA: dict[str, tuple[Fault, After]] = {
    "401 without a word": (status(401), later("unavailable")),
    "our credential refused": (refused("invalid_client", 7000222), ours("our_credential")),
    "403": (status(403), later("unavailable")),
    "404": (status(404), later("unavailable")),
    "409": (status(409), later("unavailable")),
    "412": (status(412), later("unavailable")),
    "429 with Retry-After": (status(429, Retry_After="90"), later("throttled", 90)),
    "500": (status(500), later("unavailable")),
    "503": (status(503), later("unavailable")),
    "503 with Retry-After": (status(503, Retry_After="45"), later("unavailable", 45)),
    "busy, in OAuth's words": (refused("temporarily_unavailable", 90033), later("unavailable")),
    "grant revoked": (refused("invalid_grant", 50173), SIGN_IN),
    "body cut in mid-stream": (CUT, later("unavailable")),
    "a captive portal": (PORTAL, later("unavailable")),
    "wrong content type": ({"kind": "content_type", "value": "text/html"}, HEALS),
    "reset": (RESET, later("unavailable")),
    "silence": (SILENCE, later("unavailable")),
    "slow drip": ({"kind": "drip", "bytes": 500, "seconds": 0.05}, HEALS),
}

_NO_SECRET = {"error": {"code": "SecretNotFound", "message": "not found"}}

KEY_VAULT: dict[str, tuple[Fault, After]] = {
    "401": (status(401), ours("our_credential")),
    "403": (status(403), ours("our_storage")),
    "404 of somebody else's": (status(404), ours("our_storage")),
    "404, and the vault means it": (status(404, _NO_SECRET), SIGN_IN),
    "409": (status(409), later("conflict")),
    "412": (status(412), later("conflict")),
    "429 with Retry-After": (status(429, Retry_After="90"), later("throttled", 90)),
    "500": (status(500), later("unavailable")),
    "503 with Retry-After": (status(503, Retry_After="45"), later("unavailable", 45)),
    "body cut in mid-stream": (CUT, later("unavailable")),
    "a captive portal": (PORTAL, later("unavailable")),
    "reset": (RESET, later("unavailable")),
    "slow drip": ({"kind": "drip", "bytes": 100, "seconds": 0.05}, HEALS),
}

# ---------------------------------------------------------------- Storage

WITHIN_A_PASS = (
    ("blob", "GET cursors"),
    ("blob", "PUT packs"),
    ("blob", "PUT feed"),
    ("blob", "PUT cursors"),
    ("table", "GET items"),
    ("table", r"POST \$batch"),
)
"""What a pass asks of Storage, so that the pass's end can tell of it."""

BESIDE_A_PASS = (
    ("blob", "PUT leases"),
    ("table", "GET mailboxes"),
    ("table", "PUT mailboxes"),
    ("table", "PUT runs"),
)
"""What is asked before and after it; only the queue can bring the message again."""

STORAGE: dict[str, tuple[Fault, After]] = {
    "401": (status(401), ours("our_storage")),
    "403": (status(403), ours("our_storage")),
    "409": (status(409), later("conflict")),
    "412": (status(412), later("conflict")),
    "429 with Retry-After": (status(429, Retry_After="90"), later("throttled", 90)),
    "500": (status(500), later("unavailable")),
    "503": (status(503), later("unavailable")),
    "503 with Retry-After": (status(503, Retry_After="45"), later("unavailable", 45)),
    "reset": (RESET, later("unavailable")),
    "a captive portal": (PORTAL, later("unavailable")),
    "404 of somebody else's": (status(404), ours("our_storage")),
}

BESIDE: dict[str, Fault] = {
    "429 with Retry-After": status(429, Retry_After="90"),
    "500": status(500),
    "503 with Retry-After": status(503, Retry_After="45"),
    "reset": RESET,
}

LOST = {**RESET, "handled": True}
"""The request takes effect, and its answer is lost."""

SAMPLES: dict[str, Trouble] = {
    "Exchange asks for patience": Trouble("exchange", "FindFolder", status(503, Retry_After="45")),
    "a page of changes cut": Trouble("exchange", "SyncFolderItems", CUT, skip=1),
    "token expired between two pages": Trouble("exchange", "SyncFolderItems", {"kind": "expired_token"}, skip=1),
    "items not given": Trouble("exchange", "GetItem", busy(200, 60_000)),
    "items reset": Trouble("exchange", "GetItem", RESET),
    "Entra ID ill": Trouble("entra", "token refresh_token", status(503)),
    "the vault throttled": Trouble("key_vault", "GET secret", status(429, Retry_After="90")),
    "a pack not taken": Trouble("blob", "PUT packs", status(503)),
    "the feed's answer lost": Trouble("blob", "PUT feed", LOST),
    "the rows' answer lost": Trouble("table", r"POST \$batch", LOST),
    "the cursor changed by another": Trouble("blob", "PUT cursors", status(412)),
    "the registry reset": Trouble("table", "PUT mailboxes", RESET),
}
"""One trouble of each sort, for what happens when two come together. Each strikes twice."""
