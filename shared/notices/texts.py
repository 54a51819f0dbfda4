"""Composes the mails from the catalog's sentences."""

from datetime import datetime

from shared.mailboxes.model import Mailbox
from shared.mailboxes.summary.model import AttentionGroup, Totals
from shared.notices.model import Mail, NoticeKind
from shared.pages import paths
from shared.pages.catalog import Catalog
from shared.pages.console.mailbox import remedy_key
from shared.pages.console.overview import share_text
from shared.pages.languages import number_text


class NoticeTexts:
    """The mails of one deployment; `app_url` begins their links."""

    def __init__(self, catalog: Catalog, organization: str, support: str, app_url: str) -> None:
        self._catalog = catalog
        self._organization = organization
        self._support = support
        self._app_url = app_url

    def for_person(self, kind: NoticeKind, mailbox: Mailbox, to: str) -> Mail:
        """What the owner is told: what happened, the one thing to do, and the link to do it."""
        reason = f"problems.{mailbox.reason}.happened"
        lines = [
            self._text(f"mail.{kind.value}.person"),
            self._text(reason) if kind is not NoticeKind.RECOVERED and reason in self._catalog else "",
            self._text(f"mail.{kind.value}.todo"),
            f"{self._app_url}{paths.MY_SYNC}?mailbox={mailbox.id}",
            self._text("mail.help", contact=self._support) if self._support else "",
            self._text("mail.why"),
        ]
        return Mail((to,), self._text(f"mail.{kind.value}.subject"), _paragraphs(lines))

    def for_operators(self, kind: NoticeKind, mailbox: Mailbox, to: tuple[str, ...]) -> Mail:
        """What the operators are told of one mailbox."""
        known = f"operator.reasons.{mailbox.reason}"
        lines = [
            self._text(f"mail.{kind.value}.operator", address=mailbox.address),
            self._text(known) + "." if mailbox.reason and known in self._catalog else "",
            f"{self._app_url}{paths.MAILBOXES}/{mailbox.id}",
            self._text("mail.operators_why"),
        ]
        subject = self._text(f"mail.{kind.value}.operator_subject", address=mailbox.address)
        return Mail(to, subject, _paragraphs(lines))

    def digest(self, totals: Totals, now: datetime, to: tuple[str, ...]) -> Mail:
        """The operators' digest: totals, and what needs attention with the one thing to do."""
        counts = totals.counts
        figures = self._text(
            "mail.digest.figures",
            mailboxes=counts.mailboxes,
            synced=counts.synced,
            share=share_text(totals.share_fresh, self._catalog.language),
            items=counts.items,
            issues=counts.issues,
        )
        groups = [self._group(group) for group in totals.attention]
        none = "console.attention.none_so_far" if totals.missing else "mail.digest.none"
        lines = [
            figures,
            *([self._text("console.overview.missing")] if totals.missing else []),
            self._text("mail.digest.attention") if groups else self._text(none),
            *groups,
            f"{self._app_url}{paths.OPERATOR}",
            self._text("mail.operators_why"),
        ]
        subject = self._text("mail.digest.subject", day=f"{now:%Y-%m-%d}", count=totals.needing_attention)
        return Mail(to, subject, _paragraphs(lines))

    def _group(self, group: AttentionGroup) -> str:
        """How many mailboxes need the same, and the one thing to do about them."""
        count = number_text(group.count, self._catalog.language)
        concern = self._text(f"console.concerns.{group.concern.value}")
        reason = f" · {self._reason(group.reason)}" if group.reason else ""
        return f"{count} · {concern}{reason}\n  {self._text(remedy_key(group.concern, group.reason))}"

    def _reason(self, reason: str) -> str:
        key = f"operator.reasons.{reason}"
        return self._text(key) if key in self._catalog else reason

    def _text(self, key: str, **values: object) -> str:
        return self._catalog.text(key, organization=self._organization, **values)


def _paragraphs(lines: list[str]) -> str:
    return "\n\n".join(line for line in lines if line) + "\n"
