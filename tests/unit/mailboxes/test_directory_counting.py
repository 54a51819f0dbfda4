"""How many mailboxes a command for all that match concerns."""

from shared.mailboxes.directory.counting import MOST_REQUESTS, MatchCount, count_matching
from shared.mailboxes.directory.model import DirectoryQuery
from shared.mailboxes.model import Status
from tests.contract.test_registry import new_mailbox
from tests.fakes.registry import FakeDirectory, FakeRegistry


def test_all_pages_are_counted_up_to_a_bound() -> None:
    registry = FakeRegistry()
    for n in range(MOST_REQUESTS + 1):
        registry.add(new_mailbox(address=f"ada.{n}@contoso.example", status=Status.PAUSED if n else Status.ACTIVE))
    directory = FakeDirectory(registry)
    assert count_matching(directory, DirectoryQuery(), size=2) == MatchCount(MOST_REQUESTS + 1)
    assert count_matching(directory, DirectoryQuery(status="active")) == MatchCount(1)
    assert count_matching(directory, DirectoryQuery(), size=1) == MatchCount(MOST_REQUESTS, is_exact=False)
