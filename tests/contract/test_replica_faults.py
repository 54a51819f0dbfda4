"""Faults of Azure Storage at every kind of request of a commit: the error says who acts, and a retry completes it."""

import ssl
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient, ContainerClient

from sandbox.tls.authority import Authority
from shared.errors import Conflict, OperatorMustAct, Reason, RetryLater
from shared.replica.blob import AzureBlobs
from shared.replica.port import FeedChange, FeedKind, item_key
from shared.replica.storage_port import PACKS, RowChange, Verb
from shared.replica.store import BlobTableReplica
from shared.replica.table import AzureRows
from tests.conftest import Azurite, Faults
from tests.contract.rogue_server import RogueServer, http, rogue_server
from tests.unit.replica.samples import commit, created, replayed, truth

WRITES = {
    "pack": ("blob", {"method": "PUT", "path": "/packs/"}),
    "page": ("blob", {"method": "PUT", "path": "/feed/"}),
    "rows": ("table", {"method": "POST", "path": "batch"}),
    "cursor": ("blob", {"method": "PUT", "path": "/cursors/"}),
}
READS = {
    "read of the cursor": ("blob", {"method": "GET", "path": "/cursors/"}),
    "read of the page": ("blob", {"method": "GET", "path": "/feed/"}),
    "read of the fence": ("table", {"method": "GET", "path": "items"}),
}
FAULTS: dict[str, dict[str, Any]] = {
    "busy": {"kind": "status", "status": 503, "headers": {"Retry-After": "7"}},
    "failed though done": {"kind": "status", "status": 500, "handled": True},
    "reset": {"kind": "reset"},
    "reset though done": {"kind": "reset", "handled": True},
    "cut answer": {"kind": "cut"},
}


@pytest.fixture(scope="module")
def replica(storage: Azurite, credential: DefaultAzureCredential) -> Iterator[BlobTableReplica]:
    store = BlobTableReplica.at(storage.blob, storage.table, credential)
    yield store
    store.close()


@pytest.fixture
def mailbox(replica: BlobTableReplica) -> str:
    mailbox = uuid.uuid4().hex
    commit(replica, mailbox, created("A", b"first"), created("B"))
    return mailbox


def page(replica: BlobTableReplica, mailbox: str) -> list[FeedChange]:
    first = replica.find(mailbox, ["A", "B"])
    return [
        created("C", b"third"),
        FeedChange(FeedKind.READ_FLAG, first["A"].with_changes(is_read=True)),
        FeedChange(FeedKind.DELETE, first["B"]),
    ]


def run(replica: BlobTableReplica, mailbox: str) -> None:
    cursor = replica.load(mailbox)
    if cursor.sequence == 1:
        replica.commit(mailbox, cursor, page(replica, mailbox), cursor)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("where", WRITES | READS)
def test_whatever_storage_does_the_next_try_ends_whole(
    replica: BlobTableReplica, mailbox: str, faults: Faults, where: str, fault: str
) -> None:
    service, match = (WRITES | READS)[where]
    rule = faults.add(service, FAULTS[fault], match=match, times=1)
    for _ in range(4):
        try:
            run(replica, mailbox)
            break
        except (RetryLater, Conflict):
            continue
    assert faults.hits(rule) == 1
    held = truth(replica, mailbox)
    assert held.keys() == {item_key("A"), item_key("C")}
    assert held[item_key("C")][1] == b"third"
    assert held[item_key("A")][0].is_read is True
    assert replayed(replica, mailbox) == {key: item for key, (item, _) in held.items()}
    assert replica.load(mailbox).sequence == 2


@pytest.mark.parametrize("where", WRITES | READS)
@pytest.mark.parametrize(
    ("status", "expected"),
    [(429, Reason.THROTTLED), (500, Reason.UNAVAILABLE), (403, Reason.OUR_STORAGE)],
)
def test_an_answer_says_who_acts_next(  # noqa: PLR0917
    replica: BlobTableReplica, mailbox: str, faults: Faults, where: str, status: int, expected: Reason
) -> None:  # fmt: skip
    service, match = (WRITES | READS)[where]
    faults.add(service, {"kind": "status", "status": status, "headers": {"Retry-After": "11"}}, match=match, times=1)
    with pytest.raises((RetryLater, OperatorMustAct)) as caught:
        run(replica, mailbox)
    assert caught.value.reason is expected
    assert getattr(caught.value, "retry_after", 11) == 11


