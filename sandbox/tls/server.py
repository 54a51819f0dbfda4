"""HTTPS servers on 127.0.0.1. Ports are bound before the services exist, so that services can refer to one another."""

import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True)
class BoundPort:
    """A bound port on which nothing listens yet."""

    socket: socket.socket
    port: int

    @property
    def url(self) -> str:
        """The service's address."""
        return f"https://127.0.0.1:{self.port}"


def bind(port: int = 0) -> BoundPort:
    """Bind a port on the loopback interface; 0 lets the system choose.

    Raises:
        OSError: the port is already in use.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
    except OSError:
        sock.close()
        raise
    return BoundPort(sock, sock.getsockname()[1])


LONGEST_LINE = 512 * 1024
"""Bytes of a request's first line, or of a header. Delta links name what a round has given, item by item."""


@asynccontextmanager
async def serving(services: Sequence[tuple[BoundPort, web.Application]], tls: ssl.SSLContext) -> AsyncIterator[None]:
    """Serve every application on its port until the block ends; requests in progress are then cut off."""
    runners: list[web.AppRunner] = []
    try:
        for bound, application in services:
            # Cancel a handler when its client disconnects: a silent or dripping answer must not outlive its client.
            runner = web.AppRunner(
                application,
                access_log=None,
                handler_cancellation=True,
                shutdown_timeout=1,
                max_line_size=LONGEST_LINE,
            )
            await runner.setup()
            runners.append(runner)
            await web.SockSite(runner, bound.socket, ssl_context=tls, backlog=512).start()
        yield
    finally:
        for runner in runners:
            await runner.cleanup()
