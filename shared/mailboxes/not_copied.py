"""Divides the items of a mailbox that are not in its copy by the reason, for the person's page and the API."""

from dataclasses import dataclass

from shared.mailboxes.model import Mailbox


@dataclass(frozen=True, slots=True)
class NotCopied:
    """How many items are not in the copy, and for which reasons: the four parts add up to `total`.

    The parts are counted at different times, so each is limited to what the ones before it leave.
    """

    total: int
    with_issues: int
    private: int
    not_given: int
    """Counted by the mailbox and not given by Microsoft Graph."""
    by_settings: int
    """The rest, left out by other settings: excluded addresses, or mail that is too old."""

    def parts(self) -> list[tuple[str, int]]:
        """Return the parts to show, as keys under [my_sync.not_copied]: those with items, and issues always."""
        chosen = [("private", self.private), ("not_given", self.not_given), ("by_settings", self.by_settings)]
        return [*(part for part in chosen if part[1]), ("with_issues", self.with_issues)]


def not_copied(mailbox: Mailbox) -> NotCopied | None:
    """Return the figures; None during the first sync, and if nothing is missing."""
    total = mailbox.in_scope - mailbox.items
    if not mailbox.first_sync_done or total <= 0:
        return None
    with_issues = min(total, mailbox.issues)
    private = min(total - with_issues, mailbox.private_left_out)
    not_given = min(total - with_issues - private, mailbox.not_provided)
    return NotCopied(total, with_issues, private, not_given, total - with_issues - private - not_given)
