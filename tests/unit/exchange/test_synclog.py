"""Sync states: what they hold is what a client was given, whatever happens in between."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sandbox.mailboxes import deletion
from sandbox.mailboxes.samples import message_samples
from sandbox.mailboxes.sync_log import ChangeLog, Given, SyncState
from tests.unit.exchange.bench import Bench, M, T, codes, sync


@given(st.sets(st.integers(1, 300)), st.sets(st.integers(1, 300)), st.sets(st.integers(1, 300)))
def test_given_numbers_are_a_set_in_ranges(first: set[int], added: set[int], removed: set[int]) -> None:
    bounds = Given([]).with_changes(sorted(first), set())
    bounds = Given(bounds).with_changes(sorted(added - first), removed)
    expected = (first | added) - removed
    assert {number for number in range(302) if number in Given(bounds)} == expected
    assert bounds == sorted(set(bounds))


@given(st.lists(st.integers(1, 10**6), unique=True), st.integers(0, 10**9))
def test_a_state_survives_its_own_writing(numbers: list[int], seen: int) -> None:
    state = SyncState("folder", "epoch", seen, tuple(Given([]).with_changes(numbers, set())))
    assert SyncState.decode(state.encode()) == state


@pytest.mark.parametrize("rubbish", ["", "x", "SGVsbG8=", "C1NTAQAAAAA=", "C1NTAQAAAAV4nEtMSgYA", "é"])
def test_rubbish_is_no_state(rubbish: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        SyncState.decode(rubbish)


def test_of_each_thing_only_the_last_commit_counts() -> None:
    log: ChangeLog[str] = ChangeLog()
    for sequence in range(1, 1001):
        log.record(sequence, sequence % 7, "id", "thing")
    assert [entry.sequence for entry in log.since(0)] == list(range(994, 1001))
    assert [entry.sequence for entry in log.since(997)] == [998, 999, 1000]


@dataclass
class Client:
    """Somebody who keeps a folder's items by nothing but what syncs say."""

    bench: Bench
    state: str = ""

    def __post_init__(self) -> None:
        self.held: dict[str, tuple[str, bool]] = {}

    def page(self, most: int) -> bool:
        shape = '<t:AdditionalProperties><t:FieldURI FieldURI="message:IsRead"/></t:AdditionalProperties>'
        answer = self.bench.ask(sync(self.bench.folder(), self.state, most, shape))
        assert codes(answer) == ["NoError"]
        self.state = str(answer.findtext(f".//{M}SyncState"))
        changes = answer.find(f".//{M}Changes")
        assert changes is not None
        for change in changes:
            self.apply(change)
        return answer.findtext(f".//{M}IncludesLastItemInRange") == "true"

    def apply(self, change: etree._Element) -> None:
        kind, found = str(change.tag).removeprefix(T), change.find(f".//{T}ItemId")
        assert found is not None
        item, is_read = str(found.get("Id")), change.findtext(f".//{T}IsRead") == "true"
        if kind == "Delete":
            del self.held[item]
            return
        # A create of what is held, or an update of what is not, would be a lie.
        assert (item in self.held) == (kind != "Create")
        self.held[item] = (str(found.get("ChangeKey")), is_read)


_ACTS = st.sampled_from(["create", "create", "update", "read", "move", "delete", "page", "page"])


@given(st.lists(st.tuples(_ACTS, st.integers(0, 10**6)), max_size=60))
def test_whatever_happens_between_pages_a_client_ends_with_what_there_is(acts: list[tuple[str, int]]) -> None:
    bench = Bench()
    client, mailbox, inbox = Client(bench), bench.mailbox, bench.folder()
    for act, number in acts:
        items = list(inbox.items.values())
        item = items[number % len(items)] if items else None
        if act == "create":
            mailbox.insert(inbox, message_samples.synthetic(number, 1000, bench.clock()))
        elif act == "page":
            client.page(1 + number % 4)
        elif item is not None and act == "read":
            mailbox.set_read(item, not item.is_read)
        elif item is not None and act == "update":
            mailbox.touch(item)
        elif item is not None and act == "move":
            deletion.move_item(item, bench.folder("drafts"))
        elif item is not None:
            deletion.delete_item(item, "HardDelete")
    while not client.page(3):
        pass
    assert client.held == {item.id: (item.change_key, item.is_read) for item in inbox.items.values()}


def test_states_are_as_long_as_what_they_hold_has_gaps() -> None:
    close = SyncState("folder", "epoch", 1, (1, 100_000)).encode()
    gaps = SyncState("folder", "epoch", 1, tuple(range(1, 4001))).encode()
    assert len(close) < 300
    assert len(gaps) > len(close)
