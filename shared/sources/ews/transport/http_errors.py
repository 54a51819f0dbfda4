"""Maps exceptions of the HTTP libraries to transport faults."""

import ssl

import requests
import urllib3

from shared.sources.ews.faults.rules import Fault


def fault_in(exc: BaseException) -> Fault:
    """The transport fault for an exception of requests, urllib3 or the socket."""
    if _caused_by(exc, ssl.SSLCertVerificationError) or isinstance(exc, FileNotFoundError):
        return Fault.CERTIFICATE
    if isinstance(exc, (requests.ConnectTimeout, urllib3.exceptions.NewConnectionError)):
        return Fault.CONNECT
    if isinstance(exc, (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)):
        return Fault.DRIP if _caused_by(exc, TimeoutError, "time is up") else Fault.SILENCE
    if isinstance(exc, (urllib3.exceptions.IncompleteRead, urllib3.exceptions.DecodeError)):
        return Fault.CUT
    if _caused_by(exc, urllib3.exceptions.IncompleteRead) or isinstance(exc, urllib3.exceptions.ProtocolError):
        return Fault.CUT
    return Fault.CONNECT if _caused_by(exc, urllib3.exceptions.NewConnectionError) else Fault.RESET


def _caused_by(exc: BaseException, kind: type[BaseException], text: str = "") -> bool:
    """Whether an exception of this kind is among the causes; the libraries also pass causes on as arguments."""
    waiting: list[BaseException] = [exc]
    seen: set[int] = set()
    while waiting and len(seen) < 50:
        current = waiting.pop(0)
        if isinstance(current, kind) and text in str(current):
            return True
        seen.add(id(current))
        inner = (current.__cause__, current.__context__, getattr(current, "reason", None), *current.args)
        waiting += [error for error in inner if isinstance(error, BaseException) and id(error) not in seen]
    return False


def redacted(exc: BaseException) -> Exception:
    """The exception's type name only: its text may quote an address or a URL."""
    return ConnectionError(type(exc).__name__)
