"""The answer to a challenge: whether an endpoint has proved that it wants events."""

import hmac
import json
from contextlib import suppress


def returns_challenge(body: bytes, challenge: str) -> bool:
    """Whether an answer returns the challenge: as its whole text, or as the member `challenge` of a JSON object.

    A text decoded from JSON can hold a lone surrogate, which has no encoding and is replaced.
    """
    text = body.decode("utf-8", "replace").strip()
    with suppress(ValueError):
        decoded = json.loads(text)
        text = str(decoded.get("challenge", "")) if isinstance(decoded, dict) else text
    return hmac.compare_digest(text.encode("utf-8", "replace"), challenge.encode())