def test_missing_containers_and_tables_are_the_operators_matter(
    storage: Azurite, credential: DefaultAzureCredential
) -> None:
    blobs, rows = AzureBlobs(storage.blob, credential), AzureRows(storage.table, credential, "nothere")
    try:
        for ask in (
            lambda: blobs.get("nothere", "x"),
            lambda: blobs.put("nothere", "x", b""),
            lambda: rows.get("m", "x"),
            lambda: rows.transact("m", [RowChange(Verb.REPLACE, "x", {"a": 1})]),
            lambda: list(rows.query("m")),
        ):
            with pytest.raises(OperatorMustAct):
                ask()
    finally:
        blobs.close()
        rows.close()


@pytest.mark.parametrize("where", ["pack", "cursor", "read of the cursor"])
@pytest.mark.parametrize("code", ["BlobImmutableDueToPolicy", "BlobArchived"])
def test_a_rule_that_somebody_made_is_the_operators_matter(
    replica: BlobTableReplica, mailbox: str, faults: Faults, where: str, code: str
) -> None:
    """If it counted as a conflict with another writer, the pass would be retried forever."""
    service, match = (WRITES | READS)[where]
    fault = {"kind": "status", "status": 409, "headers": {"x-ms-error-code": code}}
    faults.add(service, fault, match=match, times=None)
    with pytest.raises(OperatorMustAct) as caught:
        run(replica, mailbox)
    assert (caught.value.reason, caught.value.support) == (Reason.OUR_STORAGE, code)


@pytest.mark.parametrize(
    ("where", "code"),
    [(where, "ContainerBeingDeleted") for where in ("pack", "page", "cursor", "read of the cursor")]
    + [("rows", "TableBeingDeleted"), ("read of the fence", "TableBeingDeleted")],
)
def test_storage_being_deleted_is_the_operators_matter(
    replica: BlobTableReplica, mailbox: str, faults: Faults, where: str, code: str
) -> None:
    """M12: the status is that of a conflict with another writer, which would raise no alarm."""
    service, match = (WRITES | READS)[where]
    fault = {"kind": "status", "status": 409, "headers": {"x-ms-error-code": code}}
    faults.add(service, fault, match=match, times=None)
    with pytest.raises(OperatorMustAct) as caught:
        run(replica, mailbox)
    assert (caught.value.reason, caught.value.support) == (Reason.OUR_STORAGE, code)


def test_a_transaction_on_a_table_being_deleted_is_the_operators(
    authority: Authority, credential: DefaultAzureCredential
) -> None:
    """M12: Table Storage reports it within the response to the batch."""
    body = b'{"odata.error":{"code":"TableBeingDeleted","message":{"lang":"en-US","value":"."}}}'
    with rogue_server(authority) as server:
        server.answers(http(b"HTTP/1.1 409 Conflict\r\n\r\n" + body, 202, "multipart/mixed; boundary=x"))
        rows = AzureRows(server.url.removesuffix("/EWS/Exchange.asmx"), credential)
        with pytest.raises(OperatorMustAct) as caught:
            rows.transact("m", [RowChange(Verb.INSERT, "x", {})])
        rows.close()
    assert caught.value.support == "TableBeingDeleted"


def test_a_listing_is_that_of_the_sdk(storage: Azurite, credential: DefaultAzureCredential, mailbox: str) -> None:
    ours, prefix = AzureBlobs(storage.blob, credential), f"{mailbox}-listed/"
    for number, (members, deletes) in enumerate([(3, None), (0, True), (0, False), (0, None)]):
        ours.put(PACKS, f"{prefix}{number}&'+ .zip", b"x" * number, members=members, deletes=deletes)
    listed = list(ours.list(PACKS, prefix))
    ours.close()
    with ContainerClient(storage.blob, PACKS, credential) as client:
        theirs = list(client.list_blobs(name_starts_with=prefix, include=["metadata"]))
    assert [(each.name, each.size, each.created_at) for each in listed] == [
        (each.name, each.size, each.creation_time) for each in theirs
    ]
    assert [(each.members, each.deletes) for each in listed] == [(3, None), (0, True), (0, False), (0, None)]


