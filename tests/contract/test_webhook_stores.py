"""Contract suite for the stores of webhooks: in memory, in Table Storage, and in Key Vault."""

import base64
import json
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from azure.data.tables import TableServiceClient
from azure.identity import DefaultAzureCredential
from azure.storage.queue import QueueServiceClient

from sandbox.local.sandbox_process import Sandbox
from shared.authorization.tokens.key_vault import secret_client
from shared.errors import Conflict, NotFound
from shared.mailboxes.outbox.events import EventType
from shared.webhooks.key_vault import CACHED_SECONDS, VaultWebhookSecrets
from shared.webhooks.model import Delivery, DeliveryStatus, Endpoint, SigningSecrets
from shared.webhooks.port import DeliveryStore, EndpointStore, SecretStore
from shared.webhooks.queue import StorageDeliveryQueue
from shared.webhooks.table import TableDeliveries, TableEndpoints
from tests.conftest import Azurite
from tests.fakes.clock import FakeClock
from tests.fakes.registry import NOW
from tests.fakes.webhooks import MemoryDeliveries, MemoryEndpoints, MemorySecrets


@pytest.fixture(scope="module")
def tables(storage: Azurite, credential: DefaultAzureCredential) -> Iterator[TableServiceClient]:
    with TableServiceClient(storage.table, credential=credential) as client:
        yield client


@pytest.fixture(params=["memory", "table"])
def endpoints(request: pytest.FixtureRequest) -> EndpointStore:
    return MemoryEndpoints() if request.param == "memory" else TableEndpoints(request.getfixturevalue("tables"))


@pytest.fixture(params=["memory", "table"])
def deliveries(request: pytest.FixtureRequest) -> DeliveryStore:
    return MemoryDeliveries() if request.param == "memory" else TableDeliveries(request.getfixturevalue("tables"))


@pytest.fixture(params=["memory", "vault"])
def secrets(request: pytest.FixtureRequest) -> SecretStore:
    if request.param == "memory":
        return MemorySecrets()
    sandbox: Sandbox = request.getfixturevalue("sandbox")
    client = secret_client(sandbox.endpoints["key_vault"], request.getfixturevalue("credential"))
    return VaultWebhookSecrets(client, FakeClock().monotonic)


def an_endpoint(**changes: object) -> Endpoint:
    return Endpoint(uuid.uuid4().hex, "https://crm.example/hooks", NOW, "op").with_changes(**changes)


def a_delivery(store: DeliveryStore, endpoint_id: str, **changes: object) -> Delivery:
    event_id = f"msg_{uuid.uuid4().hex}"
    made = Delivery(
        store.id_of(event_id, NOW), endpoint_id, event_id, "mailbox.synced", "m1", NOW, '{"type":"x"}'
    ).with_changes(**changes)
    return made.with_changes(id=store.id_of(event_id, made.created_at))


def test_endpoint_comes_back_as_it_was_stored(endpoints: EndpointStore) -> None:
    narrow = an_endpoint(events=(EventType.ERASED, EventType.SYNCED), tenants=("t1", "t2"), verified_at=NOW)
    wide = an_endpoint(description="everything", enabled=False, created_at=NOW - timedelta(days=1))
    for endpoint in (narrow, wide):
        assert endpoints.get(endpoints.add(endpoint).id) == endpoint
    ours = [endpoint for endpoint in endpoints.all() if endpoint.id in (narrow.id, wide.id)]
    assert ours == [wide, narrow]


def test_endpoint_is_changed_and_deleted(endpoints: EndpointStore) -> None:
    endpoint = endpoints.add(an_endpoint(failing_since=NOW))
    changed = endpoints.change(endpoint.id, lambda found: found.with_changes(failing_since=None, failed_deliveries=2))
    assert endpoints.get(endpoint.id) == changed == endpoint.with_changes(failing_since=None, failed_deliveries=2)
    for _ in range(2):
        endpoints.delete(endpoint.id)
    with pytest.raises(NotFound):
        endpoints.get(endpoint.id)
    with pytest.raises(NotFound):
        endpoints.change(endpoint.id, lambda found: found)


