"""Azurite's own rate of queue messages: ready-made requests, several in flight on each of several connections."""

import base64
import json
import os
import ssl
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from shared.mailboxes.queue import MAILBOXES
from shared.scheduling.dispatch import SENDERS
from shared.storage.https_connection import HttpsConnection
from tests.bench.storage import LocalCredential

CONNECTIONS = 8
IN_FLIGHT = SENDERS
"""Requests in flight on each connection: as many together as a worker's eight shards have."""


def sends_per_second(queue_url: str, number: int) -> float:
    """Send so many messages like those of the dispatch; how many Azurite takes per second."""
    requests = [_request(queue_url, index) for index in range(number)]
    shares = [requests[first::CONNECTIONS] for first in range(CONNECTIONS)]
    began = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(lambda share: _send(queue_url, share), shares))
    return number / (time.perf_counter() - began)


def _request(queue_url: str, index: int) -> bytes:
    """One whole request."""
    where = urlsplit(queue_url)
    message = {"mailbox": f"{index:08d}-{uuid.uuid4().hex[:12]}", "scheduled": 1_800_000_000}
    text = base64.b64encode(json.dumps(message, separators=(",", ":")).encode()).decode()
    body = f"<QueueMessage><MessageText>{text}</MessageText></QueueMessage>"
    return (
        f"POST {where.path.rstrip('/')}/{MAILBOXES}/messages?visibilitytimeout={index % 1440} HTTP/1.1\r\n"
        f"Host: {where.netloc}\r\nAuthorization: Bearer {_TOKEN}\r\nx-ms-version: 2023-11-03\r\n"
        f"Content-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def _send(queue_url: str, requests: list[bytes]) -> None:
    """Send the requests over one connection."""
    where = urlsplit(queue_url)
    bundle = os.environ["REQUESTS_CA_BUNDLE"]  # noqa: TID251 -- set by the environment of the benchmark
    connection = HttpsConnection(where.hostname or "", where.port or 443, ssl.create_default_context(cafile=bundle))
    for number, request in enumerate(requests):
        connection.send(request)
        if number >= IN_FLIGHT - 1:
            _receive(connection)
    for _ in range(min(len(requests), IN_FLIGHT - 1)):
        _receive(connection)
    connection.close()


def _receive(connection: HttpsConnection) -> None:
    response = connection.receive()
    if response.status_code != 201:
        raise RuntimeError(f"Azurite answered {response.status_code}")


_TOKEN = LocalCredential().get_token().token
