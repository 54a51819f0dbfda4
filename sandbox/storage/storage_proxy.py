"""A proxy in front of Azurite, so that faults reach Storage too, and helpers that forward a request unchanged."""

from collections.abc import Mapping

import aiohttp
from aiohttp import web
from yarl import URL

_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding")
)
_LARGEST_BYTES = 1 << 30


class StorageProxy:
    """Forwards everything to one of Azurite's services. `upstream` is its address without a path."""

    def __init__(self, session: aiohttp.ClientSession, upstream: str) -> None:
        self._session = session
        self._upstream = upstream

    def application(self) -> web.Application:
        """The web application of the proxy."""
        application = web.Application(client_max_size=_LARGEST_BYTES)
        application.router.add_route("*", "/{path:.*}", self._pass)
        return application

    async def _pass(self, request: web.Request) -> web.Response:
        return await forward(self._session, request, self._upstream + request.raw_path, {})


async def forward(
    session: aiohttp.ClientSession, request: web.Request, url: str, instead: Mapping[str, str]
) -> web.Response:
    """Send a request on to a URL with some of its headers replaced, and return the response."""
    replaced = {name.lower() for name in instead}
    headers = [(k, v) for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP | replaced]
    headers += list(instead.items())
    body = await request.read()
    try:
        # Keep the original encoding: a URL library might write a blob's name another way.
        async with session.request(
            request.method,
            URL(url, encoded=True),
            headers=headers,
            data=body or None,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            allow_redirects=False,
        ) as answer:
            content = await answer.read()
            response = web.Response(status=answer.status, reason=answer.reason, body=content)
            response.headers.clear()
            response.headers.extend([(k, v) for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP])
            return response
    except (aiohttp.ClientError, TimeoutError) as exc:
        return web.Response(status=502, text=f"the server behind this proxy failed: {type(exc).__name__}")


def session_to(tls: object) -> aiohttp.ClientSession:
    """An HTTP client for an upstream server. Bodies pass unchanged, compressed or not."""
    # Node closes idle connections after five seconds; close them sooner, or a request may hit a closed one.
    connector = aiohttp.TCPConnector(limit=200, keepalive_timeout=2, ssl=tls)  # type: ignore[arg-type]
    return aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=300),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


async def operation_of(request: web.Request) -> str:
    """The name of a Storage operation: the method and the container, queue or table."""
    parts = request.path.strip("/").split("/")
    return f"{request.method} {parts[1].partition('(')[0] if len(parts) > 1 else ''}".strip()
