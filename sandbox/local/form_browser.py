"""A browser without script: follows links and redirects, fills in the forms it finds, and posts them."""

import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

MAX_STEPS = 12
"""Forms between the first link and the last page; more means a loop."""

MAX_WAITS = 10
MAX_WAIT_SECONDS = 5.0
"""Seconds per wait; together the waits outlast the rate limits of anonymous routes."""

AFFIRMATIVE = ("accept", "yes", "continue", "sign in", "next", "connect", "allow")


class BrowserStuck(RuntimeError):
    """The browser cannot continue; the message names the page."""


@dataclass(slots=True)
class Form:
    """One form of a page: its target, its fields with their values, its buttons (name, value, label)."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """The forms, links (address, label) and heading of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.heading = ""
        self._open = ""
        self._inside: Form | None = None
        self._heard = ""
        self._button: tuple[str, str] | None = None
        self._link = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a form, a field, a button, a link, or a heading."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._inside)
        elif tag == "input" and self._inside is not None:
            self._field(self._inside, given)
        elif tag in ("button", "a", "h1"):
            self._heard = ""
            self._button = (given.get("name", ""), given.get("value", "")) if tag == "button" else self._button
            self._link = given.get("href", "") if tag == "a" else self._link

    def handle_data(self, data: str) -> None:
        """Add text to the open element."""
        self._heard += data

    def handle_endtag(self, tag: str) -> None:
        """Close the element."""
        text = " ".join(self._heard.split())
        if tag == "form":
            self._inside = None
        elif tag == "button" and self._inside is not None and self._button is not None:
            self._inside.buttons.append((*self._button, text))
        elif tag == "a":
            self.links.append((self._link, text))
        elif tag == "h1":
            self.heading = self.heading or text

    @staticmethod
    def _field(form: Form, given: dict[str, str]) -> None:
        kind, name = given.get("type", "text").lower(), given.get("name", "")
        if kind == "submit":
            form.buttons.append((name, given.get("value", ""), given.get("value", "")))
        elif name and (kind not in ("checkbox", "radio") or "checked" in given):
            form.fields[name] = given.get("value", "")
            form.kinds[name] = kind


class FormBrowser:
    """One person's browser session."""

    def __init__(self, ca: str, address: str, password: str) -> None:
        self._session = requests.Session()
        # REQUESTS_CA_BUNDLE would take precedence over the authority named here, and may name another one.
        self._session.trust_env = False
        self._session.verify = ca
        self._address = address
        self._password = password

    def sign_in(self, app_url: str) -> str:
        """Connect the mailbox, from the app's first page to its last; returns the last page's heading.

        Raises:
            BrowserStuck: the sign-in was refused, or a page has no form or link to continue with.
        """
        answer = self._get(app_url + "/")
        page = Page(answer.text)
        start = next((href for href, _ in page.links if href.endswith("/sign-in")), None)
        if start is None:
            raise BrowserStuck(f"the page “{page.heading}” has no link to sign in")
        answer = self._get(urljoin(answer.url, start))
        for _ in range(MAX_STEPS):
            page = Page(answer.text)
            if answer.ok and answer.url.startswith(app_url + "/my-sync"):
                return page.heading
            answer = self._post(self._form(page, answer, app_url), answer.url)
        raise BrowserStuck(f"{MAX_STEPS} forms did not lead to the end; the last page says “{page.heading}”")

    @staticmethod
    def _form(page: Page, answer: requests.Response, app_url: str) -> Form:
        """The form to continue with: the first of a sign-in page. Any page of the app but the last is a refusal."""
        if not answer.ok or not page.forms or answer.url.startswith(app_url):
            raise BrowserStuck(
                f"the page “{page.heading or urlsplit(answer.url).path}” ({answer.status_code}) leads no further"
            )
        return page.forms[0]

    def _post(self, form: Form, at: str) -> requests.Response:
        filled = {name: self._filled(form, name, value) for name, value in form.fields.items()}
        button = next((b for b in form.buttons if b[2].lower().startswith(AFFIRMATIVE)), None)
        button = button or next(iter(form.buttons), None)
        if button and button[0]:
            filled[button[0]] = button[1]
        url = urljoin(at, form.action or at)
        if form.method == "post":
            # A browser sends the page's origin; the callback must accept one that is not its own.
            origin = "{0.scheme}://{0.netloc}".format(urlsplit(at))
            return self._session.post(url, data=filled, headers={"Origin": origin}, timeout=60)
        return self._session.get(url, params=filled, timeout=60)

    def _filled(self, form: Form, name: str, value: str) -> str:
        if form.kinds[name] == "password":
            return self._password
        return value or self._address if form.kinds[name] in ("text", "email") else value

    def _get(self, url: str) -> requests.Response:
        """Get a page; while the server answers with Retry-After, wait and try again a few times."""
        for _ in range(MAX_WAITS):
            answer = self._session.get(url, timeout=60)
            if answer.status_code != 429:
                return answer
            time.sleep(min(float(answer.headers.get("Retry-After", "1")), MAX_WAIT_SECONDS))
        raise BrowserStuck(f"the page {urlsplit(url).path} has asked for patience {MAX_WAITS} times")

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
