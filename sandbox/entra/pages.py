"""The sign-in pages: rendered on the server, usable without script, under a strict content security policy."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sandbox.entra.authorize import SECOND_FACTOR, Answer
from sandbox.entra.grants import Interaction, Page
from sandbox.entra.policy import Policy
from sandbox.people.directory import Directory, Person

_TEMPLATES = Path(__file__).parent / "templates"
_SUBMIT = "document.getElementById('answer').submit()"
_SUBMIT_HASH = base64.b64encode(hashlib.sha256(_SUBMIT.encode()).digest()).decode()
_TITLES = {
    Page.SIGN_IN: "Sign in",
    Page.PICK: "Pick an account",
    Page.VERIFY: "Verify your identity",
    Page.CONSENT: "Permissions requested",
    Page.APPROVAL: "Need admin approval",
    Page.FOR_EVERYBODY: "Permissions requested for your organization",
    Page.REQUESTED: "Request sent",
    Page.BARRED: "You cannot access this right now",
}


class Pages:
    """Renders what a person sees."""

    def __init__(self, directory: Directory, policy: Policy) -> None:
        self._directory = directory
        self._policy = policy
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )

    async def style(self, _: web.Request) -> web.FileResponse:
        """The style sheet."""
        return web.FileResponse(_TEMPLATES / "style.css")

    def page(self, interaction: Interaction, signed_in: list[Person], wrong: str = "") -> web.Response:
        """The page that an interaction has reached."""
        person, page = interaction.person, interaction.page
        template = "message" if page in (Page.BARRED, Page.REQUESTED) else page.value
        return self._render(
            template,
            {
                "title": _TITLES[page],
                "wrong": wrong,
                "tenant": interaction.tenant,
                "flow": "" if page is Page.REQUESTED else interaction.id,
                "app": interaction.app,
                "hint": interaction.login_hint,
                "people": self._directory.people,
                "signed_in": signed_in,
                "person": person,
                "home": self._policy.home(person) if person else None,
                "permissions": interaction.scopes.texts(),
                "as_app": interaction.as_app,
                "second_factor": SECOND_FACTOR,
                "text": interaction.text,
            },
            interaction.redirect_uri,
        )

    def message(self, title: str, text: str, status: int = 200) -> web.Response:
        """A page with only a message."""
        return self._render("message", {"title": title, "wrong": "", "text": text, "flow": ""}, status=status)

    def answer(self, interaction: Interaction, answer: Answer) -> web.Response:
        """The answer to the app: a redirect, or a form that submits itself and has a button too."""
        if answer.response_mode == "query":
            separator = "&" if "?" in answer.redirect_uri else "?"
            location = answer.redirect_uri + separator + urlencode(answer.values)
            return web.Response(status=302, headers={"Location": location} | _headers(""))
        values = {
            "title": "One moment",
            "wrong": "",
            "app": interaction.app,
            "redirect_uri": answer.redirect_uri,
            "values": answer.values,
            "script": _SUBMIT,
        }
        return self._render("form_post", values, answer.redirect_uri)

    def _render(
        self, template: str, values: Mapping[str, object], redirect_uri: str = "", status: int = 200
    ) -> web.Response:
        html = self._templates.get_template(f"{template}.html").render(values)
        return web.Response(text=html, content_type="text/html", status=status, headers=_headers(redirect_uri))


def _headers(redirect_uri: str) -> dict[str, str]:
    # Chromium applies form-action to a form's redirects too, so the app's origin is listed beside our own.
    back = urlsplit(redirect_uri)
    origin = f" {back.scheme}://{back.netloc}" if back.netloc else ""
    return {
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "
        f"script-src 'sha256-{_SUBMIT_HASH}'; form-action 'self'{origin}; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
