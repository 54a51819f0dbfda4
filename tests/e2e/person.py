"""A person at a browser without script, who can stop before the app and send it odd requests."""

import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from sandbox.local.form_browser import Form, Page
from sandbox.local.local_stack import LocalStack
from tests.e2e.people import new_person, password_of

OPERATOR = "robin@contoso.example"
MOST_STEPS = 8
MOST_WAITS = 20
BUTTONS = ("accept", "return", "sign in", "continue")


class Person:
    """One person and their browser's cookies."""

    def __init__(self, stack: LocalStack, address: str) -> None:
        self.stack = stack
        self.address = address
        self._at_microsoft = address
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = stack.ca

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """One request to the app, its redirects not followed; asked to wait, they wait."""
        for _ in range(MOST_WAITS):
            answer = self.send(method, path, **more)
            if answer.status_code != 429 or path.startswith("/my-sync"):
                break
            time.sleep(float(answer.headers["Retry-After"]))
        return answer

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        """The same without patience."""
        url = urljoin(self.stack.url, path)
        return self.session.request(method, url, **({"allow_redirects": False, "timeout": 60} | more))

    def begin(self, path: str = "/sign-in") -> dict[str, str]:
        """Begin a sign-in and go through Microsoft's pages; gives the form that would be posted to the app."""
        return self.at_microsoft(self.ask("GET", path).headers["Location"])

    def at_microsoft(self, url: str, address: str = "") -> dict[str, str]:
        """Sign in there, with another account if one is named; gives the form that leads back to the app."""
        if address:
            self._at_microsoft = address
            self.session.cookies.clear(domain=urlsplit(url).hostname)
        answer = self.session.get(url, timeout=300)
        for _ in range(MOST_STEPS):
            form = Page(answer.text).forms[0]
            if form.action.startswith(self.stack.url):
                return form.fields
            answer = self.session.post(urljoin(answer.url, form.action), data=self._filled(form), timeout=300)
        raise AssertionError("no form led back to the app")

    def _filled(self, form: Form) -> dict[str, str]:
        filled = {name: self._written(form.kinds[name]) or value for name, value in form.fields.items()}
        button = next((one for one in form.buttons if one[2].lower().startswith(BUTTONS)), None)
        return filled | ({button[0]: button[1]} if button and button[0] else {})

    def _written(self, kind: str) -> str:
        if kind == "password":
            return password_of(self.stack.sandbox, self._at_microsoft)
        return self._at_microsoft if kind in ("text", "email") else ""

    def come_back(self, fields: dict[str, str], **more: Any) -> requests.Response:
        """Post the form to the callback, as a browser does: from another site."""
        headers = {"Origin": "https://127.0.0.1", "Sec-Fetch-Site": "cross-site"}
        return self.ask("POST", "/sign-in/callback", data=fields, headers=headers, **more)

    def connect(self) -> "Person":
        """All the way."""
        assert self.come_back(self.begin()).status_code == 303
        return self

    def csrf(self, path: str = "/my-sync") -> str:
        """The value in the forms of this session's page."""
        return self._on(path, r'name="csrf" value="([^"]+)"')

    def mailbox(self) -> str:
        """The id of the mailbox on the page."""
        return self._on("/my-sync", r'name="mailbox" value="([^"]+)"')

    def cookie(self, name: str) -> str:
        """A cookie of the app's; empty when the browser holds none."""
        return str(self.session.cookies.get(f"__Host-{name}") or "")

    def _on(self, path: str, pattern: str) -> str:
        found = re.search(pattern, self.ask("GET", path).text)
        assert found
        return found[1]

    def close(self) -> None:
        """Leave."""
        self.session.close()


def title(answer: requests.Response) -> str:
    """A page's heading, with plain apostrophes."""
    return Page(answer.text).heading.replace("\u2019", "'")


@contextmanager
def person_and_operator(stack: LocalStack) -> Iterator[tuple[Person, Person]]:
    """A person with a newly connected mailbox, and an operator; both are signed in."""
    with closing(Person(stack, new_person(stack.sandbox))) as person, closing(Person(stack, OPERATOR)) as operator:
        person.connect()
        operator.come_back(operator.begin("/sign-in?to=operator"))
        yield person, operator
