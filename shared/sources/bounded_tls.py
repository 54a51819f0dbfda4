"""TLS connections with a deadline for the whole request, so that a slow response times out just as a silent one does.

A read timeout alone limits only the pause between two bytes. The deadline is thread-local, since one thread sends a
request and reads its response; the socket class checks it before every read.
"""

import functools
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Deadline(threading.local):
    ends_at: float | None = None


_deadline = _Deadline()


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Limit the time of all reads in this block: after `seconds`, a read from these connections raises TimeoutError."""
    _deadline.ends_at = time.monotonic() + seconds
    try:
        yield
    finally:
        _deadline.ends_at = None


class _BoundSocket(ssl.SSLSocket):
    """A TLS socket whose reads never wait past the thread's deadline."""

    def read(self, len: int = 1024, buffer: Any = None) -> Any:
        """Read as SSLSocket.read does, within the time that is left."""
        if _deadline.ends_at is None:
            return super().read(len, buffer)
        left = _deadline.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request's time is up")
        socket_timeout = self.gettimeout()
        if socket_timeout is not None and socket_timeout <= left:
            return super().read(len, buffer)
        self.settimeout(left)
        try:
            return super().read(len, buffer)
        except TimeoutError:
            raise TimeoutError("the request's time is up") from None
        finally:
            self.settimeout(socket_timeout)


@functools.cache
def tls_context(bundle: str) -> ssl.SSLContext:
    """The TLS context that all mailboxes share: loading the certificates costs more than a pass of an idle mailbox."""
    context = ssl.create_default_context(cafile=bundle)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _BoundSocket
    return context
