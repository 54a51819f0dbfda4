"""A bound on a whole request: every byte received counts against it, so that a slow drip ends as a silence does.

A read time-out alone bounds only the pause between two bytes. The bound is the thread's own, since a request is sent
and read by one thread; the socket class looks at it before every read.
"""

import functools
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from certifi import where
from requests.adapters import HTTPAdapter


class _Bound(threading.local):
    ends_at: float | None = None


_bound = _Bound()


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Within this block, reading from an Exchange connection fails with TimeoutError once the time is up."""
    _bound.ends_at = time.monotonic() + seconds
    try:
        yield
    finally:
        _bound.ends_at = None


class _BoundSocket(ssl.SSLSocket):
    """A TLS socket whose reads never wait past the thread's deadline."""

    def read(self, len: int = 1024, buffer: Any = None) -> Any:
        """As SSLSocket.read, within the time that is left."""
        if _bound.ends_at is None:
            return super().read(len, buffer)
        left = _bound.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request's time is up")
        patience = self.gettimeout()
        if patience is not None and patience <= left:
            return super().read(len, buffer)
        self.settimeout(left)
        try:
            return super().read(len, buffer)
        finally:
            self.settimeout(patience)


@functools.cache
def _context(bundle: str) -> ssl.SSLContext:
    """One context for all mailboxes: loading the certificates costs more than an idle mailbox's whole pass."""
    context = ssl.create_default_context(cafile=bundle)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _BoundSocket
    return context


class BoundAdapter(HTTPAdapter):
    """Connections that keep to the deadline and share one TLS context. Certificates are always checked."""

    def build_connection_pool_key_attributes(self, request: Any, verify: bool | str, cert: Any = None) -> Any:
        """Add our context to what tells one pool from another."""
        bundle = verify if isinstance(verify, str) else where()
        host, _ = super().build_connection_pool_key_attributes(request, True, cert)
        return host, {"ssl_context": _context(bundle), "cert_reqs": "CERT_REQUIRED"}

    def cert_verify(self, conn: Any, url: str, verify: bool | str, cert: Any) -> None:
        """Nothing to add: the context holds the certificates."""

    def close(self) -> None:
        """Close the connections now; urllib3 would leave them to the garbage collector."""
        for key in self.poolmanager.pools.keys():  # noqa: SIM118 -- cannot be iterated over
            pool = self.poolmanager.pools.get(key)
            if pool is not None:
                pool.close()
        super().close()
