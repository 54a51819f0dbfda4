"""The directory, on the fake and on Table Storage: lists by address prefix, filters, and order, page by page."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.data.tables import TableServiceClient
from azure.identity import DefaultAzureCredential

from shared.mailboxes.directory.listing import MailboxListing
from shared.mailboxes.directory.model import ON_HOLD, CursorInvalid, DirectoryPage, DirectoryQuery, Sort, WayIn
from shared.mailboxes.directory.port import MailboxDirectory
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.port import MailboxRegistry
from shared.mailboxes.table import TableRegistry
from shared.mailboxes.transitions import on_hold, without_hold
from shared.sources.model import AccessMode, SourceName
from tests.conftest import Azurite
from tests.contract.test_registry import Before, new_mailbox
from tests.fakes.registry import FakeDirectory, FakeRegistry

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class Listed:
    """A registry with its directory. A tenant of its own keeps a test apart from the others."""

    registry: MailboxRegistry
    directory: MailboxDirectory
    tenant: str

    def add(self, address: str, **changes: object) -> Mailbox:
        return self.registry.add(new_mailbox(address=address, tenant_id=self.tenant, **changes))

    def addresses(self, **asked: Any) -> list[str]:
        """The addresses of a list, read three at a time."""
        query, cursor, found = DirectoryQuery(**{"tenant": self.tenant} | asked), "", list[str]()
        while True:
            page = self.directory.page(query, size=3, cursor=cursor)
            assert len(page.entries) <= 3
            found += (entry.address for entry in page.entries)
            if not (cursor := page.cursor):
                return found


@pytest.fixture(params=["fake", "azure"])
def listed(request: pytest.FixtureRequest) -> Iterator[Listed]:
    tenant = str(uuid.uuid4())
    if request.param == "fake":
        fake = FakeRegistry(16, lambda: NOW)
        yield Listed(fake, FakeDirectory(fake), tenant)
        return
    storage, credential = request.getfixturevalue("storage"), request.getfixturevalue("credential")
    with TableServiceClient(storage.table, credential=credential) as tables:
        registry = TableRegistry(tables, 16, lambda: NOW)
        yield Listed(registry, registry.directory, tenant)


def test_list_is_in_the_order_of_addresses_page_by_page(listed: Listed) -> None:
    for name in ("Dora", "alex", "carl", "bert", "emma", "alex.b", "zoe"):
        listed.add(f"{name}@contoso.example")
    names = [address.partition("@")[0] for address in listed.addresses()]
    assert names == ["alex.b", "alex", "bert", "carl", "Dora", "emma", "zoe"]


def test_prefix_finds_addresses_in_any_case_and_alphabet(listed: Listed) -> None:
    for name in ("Ann", "anna", "ann/b#?", "änn", "bob"):
        listed.add(f"{name}@contoso.example")
    assert sorted(listed.addresses(prefix="ANN")) == [f"{name}@contoso.example" for name in ("Ann", "ann/b#?", "anna")]
    assert listed.addresses(prefix="än") == ["änn@contoso.example"]
    assert listed.addresses(prefix="ann/") == ["ann/b#?@contoso.example"]
    assert listed.addresses(prefix="nobody") == []
    assert listed.addresses(prefix="ann", sort=Sort.NEWEST) == listed.addresses(prefix="ann", sort=Sort.NEWEST)
    assert len(listed.addresses(prefix="ann", sort=Sort.NEWEST)) == 3


def test_newest_come_first(listed: Listed) -> None:
    for day, name in enumerate(("b", "c", "a", "d")):
        listed.add(f"{name}@contoso.example", created_at=NOW + timedelta(days=day))
    assert [address[0] for address in listed.addresses(sort=Sort.NEWEST)] == ["d", "a", "c", "b"]


def test_filters_hold_alone_and_together(listed: Listed) -> None:
    listed.add("a@contoso.example")
    listed.add("b@contoso.example", status=Status.PAUSED)
    listed.add("c@contoso.example", status=Status.NEEDS_ADMIN, reason="ews_blocked", mode=AccessMode.APP_ONLY)
    listed.add("d@contoso.example", source=SourceName.GRAPH, reason="throttled")
    listed.add("e@contoso.example", owner_id="shared-1", source=SourceName.GRAPH)
    listed.add("f@contoso.example", mode=AccessMode.IMPERSONATION)
    listed.add("g@contoso.example", group="legal", status=Status.PAUSED)

    def found(**asked: Any) -> str:
        return "".join(address[0] for address in listed.addresses(**asked))

    assert found(status="active") == "adef"
    assert found(status="paused") == "bg"
    assert found(group="legal") == found(group="legal", status="paused") == "g"
    assert found(group="legal", sort=Sort.NEWEST) == "g"
    assert found(group="legal", source="graph") == found(group="none") == ""
    assert found(reason="throttled") == "d"
    assert found(reason="throttled", status="paused") == ""
    assert found(source="graph") == "de"
    assert found(source="graph", status="active", way=WayIn.SHARED) == "e"
    assert found(group="default") == "".join(sorted(found(group="default", sort=Sort.NEWEST))) == "abcdef"
    assert found(group="default", status="paused") == found(group="default", prefix="b") == "b"
    assert found(way="sign_in") == "abdg"
    assert found(way="app_only", reason="ews_blocked") == "c"
    assert found(way="service_account") == "f"
    assert found(tenant="nobody's") == ""


def test_mailboxes_on_hold_are_a_list_until_the_hold_is_lifted(listed: Listed) -> None:
    held, other = listed.add("a@contoso.example"), listed.add("b@contoso.example")
    for mailbox in (held, other):
        listed.registry.change(mailbox.id, lambda before: on_hold(before, "Matter 7", "op", NOW))
    listed.registry.change(other.id, without_hold)
    assert listed.addresses(hold=ON_HOLD) == listed.addresses(hold=ON_HOLD, sort=Sort.NEWEST) == [held.address]
    assert listed.addresses(hold=ON_HOLD, prefix="b") == listed.addresses(hold=ON_HOLD, status="paused") == []
    assert listed.addresses() == [held.address, other.address]


def test_list_follows_a_mailbox_as_it_changes(listed: Listed) -> None:
    mailbox = listed.add("a@contoso.example")

    def change(**changes: object) -> None:
        listed.registry.change(mailbox.id, lambda before: before.with_changes(**changes))

    change(status=Status.SUSPENDED, reason="bad_answer")
    assert listed.addresses(status="suspended") == listed.addresses(reason="bad_answer") == ["a@contoso.example"]
    assert listed.addresses(status="active") == []
    assert listed.addresses(group="default") == ["a@contoso.example"]
    change(group="legal")
    assert listed.addresses(group="legal") == ["a@contoso.example"]
    assert listed.addresses(group="default") == []
    change(status=Status.ACTIVE, reason="", group="", address="z@contoso.example")
    assert listed.addresses(group="legal") == []
    assert listed.addresses(status="suspended") == listed.addresses(reason="bad_answer") == []
    assert listed.addresses(status="active") == listed.addresses() == ["z@contoso.example"]
    listed.registry.begin_erasure(mailbox.id)
    assert listed.addresses(status="disconnected") == ["z@contoso.example"]
    listed.registry.erase(mailbox.id)
    assert listed.addresses() == listed.addresses(sort=Sort.NEWEST) == []


@pytest.mark.parametrize("cursor", ["%", "e30", "W10", "x"])
def test_invented_cursor_is_refused(listed: Listed, cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        listed.directory.page(DirectoryQuery(), cursor=cursor)


@pytest.fixture
def tables(storage: Azurite, credential: DefaultAzureCredential) -> Iterator[TableServiceClient]:
    with TableServiceClient(storage.table, credential=credential) as service:
        yield service


def registry_that_fails(tables: TableServiceClient, call: str, table: str = "directory") -> TableRegistry:
    def breaks() -> None:
        raise ServiceResponseError("the line is broken")

    return TableRegistry(cast(TableServiceClient, Before(tables, table, call, breaks)), 16, lambda: NOW)


def of_tenant(registry: TableRegistry, tenant: str) -> list[Mailbox]:
    return [mailbox for mailbox in registry.all() if mailbox.tenant_id == tenant]


def test_fault_of_the_directory_stops_no_registry_write_and_is_repaired(tables: TableServiceClient) -> None:
    tenant = str(uuid.uuid4())
    failing = registry_that_fails(tables, "submit_transaction")
    mailbox = failing.add(new_mailbox(tenant_id=tenant))
    registry = TableRegistry(tables, 16, lambda: NOW)
    assert registry.get(mailbox.id).tenant_id == tenant
    assert registry.directory.page(DirectoryQuery(tenant=tenant)).entries == ()
    assert registry.repair_directory() >= 1
    assert [entry.id for entry in registry.directory.page(DirectoryQuery(tenant=tenant)).entries] == [mailbox.id]
    assert registry.repair_directory() == 0


def test_repair_deletes_and_corrects_what_no_longer_holds(tables: TableServiceClient) -> None:
    tenant = str(uuid.uuid4())
    registry = TableRegistry(tables, 16, lambda: NOW)
    stale, gone = (registry.add(new_mailbox(tenant_id=tenant)) for _ in range(2))
    failing = registry_that_fails(tables, "submit_transaction")
    failing.change(stale.id, lambda before: before.with_changes(status=Status.PAUSED))
    tables.get_table_client("mailboxes").delete_entity(f"{gone.shard:02x}", gone.id)
    assert registry.repair_directory() >= 2
    page = registry.directory.page(DirectoryQuery(tenant=tenant))
    assert [(entry.id, entry.status) for entry in page.entries] == [(stale.id, Status.PAUSED)]
    assert registry.directory.page(DirectoryQuery(tenant=tenant, status="paused")).entries == page.entries


def test_of_two_changes_at_once_the_list_shows_the_later(tables: TableServiceClient) -> None:
    tenant = str(uuid.uuid4())
    registry = TableRegistry(tables, 16, lambda: NOW)
    mailbox = registry.add(new_mailbox(tenant_id=tenant))

    def meanwhile() -> None:
        registry.change(mailbox.id, lambda before: before.with_changes(status=Status.SUSPENDED, reason="bad_answer"))

    slow = TableRegistry(
        cast(TableServiceClient, Before(tables, "directory", "submit_transaction", meanwhile)), 16, lambda: NOW
    )
    slow.change(mailbox.id, lambda before: before.with_changes(status=Status.PAUSED))
    for status, count in (("paused", 0), ("suspended", 1)):
        assert len(registry.directory.page(DirectoryQuery(tenant=tenant, status=status)).entries) == count
    assert registry.directory.page(DirectoryQuery(tenant=tenant)).entries[0].reason == "bad_answer"


def test_search_for_rare_mailboxes_ends_and_can_be_continued(tables: TableServiceClient) -> None:
    tenant = str(uuid.uuid4())
    registry = TableRegistry(tables, 16, lambda: NOW)
    for number in range(12):
        way = AccessMode.APP_ONLY if number == 11 else AccessMode.DELEGATED
        registry.add(new_mailbox(tenant_id=tenant, address=f"m{number:02}@contoso.example", mode=way))
    query = DirectoryQuery(tenant=tenant, way="app_only")
    page, pages = registry.directory.page(query, size=1), 1
    while page.cursor:
        page, pages = registry.directory.page(query, size=1, cursor=page.cursor), pages + 1
    assert [entry.address for entry in page.entries] == ["m11@contoso.example"]
    assert pages <= 2


def test_listing_reads_the_mailboxes_and_drops_those_that_have_changed(listed: Listed) -> None:
    listing = MailboxListing(listed.directory, listed.registry.get)
    added = [listed.add(f"{name}@contoso.example", items=number) for number, name in enumerate("abcd")]
    stale = listed.directory.page(DirectoryQuery(tenant=listed.tenant, status="active"), size=3)
    listed.registry.change(added[1].id, lambda before: before.with_changes(status=Status.PAUSED))
    listed.registry.erase(added[2].id)
    lagging = MailboxListing(StalePage(stale), listed.registry.get)
    page = lagging.page(DirectoryQuery(tenant=listed.tenant, status="active"))
    assert [mailbox.items for mailbox in page.mailboxes] == [0]
    assert page.cursor
    assert [one.items for one in listing.page(DirectoryQuery(tenant=listed.tenant)).mailboxes] == [0, 1, 3]
    assert listing.page(DirectoryQuery(tenant="nobody's")).mailboxes == ()


class StalePage:
    """A directory that lags behind: it always gives the same page."""

    def __init__(self, page: DirectoryPage) -> None:
        self._page = page

    def page(self, query: DirectoryQuery, *, size: int = 50, cursor: str = "") -> DirectoryPage:
        return self._page

    def repair(self, mailboxes: Iterable[Mailbox]) -> int:
        return 0
