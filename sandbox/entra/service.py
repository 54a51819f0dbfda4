"""Entra ID as a server: discovery, keys, the sign-in pages, the token endpoint, admin consent."""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

from aiohttp import web

from sandbox.entra.authorize import Answer, Authorize, Done, FormError
from sandbox.entra.clients import Clients
from sandbox.entra.errors import EntraError
from sandbox.entra.grants import Grants, Interaction, Page
from sandbox.entra.issuer import Issuer
from sandbox.entra.pages import Pages
from sandbox.entra.policy import ANY_TENANT, Policy
from sandbox.entra.token import TokenEndpoint
from sandbox.entra.tokens import Tokens
from sandbox.people.directory import Directory, Person

_COOKIE = "__Host-sandbox-signed-in"
_TROUBLE = "Sorry, but we’re having trouble signing you in"
Step = Callable[[web.Request, Interaction, Mapping[str, str]], Page | Answer]


class Entra:
    """The sandbox's Entra ID."""

    def __init__(self, directory: Directory, issuer: Issuer) -> None:
        self._directory = directory
        self._issuer = issuer
        self._policy = Policy(directory)
        clients, grants = Clients(directory, issuer), Grants()
        self._authorize = Authorize(directory, self._policy, clients, grants)
        self._token = TokenEndpoint(directory, self._policy, clients, grants, Tokens(issuer))
        self._signed_in: dict[str, dict[str, float]] = {}
        """By browser session: when each person who is signed in, by object id, entered their password."""
        self._pages = Pages(directory, self._policy)

    def application(self) -> web.Application:
        """The web application of Entra."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/style.css", self._pages.style),
                web.get("/{tenant}/v2.0/.well-known/openid-configuration", self._discovery),
                web.get("/{tenant}/discovery/v2.0/keys", self._keys),
                web.get("/{tenant}/oauth2/v2.0/authorize", self._begin),
                web.post("/{tenant}/oauth2/v2.0/token", self._tokens),
                web.get("/{tenant}/oauth2/v2.0/logout", self._sign_out),
                web.get("/{tenant}/v2.0/adminconsent", self._begin_admin_consent),
                *(web.post(f"/{{tenant}}/{name}", self._step(step)) for name, step in self._steps().items()),
            ]
        )
        return application

    async def _discovery(self, request: web.Request) -> web.Response:
        name, base = request.match_info["tenant"], self._issuer.entra_url
        try:
            tenant = self._policy.tenant(name)
        except EntraError as error:
            return web.json_response(error.for_token(), status=400)
        return web.json_response(
            {
                "issuer": self._issuer.v2(tenant.id if tenant else "{tenantid}"),
                "authorization_endpoint": f"{base}/{name}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/{name}/oauth2/v2.0/token",
                "end_session_endpoint": f"{base}/{name}/oauth2/v2.0/logout",
                "jwks_uri": f"{base}/{name}/discovery/v2.0/keys",
                "response_modes_supported": ["query", "form_post"],
                "response_types_supported": ["code"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"],
                "code_challenge_methods_supported": ["S256"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "tenant_region_scope": None if name in ANY_TENANT else "EU",
                "cloud_instance_name": "sandbox",
            }
        )

    async def _keys(self, _: web.Request) -> web.Response:
        return web.json_response(self._issuer.jwks())

    async def _tokens(self, request: web.Request) -> web.Response:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
        try:
            answer = self._token.answer(request.match_info["tenant"], form)
        except EntraError as error:
            return web.json_response(error.for_token(), status=error.status, headers=headers)
        return web.json_response(answer, headers=headers)

    async def _begin(self, request: web.Request) -> web.Response:
        tenant = request.match_info["tenant"]
        try:
            interaction = self._authorize.begin(tenant, request.query)
        except EntraError as error:
            return self._pages.message(_TROUBLE, error.text, status=400)

        def first() -> Page:
            self._authorize.check(interaction, request.query)
            return self._authorize.recognise(interaction, self._accounts(request))

        return self._respond(request, interaction, first)

    async def _begin_admin_consent(self, request: web.Request) -> web.Response:
        try:
            interaction = self._authorize.begin_admin_consent(request.match_info["tenant"], request.query)
        except EntraError as error:
            return self._pages.message(_TROUBLE, error.text, status=400)
        return self._respond(
            request, interaction, lambda: self._authorize.recognise(interaction, self._accounts(request))
        )

    async def _sign_out(self, request: web.Request) -> web.Response:
        self._signed_in.pop(request.cookies.get(_COOKIE, ""), None)
        back = request.query.get("post_logout_redirect_uri", "")
        if any(
            urlsplit(back)[:2] == urlsplit(uri)[:2]
            for app in self._directory.apps.values()
            for uri in app.redirect_uris
        ):
            response = web.Response(status=302, headers={"Location": back})
        else:
            response = self._pages.message("You signed out of your account", "You can close this window.")
        response.del_cookie(_COOKIE)
        return response

    def _steps(self) -> dict[str, Step]:
        """The action of each form on the pages."""
        authorize = self._authorize
        return {
            "login": lambda _, flow, form: authorize.sign_in(flow, form.get("username", ""), form.get("password", "")),
            "account": lambda request, flow, form: authorize.pick(
                flow, form.get("account", ""), self._accounts(request)
            ),
            "verify": lambda _, flow, form: authorize.verify(flow, form.get("code", "")),
            "consent": lambda _, flow, form: authorize.consent(
                flow, accepted=form.get("answer") == "accept", for_everybody=form.get("everybody") == "yes"
            ),
            "adminconsent": lambda _, flow, form: authorize.consent_for_everybody(
                flow, accepted=form.get("answer") == "accept"
            ),
            "approval": lambda _, flow, form: authorize.request_approval(flow, form.get("reason", "")),
            "another": lambda _, flow, form: authorize.another(flow),
            "leave": lambda _, flow, form: authorize.leave(flow),
        }

    def _step(self, step: Step) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
            try:
                interaction = self._authorize.under_way.get(form.get("flow", ""))
            except EntraError as error:
                return self._pages.message(_TROUBLE, error.text, status=400)
            return self._respond(request, interaction, lambda: step(request, interaction, form))

        return handle

    def _respond(
        self, request: web.Request, interaction: Interaction, step: Callable[[], Page | Answer]
    ) -> web.Response:
        """Perform a step and show its result: the next page, or the redirect to the app."""
        wrong = ""
        outcome: Page | Answer
        try:
            outcome = step()
        except FormError as problem:
            outcome, wrong = interaction.page, str(problem)
        except Done:
            interaction.authenticated_at = interaction.authenticated_at or self._authenticated_at(request, interaction)
            outcome = self._authorize.finish(interaction)
        except EntraError as error:
            outcome = self._authorize.refuse(interaction, error)
        if isinstance(outcome, Answer):
            response = self._pages.answer(interaction, outcome)
        else:
            interaction.page = outcome
            response = self._pages.page(interaction, self._accounts(request), wrong)
        self._remember(request, response, interaction)
        return response

    def _accounts(self, request: web.Request) -> list[Person]:
        """The people who are signed in to this browser."""
        oids = self._signed_in.get(request.cookies.get(_COOKIE, ""), {})
        return [person for person in map(self._directory.person, oids) if person]

    def _authenticated_at(self, request: web.Request, interaction: Interaction) -> float:
        """When this browser's person entered their password; now if it is not known."""
        known = self._signed_in.get(request.cookies.get(_COOKIE, ""), {})
        return known.get(interaction.person.oid if interaction.person else "", time.time())

    def _remember(self, request: web.Request, response: web.Response, interaction: Interaction) -> None:
        """Keep a person signed in to this browser, as Entra does."""
        person = interaction.person
        if person is None:
            return
        session = request.cookies.get(_COOKIE, "")
        if session not in self._signed_in:
            session = secrets.token_urlsafe(24)
            # SameSite=None: the app's page links here from another site.
            response.set_cookie(_COOKIE, session, secure=True, httponly=True, samesite="None")
        accounts = self._signed_in.setdefault(session, {})
        if interaction.authenticated_at or person.oid not in accounts:
            accounts[person.oid] = interaction.authenticated_at or time.time()


async def operation_of(request: web.Request) -> str:
    """The name of an operation, for faults and counts: authorize, login, keys, or token with its grant type."""
    last = request.path.rpartition("/")[2]
    return f"token {(await request.post()).get('grant_type', '')}".strip() if last == "token" else last
