"""Signs deliveries as Standard Webhooks specifies: https://www.standardwebhooks.com."""

import base64
import secrets
from datetime import datetime

from shared.version import VERSION
from shared.webhooks.model import SigningSecrets

SECRET_BYTES = 32
"""Standard Webhooks asks for 24 to 64 bytes."""


def new_secret() -> str:
    """A new signing secret in the form that receivers' libraries expect."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(signing: SigningSecrets, event_id: str, body: str, now: datetime) -> dict[str, str]:
    """The headers of a request: one signature for each valid secret, so that either verifies it."""
    from standardwebhooks import Webhook

    signatures = [Webhook(secret).sign(event_id, now, body) for secret in signing.valid(now)]
    return {
        "Content-Type": "application/json",
        "User-Agent": f"mailbox-sync/{VERSION}",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
