"""TLS connections whose reads keep to a bound on the whole request, so that a slow drip ends as a silence does.

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


class _Bound(threading.local):
    ends_at: float | None = None


_bound = _Bound()


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Within this block, reading from one of these connections fails with TimeoutError once the time is up."""
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
        except TimeoutError:
            raise TimeoutError("the request's time is up") from None
        finally:
            self.settimeout(patience)


@functools.cache
def tls_context(bundle: str) -> ssl.SSLContext:
    """One context for all mailboxes: loading the certificates costs more than an idle mailbox's whole pass."""
    context = ssl.create_default_context(cafile=bundle)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _BoundSocket
    return context