def test_delivery_is_stored_once_and_replaced_as_read(deliveries: DeliveryStore) -> None:
    endpoint_id = uuid.uuid4().hex
    delivery = a_delivery(deliveries, endpoint_id)
    deliveries.add(delivery)
    first = deliveries.get(endpoint_id, delivery.id)
    assert first == delivery
    deliveries.replace(first.with_changes(status=DeliveryStatus.DELIVERED, attempts=1, attempted_at=NOW, answer=204))
    deliveries.add(delivery)
    assert deliveries.get(endpoint_id, delivery.id).answer == 204
    with pytest.raises(Conflict):
        deliveries.replace(first)
    with pytest.raises(NotFound):
        deliveries.get(endpoint_id, "none")


def test_deliveries_are_listed_newest_first_and_forgotten_by_age(deliveries: DeliveryStore) -> None:
    endpoint_id, other = uuid.uuid4().hex, uuid.uuid4().hex
    made = [a_delivery(deliveries, endpoint_id, created_at=NOW + timedelta(minutes=n)) for n in range(5)]
    for delivery in [*made, a_delivery(deliveries, other)]:
        deliveries.add(delivery)
    assert [one.event_id for one in deliveries.recent(endpoint_id, 3)] == [one.event_id for one in made[:1:-1]]
    assert deliveries.forget(endpoint_id, NOW + timedelta(minutes=2)) == 2
    assert [one.event_id for one in deliveries.recent(endpoint_id, 9)] == [one.event_id for one in made[:1:-1]]
    assert (deliveries.forget(endpoint_id), deliveries.forget(endpoint_id)) == (3, 0)
    assert len(deliveries.recent(other, 9)) == 1


def test_secrets_are_kept_replaced_and_deleted(secrets: SecretStore) -> None:
    endpoint_id = uuid.uuid4().hex
    with pytest.raises(NotFound):
        secrets.read(endpoint_id)
    secrets.write(endpoint_id, SigningSecrets("whsec_a"))
    secrets.write(endpoint_id, SigningSecrets("whsec_b", "whsec_a", NOW))
    assert secrets.read(endpoint_id) == SigningSecrets("whsec_b", "whsec_a", NOW)
    twice = SigningSecrets("whsec_c", "whsec_b", NOW, (("whsec_a", NOW),))
    secrets.write(endpoint_id, twice)
    assert secrets.read(endpoint_id, fresh=True) == twice
    assert "whsec_" not in repr(secrets.read(endpoint_id))
    secrets.delete(endpoint_id)
    secrets.delete(endpoint_id)
    with pytest.raises(NotFound):
        secrets.read(endpoint_id)


def test_another_instance_reads_rotated_secrets_within_a_minute(
    sandbox: Sandbox, credential: DefaultAzureCredential
) -> None:
    clock, endpoint_id = FakeClock(), uuid.uuid4().hex
    client = secret_client(sandbox.endpoints["key_vault"], credential)
    here, there = (VaultWebhookSecrets(client, clock.monotonic) for _ in range(2))
    here.write(endpoint_id, SigningSecrets("whsec_a"))
    assert there.read(endpoint_id).current == "whsec_a"
    here.write(endpoint_id, SigningSecrets("whsec_b"))
    assert there.read(endpoint_id).current == "whsec_a", "from memory"
    clock.pass_by(seconds=CACHED_SECONDS + 1)
    assert there.read(endpoint_id).current == "whsec_b"
    here.write(endpoint_id, SigningSecrets("whsec_c"))
    assert there.read(endpoint_id, fresh=True).current == "whsec_c"


def test_attempt_is_queued_as_the_trigger_expects(storage: Azurite, credential: DefaultAzureCredential) -> None:
    with QueueServiceClient(storage.queue, credential=credential) as queues:
        endpoint_id, client = uuid.uuid4().hex, queues.get_queue_client("webhook-deliveries")
        client.clear_messages()
        StorageDeliveryQueue(queues).send(endpoint_id, "d1", 2)
        found = [json.loads(base64.b64decode(message.content)) for message in client.peek_messages(max_messages=32)]
        assert {"endpoint": endpoint_id, "delivery": "d1", "attempt": 2} in found
