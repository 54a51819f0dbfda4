"""The components that every subject uses: the clock, the schedule's interval, the thresholds, and the pages."""

import time
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from shared.pages.languages import Language
from shared.storage.azure_clients import AzureClients

if TYPE_CHECKING:
    from shared.mailboxes.transitions import Thresholds
    from shared.pages.brand import Brand
    from shared.pages.pages import Pages


def utc_now() -> datetime:
    """The clock, in aware UTC."""
    return datetime.now(UTC)


class BaseComponents(AzureClients):
    """Adds to Azure's clients what all subjects share."""

    monotonic = staticmethod(time.monotonic)

    @cached_property
    def interval(self) -> timedelta:
        """How often a mailbox is due."""
        from shared.scheduling.ncrontab import Schedule

        return Schedule.parse(self.settings.sync_schedule).interval()

    @cached_property
    def thresholds(self) -> "Thresholds":
        """The numbers of consecutive failures after which somebody has to act."""
        from shared.mailboxes.transitions import Thresholds

        return Thresholds(self.settings.rejections_before_sign_in, self.settings.failures_before_suspension)

    def pages_in(self, language: Language) -> "Pages":
        """The HTML pages in a language. Those for operators and the texts of the API are in English only."""
        pages = self._pages_by_language.get(language)
        if pages is None:
            pages = self._pages_by_language[language] = self._build_pages(language)
        return pages

    @cached_property
    def _pages_by_language(self) -> "dict[Language, Pages]":
        return {}

    def _build_pages(self, language: Language) -> "Pages":
        from shared.pages.catalog import catalog_of
        from shared.pages.pages import Pages

        return Pages(self.settings.organization, self.settings.support_contact, catalog_of(language), self.brand)

    @cached_property
    def brand(self) -> "Brand":
        """The organization's color and logo."""
        from shared.pages.brand import Brand

        return Brand(self.settings.organization_color, self.settings.organization_logo)
