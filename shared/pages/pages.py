"""Renders the web pages from templates, the catalog's sentences, and the organization's name and contact.

Every value on a page is escaped. A missing value of a template is an error, not an empty space.
"""

import re
from datetime import datetime
from importlib import resources
from importlib.resources.abc import Traversable
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from shared.pages import paths
from shared.pages.brand import Brand
from shared.pages.catalog import Catalog, english
from shared.pages.console.mailbox import CONFIRMED_FIRST, remedy_key
from shared.pages.console.trend import share_of
from shared.pages.console.webhooks import CONFIRMED_FIRST as WEBHOOK_CONFIRMED_FIRST
from shared.pages.languages import Language, number_text, percent_text, time_text
from shared.pages.mailbox_actions import NEEDS_CONFIRMATION
from shared.version import VERSION

_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*@[A-Za-z0-9][A-Za-z0-9.-]*")

TEMPLATE_FOLDERS = ("", "console")

UNNAMED = "site.your_organization"
"""The sentence that stands for the organization while the setting ORGANIZATION has its default, which it equals."""

MY_APPS_URL = "https://myapps.microsoft.com"
"""Where a person can see and withdraw the permissions of applications."""


class Pages:
    """Renders the pages of one deployment."""

    def __init__(
        self, organization: str, support_contact: str = "", catalog: Catalog | None = None, brand: Brand | None = None
    ) -> None:
        # Imported here, because an instance that only syncs mailboxes shows no page and starts faster without it.
        from jinja2 import Environment, FunctionLoader, StrictUndefined

        self.catalog = catalog or english()
        self.organization = self._name_of(organization)
        """Its name in this language."""
        self._environment = Environment(
            loader=FunctionLoader(_template),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            t=self.text,
            lines=self.catalog.lines,
            known=self.catalog.__contains__,
            paths=paths,
            confirmed_first=NEEDS_CONFIRMATION,
            console_confirmed_first=CONFIRMED_FIRST,
            webhook_confirmed_first=WEBHOOK_CONFIRMED_FIRST,
            remedy_key=remedy_key,
            share_of=share_of,
            my_apps_url=MY_APPS_URL,
            reason_text=self._reason_text,
            organization=self.organization,
            language=self.catalog.language,
            brand=brand or Brand(),
            support_contact=support_contact,
            support_url=contact_url(support_contact),
            time=self._time,
            number_text=self._number_text,
            percent_text=self._percent_text,
            breakable=breakable,
            version=VERSION,
        )

    def text(self, key: str, **values: object) -> str:
        """Return a sentence of the catalog; `{organization}` is always filled in."""
        return self.catalog.text(key, **{"organization": self.organization, **values})

    def _name_of(self, organization: str) -> str:
        """Return the organization's name; the setting's default, which is English text, in the catalog's language."""
        is_default = organization == english().text(UNNAMED)
        return self.catalog.text(UNNAMED) if is_default and UNNAMED in self.catalog else organization

    def _time(self, at: datetime) -> Markup:
        return time_element(at, self.catalog.language)

    def _number_text(self, number: int) -> str:
        return number_text(number, self.catalog.language)

    def _percent_text(self, percent: float) -> str:
        return percent_text(percent, self.catalog.language)

    def _reason_text(self, reason: str) -> str:
        """Return what a reason means for the operator; the reason itself if it has no sentence."""
        key = f"operator.reasons.{reason}"
        return self.text(key) if key in self.catalog else reason

    def render(self, name: str, /, **values: object) -> str:
        """Return a page as HTML. `name` is a file in templates/, with or without `.html`."""
        template = self._environment.get_template(name if name.endswith(".html") else f"{name}.html")
        return template.render(**values)


def contact_url(contact: str) -> str:
    """Return an https or mailto link for the support contact; empty if it is neither, and then it is shown as text."""
    if urlsplit(contact).scheme == "https":
        return contact
    local, at, domain = contact.partition("@")
    return f"mailto:{contact}" if at and local and "." in domain and not set(contact) & set(" ?&<>\"'") else ""


def command_argument(address: str) -> str:
    """Return an address that is safe to paste into a shell; a placeholder for one with characters that are not."""
    return address if _PLAIN_ADDRESS.fullmatch(address) else "<mailbox>"


def time_element(at: datetime, language: Language = Language.ENGLISH) -> Markup:
    """Return a <time> element in UTC; the page's script converts it to the reader's time zone."""
    iso = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    return Markup('<time datetime="{}">{} UTC</time>').format(iso, time_text(at, language))


def breakable(address: str) -> Markup:
    """Return an address that a narrow page breaks before its @."""
    return escape(address).replace("@", Markup("<wbr>@"))


def static_file(name: str) -> bytes | None:
    """Return a file of the static folder, or None. Only existing names match, so a path cannot leave the folder."""
    return next((file.read_bytes() for file in _folder("static").iterdir() if file.name == name), None)


def _template(name: str) -> str | None:
    """The text of a template; names of the operator's pages begin with `console/`."""
    folder, _, last = name.rpartition("/")
    place = _folder("templates").joinpath(folder) if folder in TEMPLATE_FOLDERS else None
    file = next((file for file in place.iterdir() if file.name == last), None) if place else None
    return file.read_text("utf-8") if file else None


def _folder(name: str) -> Traversable:
    return resources.files(__package__).joinpath(name)
