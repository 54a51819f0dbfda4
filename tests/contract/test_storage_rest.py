"""Connections to Storage against a server that misbehaves: what is sent again, what is an error, and whose."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from azure.core.credentials import AccessToken

from sandbox.tls.authority import Authority
from shared.errors import OperatorMustAct, Reason, RetryLater
from shared.replica.blob import AzureBlobs
from shared.replica.storage_port import BlobInfo
from shared.storage.storage_rest import StorageRestClient
from tests.contract.rogue_server import CLOSE, RogueServer, http, rogue_server

OK = http(b"fine", ETag='"1"')
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n4;a=b\r\n, so\r\n0\r\n\r\n"


class CountingCredential:
    """Gives a new token, valid for an hour, at each request."""

    def __init__(self) -> None:
        self.given = 0

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        self.given += 1
        return AccessToken(f"token-{self.given}", 2**33)


@pytest.fixture
def server(authority: Authority, azure_environment: object) -> Iterator[RogueServer]:
    with rogue_server(authority) as running:
        yield running


@pytest.fixture
def client(server: RogueServer) -> Iterator[StorageRestClient]:
    made = StorageRestClient(server.url, CountingCredential(), {"x-ms-version": "2023-11-03"})
    yield made
    made.close()


def asked(client: StorageRestClient, method: str = "GET", *, repeatable: bool = False) -> bytes:
    body = None if method == "GET" else b"body"
    return client.send(method, "c/b", expect=(200,), headers={}, content=body, repeatable=repeatable).content


def test_requests_share_a_connection_and_a_token(server: RogueServer, client: StorageRestClient) -> None:
    server.answers(OK, CHUNKED, http(b"", 200), b"HTTP/1.1 100 Continue\r\n\r\n" + OK)
    assert [asked(client) for _ in range(4)] == [b"fine", b"fine, so", b"", b"fine"]
    assert server.connections == 1
    heads = [request.split(b"\r\n") for request in server.requests]
    assert all(head[0] == b"GET /EWS/Exchange.asmx/c/b HTTP/1.1" for head in heads)
    assert all(b"Authorization: Bearer token-1" in head for head in heads)


def test_a_connection_that_the_server_closed_meanwhile_is_replaced(
    server: RogueServer, client: StorageRestClient
) -> None:
    server.answers([OK, CLOSE], OK)
    assert (asked(client, "POST"), asked(client, "POST")) == (b"fine", b"fine")
    assert server.connections == 2


def test_a_response_without_a_length_ends_with_its_connection(server: RogueServer, client: StorageRestClient) -> None:
    server.answers([b"HTTP/1.1 200 OK\r\n\r\nall of it", CLOSE], [b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"])
    assert [asked(client) for _ in range(3)] == [b"all of it", b"ok", b"ok"]
    assert server.connections == 3


@pytest.mark.parametrize("broken", [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", b"", b"not HTTP\r\n\r\n"])
def test_a_read_is_repeated_and_a_write_that_may_have_worked_is_not(
    server: RogueServer, client: StorageRestClient, broken: bytes
) -> None:
    server.answers([broken, CLOSE], [broken, CLOSE], OK)
    assert asked(client) == b"fine"
    assert len(server.requests) == 3
    server.answers([broken, CLOSE], OK)
    with pytest.raises(RetryLater) as caught:
        asked(client, "POST")
    assert caught.value.reason is Reason.UNAVAILABLE
    server.answers([broken, CLOSE], OK)
    assert asked(client, "POST", repeatable=True) == b"fine"


def test_a_rejected_token_is_not_used_again(server: RogueServer, client: StorageRestClient) -> None:
    server.answers(http(b"", 401), OK)
    with pytest.raises(OperatorMustAct):
        asked(client)
    assert asked(client) == b"fine"
    assert b"Bearer token-2" in server.requests[1]


def listed(name: str, marker: str = "") -> bytes:
    """A response to List Blobs."""
    return http(
        f'<?xml version="1.0"?><EnumerationResults><Blobs><Blob><Name>{name}</Name><Properties>'
        "<Creation-Time>Mon, 23 Nov 2026 12:00:00 GMT</Creation-Time><Content-Length>7</Content-Length></Properties>"
        f"<Metadata><members>3</members></Metadata></Blob></Blobs><NextMarker>{marker}</NextMarker>"
        "</EnumerationResults>".encode()
    )


def test_a_listing_goes_through_all_responses(server: RogueServer) -> None:
    server.answers(listed("m/1", marker="2!m/2"), listed("m/2"))
    blobs = AzureBlobs(server.url, CountingCredential())
    found = list(blobs.list("packs", "m/"))
    blobs.close()
    assert found == [BlobInfo(name, 7, datetime(2026, 11, 23, 12, tzinfo=UTC), 3) for name in ("m/1", "m/2")]
    assert b"&marker=2%21m%2F2 " in server.requests[1]


def test_a_listing_that_is_not_azures_is_an_outage(server: RogueServer) -> None:
    server.answers(http(b"<html>"))
    blobs = AzureBlobs(server.url, CountingCredential())
    with pytest.raises(RetryLater):
        list(blobs.list("packs", "m/"))
    blobs.close()


def test_nobody_listening_is_an_outage(authority: Authority, azure_environment: object) -> None:
    with rogue_server(authority) as gone:
        client = StorageRestClient(gone.url, CountingCredential(), {})
    with pytest.raises(RetryLater) as caught:
        asked(client, "POST")
    assert caught.value.reason is Reason.UNAVAILABLE


def test_a_value_cannot_add_a_header(client: StorageRestClient) -> None:
    with pytest.raises(ValueError, match="not one request"):
        client.send("PUT", "c/b", expect=(200,), headers={"If-Match": "a\nb: c"}, content=b"")
    with pytest.raises(ValueError, match="not one request"):
        client.send("GET", "c/b HTTP/1.1\r\nb: c", expect=(200,), headers={})
