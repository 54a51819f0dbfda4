"""G1 and G2 over EWS: mail is edited in place with an ordinary client, and the sync reads what has changed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from sandbox.ews import EwsService
from sandbox.local.ews_client import account_of
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.samples import message_samples
from sandbox.tls.authority import Authority, trust
from shared.sources.ews.sources import EwsSources
from shared.sources.model import NO_ITEMS, Access, AccessMode, ContentLevel, Folder, Item, ItemFailure, SourceName
from shared.sources.port import MailSource
from shared.sync.scope import kept_of
from tests.contract.exchange_server import ALEX, PEOPLE, Served, claims, delegated, served
from tests.fakes.clock import FakeClock
from tests.fakes.sync_harness import ID, SyncHarness
from tests.fakes.tokens import FakeAccessTokens

LETTERS = 8


class CountingSource:
    """A mail source that counts the contents it returns."""

    def __init__(self, source: MailSource, contents: Counter[str]) -> None:
        self._source = source
        self._contents = contents

    def fetch(
        self, folder: Folder, ids: Sequence[str], level: ContentLevel, known: Mapping[str, Item] = NO_ITEMS
    ) -> Iterator[Item | ItemFailure]:
        for result in self._source.fetch(folder, ids, level, known):
            if isinstance(result, Item) and result.content is not None:
                self._contents[result.id] += 1
            yield result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


class CountingSources:
    """EWS sources; `contents` counts the downloads of each item's content by item id."""

    def __init__(self, url: str) -> None:
        self.sources = EwsSources(url)
        self.contents: Counter[str] = Counter()

    def open(self, access: Access, *, isolate_failures: bool = False) -> CountingSource:
        return CountingSource(self.sources.open(access, isolate_failures=isolate_failures), self.contents)


class Tokens(FakeAccessTokens):
    """Alex's access tokens."""

    def access(
        self, authorization_id: str, address: str, source: SourceName = SourceName.EWS, *, own: bool = False
    ) -> Access:
        return Access(address, AccessMode.DELEGATED, delegated(ALEX), source=source, own=own)


class Synced(SyncHarness):
    """Alex's mailbox in the sandbox's Exchange, synced by the engine into a replica in memory."""

    def __init__(self, server: Served, clock: FakeClock) -> None:
        super().__init__()
        self.clock = clock
        self.counting = CountingSources(server.url)
        self.sources = self.counting  # type: ignore[assignment]
        self.tokens = Tokens()
        self.engine = self.new_engine()
        self.server = server

    def downloads(self) -> int:
        """Run one more pass and return how many contents it downloads."""
        before = self.counting.contents.total()
        self.clock.pass_by(minutes=30)
        self.sync()
        return self.counting.contents.total() - before

    def is_right(self, item_id: str) -> bool:
        """Whether the replica has exactly the bytes that Exchange has."""
        return self.content(item_id) == self.server.mailbox(ALEX).items[item_id].content()


@pytest.fixture
def synced(authority: Authority) -> Iterator[Synced]:
    clock = FakeClock()
    exchange = EwsService(MailboxStore(PEOPLE, clock), claims)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in trust(authority.ca).items():
            patch.setenv(name, value)
        with served(exchange, authority) as server:
            world = Synced(server, clock)
            mailbox = server.mailbox(ALEX)
            for number in range(LETTERS):
                mailbox.insert(mailbox.distinguished["inbox"], message_samples.synthetic(number, 3_000, world.clock()))
            world.clock.pass_by(hours=2)
            world.sync()
            yield world


@pytest.fixture
def account(synced: Synced) -> Iterator[Any]:
    """Alex's account, opened with exchangelib as its documentation shows."""
    opened = account_of(synced.server.url, ALEX.address, delegated(ALEX))
    yield opened
    opened.protocol.close()


def pay(account: Any, amount: int) -> Any:
    from exchangelib import Message

    message = Message(account=account, folder=account.inbox, subject="Invoice", body=f"pay {amount} euros")
    message.save()
    return message


def test_body_edited_at_equal_length_is_read_again(synced: Synced, account: Any) -> None:
    """G1 as reported."""
    message = pay(account, 100)
    assert synced.downloads() == 1
    size = synced.server.mailbox(ALEX).items[message.id].size

    message.body = "pay 900 euros"
    message.save(update_fields=["body"])

    assert synced.server.mailbox(ALEX).items[message.id].size in (0, size)
    assert synced.downloads() == 1
    assert b"pay 900 euros" in synced.content(message.id)
    assert synced.is_right(message.id)


def test_mail_received_and_edited_is_read_again(synced: Synced, account: Any) -> None:
    message = account.inbox.all()[0]
    before = len(synced.content(message.id))

    message.body = "pay 900 euros"
    message.save(update_fields=["body"])

    assert synced.downloads() == 1
    assert synced.is_right(message.id)
    assert len(synced.content(message.id)) != before


def test_every_update_changes_version_and_modified_time(synced: Synced, account: Any) -> None:
    message = account.inbox.all()[0]
    item = synced.server.mailbox(ALEX).items[message.id]
    seen = set()
    for name, value in (("is_read", True), ("categories", ["Red"]), ("importance", "High"), ("subject", "Other")):
        synced.clock.pass_by(minutes=1)
        setattr(message, name, value if name != "is_read" else not message.is_read)
        message.save(update_fields=[name])
        assert item.modified == synced.clock()
        seen.add(item.change_key)
    assert len(seen) == 4


def test_flags_categories_and_moves_download_nothing(synced: Synced, account: Any) -> None:
    """The cost of G1: frequent changes cost metadata but no MIME."""
    messages = list(account.inbox.all())
    for message in messages:
        message.is_read = not message.is_read
        message.save(update_fields=["is_read"])
        message.categories = ["Red"]
        message.save(update_fields=["categories"])

    assert synced.downloads() == 0
    account.bulk_move(messages, to_folder=account.sent)
    assert synced.downloads() == 0
    assert all(map(synced.is_right, synced.items()))
    assert synced.stored.items == LETTERS


def test_what_was_kept_is_compared_once_by_sweep(synced: Synced, account: Any) -> None:
    message, other = list(account.inbox.all())[:2]
    for each in (message, other):
        each.categories = ["Red"]
        each.save(update_fields=["categories"])
    assert synced.downloads() == 0

    synced.sweep()
    after_first = synced.counting.contents.copy()
    synced.sweep()

    assert {after_first[message.id], after_first[other.id]} == {2}
    assert synced.counting.contents == after_first
    assert not any(kept_of(item).assumed for item in synced.replica.items(ID))


def test_importance_changes_the_stored_header(synced: Synced, account: Any) -> None:
    """G2: Exchange writes the importance into the MIME."""
    message = account.inbox.all()[0]
    message.importance = "High"
    message.save(update_fields=["importance"])

    assert synced.downloads() == 1
    assert b"Importance: High" in synced.content(message.id)
    assert synced.is_right(message.id)
