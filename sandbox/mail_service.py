"""Azure Communication Services' e-mail, as far as the app uses it: accepts mail and shows what was sent.

https://learn.microsoft.com/rest/api/communication/email/email/send
"""

import html
from typing import Any

from aiohttp import web

from sandbox.entra.issuer import Issuer

RESOURCE = "https://communication.azure.com"
"""The audience of its tokens."""


class MailService:
    """One resource. Mail is kept by its operation id: a repeated request is the same mail."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self.mails: dict[str, dict[str, Any]] = {}

    def application(self) -> web.Application:
        """The web application: the service's own route, and a page for people."""
        application = web.Application()
        application.add_routes([web.post("/emails:send", self._send), web.get("/", self._page)])
        return application

    def control_routes(self) -> list[web.RouteDef]:
        """The routes of the control port."""
        return [web.get("/mails", self._shown), web.delete("/mails", self._clear)]

    async def _send(self, request: web.Request) -> web.Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            if scheme != "Bearer":
                raise ValueError("no bearer token")
            self._issuer.verify(token, RESOURCE)
        except ValueError as exc:
            return _error(401, "Unauthorized", str(exc))
        operation = request.headers.get("Operation-Id", "")
        body = await request.json()
        problem = _problem(body)
        if not request.query.get("api-version") or not operation or problem:
            return _error(400, "BadRequest", problem or "api-version or Operation-Id is missing")
        self.mails.setdefault(
            operation,
            {
                "id": operation,
                "from": body["senderAddress"],
                "to": [one["address"] for one in body["recipients"]["to"]],
                "subject": body["content"]["subject"],
                "text": body["content"]["plainText"],
            },
        )
        location = f"{request.url.origin()}/emails/operations/{operation}?api-version={request.query['api-version']}"
        return web.json_response(
            {"id": operation, "status": "Running"}, status=202, headers={"Operation-Location": location}
        )

    async def _shown(self, _: web.Request) -> web.Response:
        return web.json_response({"mails": list(self.mails.values())})

    async def _clear(self, _: web.Request) -> web.Response:
        self.mails.clear()
        return web.json_response({})

    async def _page(self, _: web.Request) -> web.Response:
        shown = "".join(
            f"<article><h2>{html.escape(mail['subject'])}</h2><p>{html.escape(', '.join(mail['to']))}</p>"
            f"<pre>{html.escape(mail['text'])}</pre></article>"
            for mail in reversed(self.mails.values())
        )
        page = (
            f"<!doctype html><html lang=en><title>Sent mail</title><h1>Sent mail</h1>{shown or '<p>None.</p>'}</html>"
        )
        return web.Response(text=page, content_type="text/html")


def _problem(body: Any) -> str:
    """What is wrong with a request; empty: nothing."""
    try:
        content = body["content"]
        addresses = [one["address"] for one in body["recipients"]["to"]]
        whole = bool(body["senderAddress"] and content["subject"] and content["plainText"] and addresses)
    except (KeyError, TypeError):
        return "a member is missing"
    return "" if whole and all("@" in address for address in addresses) else "a member is empty or no address"


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)