def test_an_erasure_takes_the_snapshots_that_somebody_has_made(
    replica: BlobTableReplica, mailbox: str, storage: Azurite, credential: DefaultAzureCredential
) -> None:
    """Storage does not delete a blob with snapshots unless the request includes them."""
    with BlobServiceClient(storage.blob, credential) as blobs:
        packs = blobs.get_container_client(PACKS)
        for name in list(packs.list_blob_names(name_starts_with=mailbox)):
            packs.get_blob_client(name).create_snapshot()
        assert replica.erase(mailbox)["packs"] == 1
        assert list(packs.list_blobs(name_starts_with=mailbox, include=["snapshots"])) == []


@pytest.mark.parametrize("where", READS)
def test_a_404_of_somebody_elses_says_nothing_of_what_is_there(
    replica: BlobTableReplica, mailbox: str, faults: Faults, where: str
) -> None:
    """If it counted as Storage's own 404, a synced mailbox would count as new, or an existing item as missing."""
    service, match = READS[where]
    faults.add(service, {"kind": "status", "status": 404, "body": "<h1>Not Found</h1>"}, match=match, times=1)
    with pytest.raises(OperatorMustAct) as caught:
        run(replica, mailbox)
    assert (caught.value.reason, caught.value.support) == (Reason.OUR_STORAGE, "404")


class SlowReader(RogueServer):
    """Receives data steadily at two megabytes per second and discards it."""

    def _read(self, connection: ssl.SSLSocket) -> bytes | None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = connection.recv(1)
            if not byte:
                return None
            head += byte
        left = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        while left:
            part = len(connection.recv(65_536))
            left -= part
            time.sleep(part / 2e6)
        return head


def test_what_takes_longer_to_send_than_to_connect_arrives(
    authority: Authority, credential: DefaultAzureCredential
) -> None:
    with rogue_server(authority, SlowReader) as server:
        server.answers(b'HTTP/1.1 201 Created\r\nETag: "1"\r\nContent-Length: 0\r\n\r\n')
        blobs = AzureBlobs(server.url.removesuffix("/EWS/Exchange.asmx"), credential)
        assert blobs.put(PACKS, "m/1.zip", bytes(16_000_000)) == '"1"'
        blobs.close()
    assert len(server.requests) == 1


def test_every_part_of_a_transaction_asks_for_json(authority: Authority, credential: DefaultAzureCredential) -> None:
    with rogue_server(authority) as server:
        part = b"HTTP/1.1 204 No Content\r\nETag: W/1\r\n\r\n"
        server.answers(http(part * len(Verb), 202, "multipart/mixed; boundary=x"))
        rows = AzureRows(server.url.removesuffix("/EWS/Exchange.asmx"), credential)
        rows.transact("m", [RowChange(verb, verb.value, {}) for verb in Verb])
        rows.close()
    (request,) = server.requests
    parts = request.split(b"Content-Type: application/http\r\n")[1:]
    assert len(parts) == len(Verb)
    assert all(b"\r\nAccept: application/json;odata=nometadata\r\n" in each for each in parts)


def test_two_writers_at_once_lose_and_double_nothing(
    replica: BlobTableReplica, storage: Azurite, credential: DefaultAzureCredential
) -> None:
    mailbox = uuid.uuid4().hex
    stores = [BlobTableReplica.at(storage.blob, storage.table, credential) for _ in range(2)]

    def write(number: int) -> None:
        done = 0
        while done < 6:
            try:
                commit(stores[number], mailbox, *(created(f"{number}.{done}.{each}") for each in range(120)))
                done += 1
            except (Conflict, RetryLater):
                known = stores[number].find(mailbox, [f"{number}.{done}.0"])
                done += bool(known)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = {item_key(f"{number}.{done}.{each}") for number in range(2) for done in range(6) for each in range(120)}
    assert {item.key for item in replica.items(mailbox)} == expected
    assert replayed(replica, mailbox).keys() == expected
    assert [page.sequence for page in replica.feed(mailbox)] == list(range(1, 13))
    for store in stores:
        store.close()
