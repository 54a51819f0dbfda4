"""The change feeds: what a consumer gets that stores where it is, and is killed at any moment."""

import json
import random
from datetime import timedelta
from typing import Any

import pytest

from shared.api.errors import Malformed, Refused
from shared.api.operations.changes import list_all_changes, list_changes
from shared.api.paging import encode_cursor
from shared.errors import NotFound
from shared.replica.change_log.port import entry_key
from shared.replica.port import FeedChange, FeedKind, item_key
from shared.replica.reading.port import change_number
from tests.fakes.api import READER, TENANT, ApiParts, limited
from tests.unit.replica.samples import commit, created

ID = "mailbox-1"
OTHER_TENANT = "22222222-2222-2222-2222-222222222222"


@pytest.fixture
def parts() -> ApiParts:
    return ApiParts()


def write(parts: ApiParts, mailbox_id: str, *names: str, log: bool = True) -> None:
    """Commit a page with new items, and tell the change log."""
    known = parts.replica.load(mailbox_id).sequence
    cursor = commit(parts.replica, mailbox_id, *(created(name, b"") for name in names))
    if log:
        tell(parts, mailbox_id, known, cursor.sequence)


def tell(parts: ApiParts, mailbox_id: str, known: int, sequence: int) -> None:
    tenant = parts.registry.get(mailbox_id).tenant_id
    parts.change_log.append(mailbox_id, tenant, known, sequence)


