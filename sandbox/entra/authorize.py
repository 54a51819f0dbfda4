"""A sign-in from the app's request to the answer: which page comes next, and what is sent back.

Plain decisions over plain data; service.py renders the pages and reads the forms.
"""

import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.entra.clients import Clients
from sandbox.entra.errors import EntraError, SignInBlocked
from sandbox.entra.grants import Grant, Grants, Interaction, Interactions, Page
from sandbox.entra.policy import Policy
from sandbox.entra.scopes import parse
from sandbox.people.directory import App, Directory, Person

SECOND_FACTOR = "246810"
"""The sandbox's one code for everyone; the page shows it."""
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_KNOWN = {
    *("client_id", "response_type", "redirect_uri", "scope", "state", "nonce", "code_challenge"),
    *("code_challenge_method", "response_mode", "prompt", "login_hint", "domain_hint", "claims", "client_info"),
    *("client-request-id", "haschrome"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to the app, and the redirect URI it goes to."""

    redirect_uri: str
    response_mode: str
    values: Mapping[str, str]


class FormError(Exception):
    """A form was filled in wrongly; the same page is shown again with this message."""


class Authorize:
    """The authorization endpoint's decisions."""

    def __init__(self, directory: Directory, policy: Policy, clients: Clients, grants: Grants) -> None:
        self._directory = directory
        self._policy = policy
        self._clients = clients
        self._grants = grants
        self.under_way = Interactions()

    def begin(self, tenant: str, query: Mapping[str, str]) -> Interaction:
        """Check the app's request. Raises EntraError for what must not be sent back to an unverified redirect URI."""
        for name in sorted(query.keys() - _KNOWN):
            if not name.startswith("x-"):
                self._directory.note(f"entra authorize: unknown parameter {name}")
        app = self._app(tenant, query)
        return self.under_way.add(
            Interaction(
                app=app,
                tenant=tenant,
                redirect_uri=query["redirect_uri"],
                response_mode="form_post" if query.get("response_mode") == "form_post" else "query",
                scopes=parse("", app.client_id),
                challenge=query.get("code_challenge", ""),
                state=query.get("state", ""),
                nonce=query.get("nonce", ""),
                prompt=query.get("prompt", ""),
                login_hint=query.get("login_hint", ""),
                claims=query.get("claims", ""),
            )
        )

    def begin_admin_consent(self, tenant: str, query: Mapping[str, str]) -> Interaction:
        """Check a request for admin consent. Raises EntraError, which the administrator sees."""
        app = self._app(tenant, query)
        scope = query.get("scope", "https://outlook.office365.com/.default")
        return self.under_way.add(
            Interaction(
                app=app,
                tenant=tenant,
                redirect_uri=query["redirect_uri"],
                response_mode="query",
                scopes=parse(scope, app.client_id),
                state=query.get("state", ""),
                # Entra asks for the administrator's account however many accounts are signed in.
                prompt="select_account",
                for_everybody=True,
                as_app="/.default" in scope,
            )
        )

    def _app(self, tenant: str, query: Mapping[str, str]) -> App:
        app = self._clients.find(query.get("client_id", ""))
        self._policy.tenant(tenant)
        if query.get("redirect_uri", "") not in app.redirect_uris:
            # An exact match, as RFC 9700 2.1 requires: no prefix, no other query.
            raise EntraError(50011, f"{query.get('redirect_uri', 'none')} is not registered.")
        return app

    def check(self, interaction: Interaction, query: Mapping[str, str]) -> None:
        """Check the rest, whose errors are sent back to the app. Raises EntraError."""
        if query.get("response_type") != "code":
            raise EntraError(700054, query.get("response_type", "none"))
        if query.get("response_mode", "query") not in ("query", "form_post"):
            raise EntraError(9002313, "response_mode must be query or form_post.")
        if not interaction.challenge:
            raise EntraError(9002325)
        if query.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(interaction.challenge):
            raise EntraError(501491)
        if not query.get("scope"):
            raise EntraError(900144, "scope")
        interaction.scopes = parse(query["scope"], interaction.app.client_id)
        for wanted in ("state", "nonce"):
            if not query.get(wanted):
                self._directory.note(f"entra authorize: no {wanted}")

    def recognise(self, interaction: Interaction, signed_in: list[Person]) -> Page:
        """The first page, given who is signed in to this browser already. Raises EntraError for prompt=none."""
        hinted = self._directory.person(interaction.login_hint) if interaction.login_hint else None
        known = hinted in signed_in if hinted else len(signed_in) == 1
        if interaction.prompt == "none" and not known:
            raise EntraError(16000 if signed_in and not hinted else 50058)
        if interaction.prompt == "login" or not signed_in or (hinted and not known):
            return Page.SIGN_IN
        if interaction.prompt == "select_account" or not known:
            return Page.PICK
        interaction.person = hinted or signed_in[0]
        return self.next(interaction)

    def sign_in(self, interaction: Interaction, username: str, password: str) -> Page:
        """Check address and password. Raises FormError, EntraError."""
        person = self._directory.person(username.strip())
        if person is None:
            raise FormError(str(EntraError(50034)))
        if not hmac.compare_digest(person.password.encode(), password.encode()):
            raise FormError(str(EntraError(50126)))
        interaction.person, interaction.authenticated_at = person, time.time()
        return self.next(interaction)

    def pick(self, interaction: Interaction, oid: str, signed_in: list[Person]) -> Page:
        """Select one of the accounts signed in to this browser, or another one."""
        interaction.person = next((person for person in signed_in if person.oid == oid), None)
        return self.next(interaction) if interaction.person else Page.SIGN_IN

    def verify(self, interaction: Interaction, code: str) -> Page:
        """Check the second factor. Raises FormError, EntraError."""
        if not hmac.compare_digest(code.strip().encode(), SECOND_FACTOR.encode()):
            raise FormError("That code is not right. Look at your authenticator and try again.")
        interaction.verified = True
        return self.next(interaction)

    def next(self, interaction: Interaction) -> Page:
        """The next step, given the steps done so far. Raises EntraError, Done."""
        person = interaction.person
        if person is None:
            return Page.SIGN_IN
        if person.authorize_error:
            raise EntraError(person.authorize_error)
        try:
            self._policy.admit(person, interaction.tenant)
            if interaction.for_everybody and not person.administrator:
                raise SignInBlocked(90094, "Sign in with an administrator's account.")
        except SignInBlocked as barred:
            interaction.barred, interaction.text = barred.number, barred.text
            return self._page(interaction, Page.BARRED, barred.number)
        challenged = bool(interaction.claims)
        if not interaction.verified and self._policy.second_factor(person, challenged=challenged):
            return self._page(interaction, Page.VERIFY, 50076)
        if interaction.for_everybody:
            return Page.FOR_EVERYBODY
        missing = self._policy.missing(interaction.app, person, interaction.scopes.permissions)
        if missing or (interaction.prompt == "consent" and not interaction.consented):
            if not self._policy.may_consent(person):
                return self._page(interaction, Page.APPROVAL, 90094)
            return self._page(interaction, Page.CONSENT, 65001)
        raise Done

    def _page(self, interaction: Interaction, page: Page, number: int) -> Page:
        if interaction.prompt == "none":
            raise EntraError(number)
        return page

    def another(self, interaction: Interaction) -> Page:
        """Start again with another account."""
        interaction.person, interaction.verified, interaction.barred = None, False, 0
        interaction.authenticated_at = 0.0
        interaction.prompt = interaction.prompt.replace("none", "")
        return Page.SIGN_IN

    def leave(self, interaction: Interaction) -> Answer:
        """Cancel the sign-in; the person returns to the app."""
        number = 90094 if interaction.page is Page.APPROVAL else interaction.barred
        return self.refuse(interaction, EntraError(number or 65004))

    def request_approval(self, interaction: Interaction, reason: str) -> Page:
        """Record a request for an administrator's approval; nothing is sent back to the app."""
        person = interaction.person
        if person is None or not self._policy.home(person).consent_requests:
            raise EntraError(9002313)
        self._policy.home(person).requests.append({"address": person.address, "reason": reason[:500]})
        self.under_way.close(interaction)
        interaction.text = "An administrator will look at your request. You can close this window."
        return Page.REQUESTED

    def consent(self, interaction: Interaction, *, accepted: bool, for_everybody: bool) -> Page:
        """Apply the person's decision on the requested permissions. Raises EntraError, Done."""
        person = interaction.person
        if not accepted:
            raise EntraError(65004)
        if person is None or not self._policy.may_consent(person):
            raise EntraError(90094)
        interaction.consented = True
        self._policy.consent(interaction.app, person, interaction.scopes)
        if for_everybody and person.administrator:
            self._policy.consent_for_all(interaction.app, self._policy.home(person), interaction.scopes)
        return self.next(interaction)

    def consent_for_everybody(self, interaction: Interaction, *, accepted: bool) -> Answer:
        """Apply an administrator's decision for the tenant."""
        person = interaction.person
        if person is None or not person.administrator:
            raise EntraError(90094)
        tenant = self._policy.home(person)
        if not accepted:
            return self.refuse(interaction, EntraError(65004))
        self._policy.consent_for_all(interaction.app, tenant, interaction.scopes, as_app=interaction.as_app)
        scope = " ".join(sorted(interaction.scopes.permissions))
        return self._answer(interaction, {"tenant": tenant.id, "scope": scope})

    def finish(self, interaction: Interaction) -> Answer:
        """Finish the sign-in: send a code back."""
        person = interaction.person
        assert person is not None  # noqa: S101 -- Done is raised for a known person alone
        code = self._grants.code(
            Grant(
                app=interaction.app,
                person=person,
                verified=interaction.verified,
                issued_at=time.time(),
                scopes=interaction.scopes,
                authenticated_at=interaction.authenticated_at,
                redirect_uri=interaction.redirect_uri,
                challenge=interaction.challenge,
                nonce=interaction.nonce,
            )
        )
        return self._answer(interaction, {"code": code, "session_state": interaction.id[:12]})

    def refuse(self, interaction: Interaction, error: EntraError) -> Answer:
        """Send an error back."""
        return self._answer(interaction, error.for_authorize())

    def _answer(self, interaction: Interaction, values: dict[str, str]) -> Answer:
        self.under_way.close(interaction)
        state = {"state": interaction.state} if interaction.state else {}
        if interaction.for_everybody:
            # True for a refusal as well, as with Entra: an app that checks only this treats every answer as consent.
            state["admin_consent"] = "True"
        return Answer(interaction.redirect_uri, interaction.response_mode, values | state)


class Done(Exception):
    """No question is left: a code can be issued."""
