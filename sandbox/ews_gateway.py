"""A gateway to a real Exchange that accepts only Basic authentication: it accepts the sandbox's tokens in its place.

The app supports OAuth only; many servers, test servers above all, support only Basic. The gateway checks the token as
Exchange Online would and forwards the request with that person's address and password.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from sandbox.people.directory import Directory
from sandbox.storage.storage_proxy import forward

PATH = "/EWS/Exchange.asmx"


class EwsGateway:
    """Takes the place of Exchange and forwards requests to the server at a URL."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, directory: Directory, verify: Callable[[str], Mapping[str, Any]]
    ) -> None:
        self._session = session
        self._url = url
        self._directory = directory
        self._verify = verify

    def application(self) -> web.Application:
        """The web application of the gateway."""
        application = web.Application(client_max_size=1 << 28)
        application.add_routes([web.post(PATH, self._pass)])
        return application

    async def _pass(self, request: web.Request) -> web.Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            claims = self._verify(token if scheme == "Bearer" else "")
        except ValueError:
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        person = self._directory.person(str(claims.get("oid", "")))
        if person is None:
            return web.Response(status=403)
        basic = base64.b64encode(f"{person.address}:{person.password}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Host": URL(self._url).authority}
        return await forward(self._session, request, self._url, headers)