def lines(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


def read(parts: ApiParts, after: str = "", caller: Any = READER, limit: int = 100) -> list[dict[str, Any]]:
    answer = parts.call(list_all_changes, caller, limit=str(limit), **({"after": after} if after else {}))
    return lines(answer.data)


class Consumer:
    """Mirrors changes, storing where it is after each. What is stored survives when it is killed."""

    def __init__(self, parts: ApiParts, seed: int) -> None:
        self._parts = parts
        self._random = random.Random(seed)  # noqa: S311 -- a test's choices
        self.position = ""
        self.numbers: dict[str, int] = {}
        self.seen: dict[str, list[str]] = {}

    def run(self, caller: Any = READER) -> None:
        """Read one answer, and die before, between, or after its lines; begin again if the position is refused."""
        limit = self._random.choice((1, 2, 3, 100))
        try:
            answer = read(self._parts, self.position, caller, limit)
        except Refused:
            self.position = ""
            return
        for line in answer:
            if self._random.random() < 0.15:
                return
            if "change" in line and line["number"] > self.numbers.get(line["mailbox_id"], 0):
                self.numbers[line["mailbox_id"]] = line["number"]
                self.seen.setdefault(line["mailbox_id"], []).append(line["item"]["id"])
            self.position = line["position"]


def expected(parts: ApiParts) -> dict[str, list[str]]:
    """Every change of every mailbox, in order."""
    found = {}
    for mailbox in parts.registry.all():
        changes = [change.item.key for page in parts.replica.feed(mailbox.id) for change in page.changes]
        if changes:
            found[mailbox.id] = changes
    return found


def test_lines_have_number_kind_and_item(parts: ApiParts) -> None:
    parts.add_mailbox(ID)
    write(parts, ID, "A", "B")
    commit(parts.replica, ID, FeedChange(FeedKind.DELETE, parts.replica.item(ID, item_key("A"))))
    first, second, third = lines(parts.call(list_changes, READER, mailbox=ID).data)
    assert (first["number"], first["change"], first["mailbox_id"]) == (change_number(1, 1), "create", ID)
    assert second["item"]["id"] == item_key("B")
    assert (third["number"], third["change"]) == (change_number(2, 1), "delete")


def test_consumer_of_one_mailbox_misses_nothing_when_killed(parts: ApiParts) -> None:
    parts.add_mailbox(ID)
    chosen = random.Random(1)  # noqa: S311 -- a test's choices
    number, seen, written = 0, list[str](), 0
    for _ in range(60):
        if chosen.random() < 0.5:
            write(parts, ID, *(f"{written + n}" for n in range(chosen.randint(1, 5))))
            written += 5
        answer = parts.call(list_changes, READER, mailbox=ID, after=str(number), limit=str(chosen.choice((1, 3, 50))))
        for line in lines(answer.data):
            if chosen.random() < 0.2:
                break
            seen.append(line["item"]["id"])
            number = line["number"]
    rest = lines(parts.call(list_changes, READER, mailbox=ID, after=str(number), limit="10000").data)
    assert seen + [line["item"]["id"] for line in rest] == expected(parts)[ID]
    replayed = lines(parts.call(list_changes, READER, mailbox=ID, limit="10000").data)
    assert [line["item"]["id"] for line in replayed] == expected(parts)[ID]


@pytest.mark.parametrize("seed", range(12))
def test_consumer_of_all_mailboxes_misses_nothing_when_killed(parts: ApiParts, seed: int) -> None:
    """Mailboxes are connected and written to while it reads; passes crash before they have told the log."""
    chosen = random.Random(seed)  # noqa: S311 -- a test's choices
    consumer, untold, written = Consumer(parts, seed), dict[str, int](), 0
    for step in range(80):
        if step % 20 == 0:
            parts.add_mailbox(f"{chosen.randrange(16):x}{step}")
        mailbox = chosen.choice(list(parts.registry.all())).id
        if chosen.random() < 0.6:
            known = untold.pop(mailbox, parts.replica.load(mailbox).sequence)
            write(parts, mailbox, *(f"{written + n}" for n in range(chosen.randint(1, 4))), log=False)
            written += 4
            if chosen.random() < 0.3:
                untold[mailbox] = known
            else:
                tell(parts, mailbox, known, parts.replica.load(mailbox).sequence)
        parts.clock.pass_by(seconds=chosen.choice((0, 1, 20, 60)))
        consumer.run()
    for mailbox, known in untold.items():
        tell(parts, mailbox, known, parts.replica.load(mailbox).sequence)
    parts.clock.pass_by(seconds=31)
    everything = expected(parts)
    for _ in range(1_000):
        consumer.run()
        if consumer.seen == everything:
            break
    assert consumer.seen == everything


def test_unsettled_entries_wait_so_that_none_comes_before_them(parts: ApiParts) -> None:
    parts.add_mailbox(ID)
    position = read(parts)[-1]["position"]
    parts.clock.pass_by(minutes=10)
    write(parts, ID, "A")
    assert [line for line in read(parts, position) if "change" in line] == []
    parts.clock.pass_by(seconds=31)
    assert [line["item"]["id"] for line in read(parts, position)[:-1]] == [item_key("A")]


def test_entry_that_was_written_too_late_is_written_again(parts: ApiParts) -> None:
    """An entry takes a minute to appear. Meanwhile a consumer reads a later one, of another mailbox."""
    parts.add_mailbox(ID)
    parts.add_mailbox("mailbox-2")
    position = read(parts)[-1]["position"]
    parts.clock.pass_by(minutes=10)
    log, positions = parts.change_log, [position]

    def slow() -> None:
        log._written = lambda: None
        hidden = dict(log.entries)
        log.entries.clear()
        parts.clock.pass_by(seconds=20)
        write(parts, "mailbox-2", "B")
        parts.clock.pass_by(seconds=40)
        positions.append(read(parts, position)[-1]["position"])
        log.entries.update(hidden)

    log._written = slow
    write(parts, ID, "A")
    parts.clock.pass_by(seconds=31)
    assert [line["item"]["id"] for line in read(parts, positions[-1])[:-1]] == [item_key("A")]


def test_limited_reader_gets_its_mailboxes_alone(parts: ApiParts) -> None:
    parts.add_mailbox(ID)
    parts.add_mailbox("mailbox-2", OTHER_TENANT)
    for mailbox in (ID, "mailbox-2"):
        write(parts, mailbox, f"first of {mailbox}")
    parts.clock.pass_by(minutes=10)
    for caller, mailboxes in (
        (READER, {ID, "mailbox-2"}),
        (limited(ID), {ID}),
        (limited(tenants=(OTHER_TENANT,)), {"mailbox-2"}),
        (limited(), set()),
    ):
        assert {line["mailbox_id"] for line in read(parts, caller=caller) if "change" in line} == mailboxes


def test_log_is_limited_like_the_first_part(parts: ApiParts) -> None:
    parts.add_mailbox(ID, TENANT)
    parts.add_mailbox("mailbox-2", OTHER_TENANT)
    position = read(parts, caller=limited(ID))[-1]["position"]
    parts.clock.pass_by(minutes=10)
    write(parts, ID, "A")
    write(parts, "mailbox-2", "B")
    parts.clock.pass_by(minutes=1)
    found = [line["item"]["id"] for line in read(parts, position, limited(ID)) if "change" in line]
    assert found == [item_key("A")]


@pytest.mark.parametrize("seed", range(12))
def test_limits_that_change_leave_no_gap(parts: ApiParts, seed: int) -> None:
    """What was passed over while the reader could not read a mailbox comes when it may read it again."""
    chosen = random.Random(seed)  # noqa: S311 -- a test's choices
    mailboxes = [f"{number:x}" for number in range(4)]
    for mailbox in mailboxes:
        parts.add_mailbox(mailbox, TENANT)
    callers = [limited(*mailboxes), limited(*mailboxes[:2]), limited(tenants=(TENANT,)), limited(), READER]
    consumer, caller = Consumer(parts, seed), callers[0]
    for step in range(120):
        write(parts, chosen.choice(mailboxes), f"{step}")
        parts.clock.pass_by(seconds=chosen.choice((1, 20, 60)))
        if chosen.random() < 0.1:
            caller = chosen.choice(callers)
        consumer.run(caller)
    parts.clock.pass_by(seconds=31)
    for _ in range(1_000):
        consumer.run(callers[0])
    assert consumer.seen == expected(parts)


def test_position_of_other_limits_is_refused(parts: ApiParts) -> None:
    parts.add_mailbox(ID, TENANT)
    positions = {caller: read(parts, caller=caller)[-1]["position"] for caller in (limited(ID), limited(), READER)}
    for of, position in positions.items():
        for caller in positions:
            if caller == of:
                assert read(parts, position, caller)
                continue
            with pytest.raises(Refused) as refused:
                read(parts, position, caller)
            assert (refused.value.code, refused.value.parameter) == ("position_expired", "after")


def test_position_of_an_earlier_version_goes_on(parts: ApiParts) -> None:
    """It does not say for which limits it is; the next one does."""
    parts.add_mailbox(ID, TENANT)
    began = entry_key(parts.clock() - timedelta(minutes=5))
    earlier = encode_cursor(json.dumps([began, 0, "", ""]))
    position = read(parts, earlier, limited(ID))[-1]["position"]
    with pytest.raises(Refused):
        read(parts, position, READER)


def test_erased_mailbox_is_passed_over(parts: ApiParts) -> None:
    parts.add_mailbox(ID)
    position = read(parts)[-1]["position"]
    parts.clock.pass_by(minutes=10)
    write(parts, ID, "A")
    parts.registry.erase(ID)
    parts.replica.erase(ID)
    parts.clock.pass_by(minutes=1)
    assert [line for line in read(parts, position) if "change" in line] == []
    with pytest.raises(NotFound):
        parts.call(list_changes, READER, mailbox=ID)


def test_mailbox_of_a_newer_version_stops_no_feed_and_is_not_left_out(parts: ApiParts) -> None:
    for mailbox_id in (ID, "mailbox-2"):
        parts.add_mailbox(mailbox_id)
    position = read(parts)[-1]["position"]
    for mailbox_id in (ID, "mailbox-2"):
        write(parts, mailbox_id, f"in {mailbox_id}")
    parts.registry.unreadable.add(ID)
    parts.clock.pass_by(minutes=1)

    told = [line["mailbox_id"] for line in read(parts, position) if "change" in line]

    assert sorted(told) == [ID, "mailbox-2"]


def test_position_of_before_the_log_is_refused(parts: ApiParts) -> None:
    parts.add_mailbox(ID)
    position = read(parts)[-1]["position"]
    parts.clock.pass_by(days=31)
    with pytest.raises(Refused) as refused:
        read(parts, position)
    assert refused.value.code == "position_expired"


@pytest.mark.parametrize("position", ["x", "e30", "WyIiLDEsIiIsIiJd", "W10", "WyIxMjMiXQ"])
def test_invented_position_is_refused(parts: ApiParts, position: str) -> None:
    with pytest.raises(Malformed) as refused:
        read(parts, position)
    assert refused.value.parameter == "after"


def test_waiting_for_the_next_page_does_not_read_the_last_one_again(parts: ApiParts) -> None:
    parts.add_mailbox(ID)
    write(parts, ID, "A", "B")
    (*_, last) = lines(parts.call(list_changes, READER, mailbox=ID).data)
    read_blobs, get = list[str](), parts.blobs.get

    def counted(container: str, name: str) -> Any:
        read_blobs.append(name)
        return get(container, name)

    parts.blobs.get = counted  # type: ignore[method-assign]
    for _ in range(3):
        assert parts.call(list_changes, READER, mailbox=ID, after=str(last["number"])).is_empty
    assert read_blobs == [f"{ID}/0000000002.ndjson"] * 3
    parts.blobs.get = get  # type: ignore[method-assign]
    write(parts, ID, "C")
    assert len(lines(parts.call(list_changes, READER, mailbox=ID, after=str(last["number"])).data)) == 1
