"""A mailbox as programs see it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.api.errors import Malformed
from shared.api.operations.mailboxes import list_mailboxes
from shared.api.resources.mailboxes import NotCopied, mailbox
from tests.fakes.api import ApiParts
from tests.unit.pages.samples import MAILBOX


def test_items_that_are_not_copied_are_divided_by_reason() -> None:
    stored = replace(
        MAILBOX, first_sync_done=True, items=60, in_scope=100, issues=3, private_left_out=10, not_provided=7
    )
    assert mailbox(stored).not_copied == NotCopied(total=40, private=10, not_given=7, by_settings=20, with_issues=3)


def test_mailbox_says_when_it_was_reset_last() -> None:
    at = datetime(2026, 11, 28, 12, tzinfo=UTC)
    assert mailbox(MAILBOX).reset_at is None
    assert mailbox(replace(MAILBOX, reset_at=at)).reset_at == at


def test_nothing_is_missing_during_the_first_sync_or_of_a_whole_copy() -> None:
    stored = replace(MAILBOX, first_sync_done=False, items=60, in_scope=100)
    assert mailbox(stored).not_copied is None
    assert mailbox(replace(stored, first_sync_done=True, in_scope=60)).not_copied is None


def test_mailboxes_on_hold_are_listed_page_by_page() -> None:
    parts, at = ApiParts(), datetime(2026, 11, 28, tzinfo=UTC)
    for name in ("m1", "m2", "m3", "m4"):
        parts.add_mailbox(name, hold_since=at if name != "m2" else None)
    first = parts.call(list_mailboxes, hold="on", limit="2")
    rest = parts.call(list_mailboxes, hold="on", limit="2", cursor=first.next)
    assert [one.id for page in (first, rest) for one in page.mailboxes] == ["m1", "m3", "m4"]
    assert (rest.next, {one.hold_since for one in first.mailboxes}) == ("", {at})
    assert parts.call(list_mailboxes, hold="on", group="legal").mailboxes == []
    with pytest.raises(Malformed):
        parts.call(list_mailboxes, hold="off")
