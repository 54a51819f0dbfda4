"""Mail about mailboxes, to their people and to the operators."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.app.base import utc_now
from shared.app.stores import StoreComponents
from shared.pages.languages import Language

if TYPE_CHECKING:
    from shared.mailboxes.summary.model import Totals
    from shared.notices.notices import Notices
    from shared.notices.texts import NoticeTexts


class NoticeComponents(StoreComponents):
    """What sends mail."""

    @cached_property
    def notices(self) -> "Notices":
        """Sends the queued notices."""
        from shared.notices.communication_email import CommunicationMailer
        from shared.notices.notices import Notices

        settings = self.settings
        return Notices(
            CommunicationMailer(settings.mail_endpoint, settings.mail_sender, self.credential),
            {language: self._notice_texts(language) for language in Language},
            language=Language(settings.mail_language),
            find=self.registry.get,
            totals=self._totals,
            operators=settings.mail_operators,
            people=settings.mail_people,
            clock=utc_now,
        )

    def _notice_texts(self, language: Language) -> "NoticeTexts":
        from shared.notices.texts import NoticeTexts

        pages = self.pages_in(language)
        return NoticeTexts(pages.catalog, pages.organization, self.settings.support_contact, self.settings.app_url)

    def _totals(self) -> "Totals":
        from shared.mailboxes.summary.model import total

        return total(self.summaries.all(), self.settings.sync_shards, utc_now())
