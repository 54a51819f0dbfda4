"""Contract suite for the back-off that a tenant's mailboxes share, in memory and in Table Storage."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.data.tables import TableServiceClient

from shared.sync.back_off.port import TenantBackOff
from shared.sync.back_off.table import TableTenantBackOff
from shared.sync.back_off.waits import ProcessBackOff

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["memory", "table"])
def back_off(request: pytest.FixtureRequest) -> Iterator[TenantBackOff]:
    if request.param == "memory":
        yield ProcessBackOff()
        return
    storage, credential = request.getfixturevalue("storage"), request.getfixturevalue("credential")
    with TableServiceClient(storage.table, credential=credential) as tables:
        yield TableTenantBackOff(tables, lambda: 0.0)


def test_time_is_extended_and_never_shortened(back_off: TenantBackOff) -> None:
    tenant = str(uuid.uuid4())
    assert back_off.until(tenant) is None
    for minutes, by in ((5, "m1"), (1, "m2"), (9, "m3")):
        back_off.extend(tenant, NOW + minutes * MINUTE, by)
    assert back_off.until(tenant) == NOW + 9 * MINUTE
    assert back_off.until(str(uuid.uuid4())) is None


def test_one_mailbox_alone_extends_it_once(back_off: TenantBackOff) -> None:
    tenant = str(uuid.uuid4())
    for minutes, by in ((5, "m1"), (60, "m1")):
        back_off.extend(tenant, NOW + minutes * MINUTE, by)
    assert back_off.until(tenant) == NOW + 5 * MINUTE
    back_off.extend(tenant, NOW + 70 * MINUTE, "m2")
    back_off.extend(tenant, NOW + 80 * MINUTE, "m1")
    assert back_off.until(tenant) == NOW + 80 * MINUTE
