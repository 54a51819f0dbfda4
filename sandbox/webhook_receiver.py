"""A receiver of webhooks, as another program would run it: verifies each request and stores what arrived.

Each path is a receiver of its own: POST /{name}. The control port sets its secrets and reads what came.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError


@dataclass(slots=True)
class Receiver:
    """One receiver. Without secrets it verifies nothing; a request that none of them verifies is answered 401."""

    secrets: list[str] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)


class WebhookReceivers:
    """All receivers, by name. A receiver exists as soon as its path is asked for."""

    def __init__(self) -> None:
        self._receivers: defaultdict[str, Receiver] = defaultdict(Receiver)

    def application(self) -> web.Application:
        """The web application of the receivers."""
        application = web.Application()
        application.add_routes([web.post("/{name}", self._receive)])
        return application

    def control_routes(self) -> list[web.RouteDef]:
        """The routes of the control port."""
        return [web.get("/webhooks/{name}", self._shown), web.patch("/webhooks/{name}", self._change)]

    async def _receive(self, request: web.Request) -> web.Response:
        """Verify, store, and return the challenge of a verification."""
        receiver, body = self._receivers[request.match_info["name"]], await request.text()
        verified = any(_verifies(secret, body, dict(request.headers)) for secret in receiver.secrets)
        if receiver.secrets and not verified:
            return web.json_response({"error": "no secret verifies this"}, status=401)
        event = json.loads(body)
        receiver.received.append({"id": request.headers["webhook-id"], "verified": verified, "event": event})
        if event["type"] == "webhook.verification":
            return web.json_response({"challenge": event["data"]["challenge"]})
        return web.Response(status=204)

    async def _shown(self, request: web.Request) -> web.Response:
        return web.json_response({"received": self._receivers[request.match_info["name"]].received})

    async def _change(self, request: web.Request) -> web.Response:
        """Set the secrets: {"secrets": [..]}; forget what arrived with {"forget": true}."""
        receiver, changes = self._receivers[request.match_info["name"]], await request.json()
        receiver.secrets = [str(secret) for secret in changes.get("secrets", receiver.secrets)]
        if changes.get("forget"):
            receiver.received.clear()
        return web.json_response({"secrets": len(receiver.secrets)})


def _verifies(secret: str, body: str, headers: dict[str, str]) -> bool:
    try:
        Webhook(secret).verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):
        return False
    return True
