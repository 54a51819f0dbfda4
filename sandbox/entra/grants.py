"""What Entra has issued: authorization codes and refresh tokens; and the sign-ins in progress."""

import secrets
import time
from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.entra.errors import EntraError
from sandbox.entra.scopes import Scopes
from sandbox.people.directory import App, Person

CODE_SECONDS = 120
"""Seconds. Much shorter than Entra's ten minutes, so that a slow app is noticed here."""
INTERACTION_SECONDS = 1800
REFRESH_DAYS = 90


class Page(StrEnum):
    """The page a person sees next; the values name the templates."""

    SIGN_IN = "sign_in"
    PICK = "pick"
    VERIFY = "verify"
    CONSENT = "consent"
    APPROVAL = "approval"
    FOR_EVERYBODY = "for_everybody"
    REQUESTED = "requested"
    BARRED = "barred"


@dataclass(slots=True)
class Interaction:
    """A sign-in in progress: the app's request, and how far the person has come."""

    app: App
    tenant: str
    redirect_uri: str
    response_mode: str
    scopes: Scopes
    challenge: str = field(default="", repr=False)
    state: str = field(default="", repr=False)
    nonce: str = field(default="", repr=False)
    prompt: str = ""
    login_hint: str = ""
    claims: str = ""
    for_everybody: bool = False
    """Admin consent for the whole tenant instead of a sign-in."""
    as_app: bool = False
    """Application permissions are requested too (.default)."""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    started_at: float = field(default_factory=time.time)
    person: Person | None = None
    authenticated_at: float = 0.0
    """When the person entered their password; 0 until it is known."""
    verified: bool = False
    """Whether the second factor was checked."""
    consented: bool = False
    page: Page = Page.SIGN_IN
    barred: int = 0
    """The AADSTS number of the page that refuses the sign-in."""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code or a refresh token stands for."""

    app: App
    person: Person
    verified: bool
    issued_at: float
    scopes: Scopes
    authenticated_at: float = 0.0
    redirect_uri: str = ""
    challenge: str = field(default="", repr=False)
    nonce: str = field(default="", repr=False)


class Interactions:
    """Sign-ins in progress, by their unguessable id."""

    def __init__(self) -> None:
        self._open: dict[str, Interaction] = {}

    def add(self, interaction: Interaction) -> Interaction:
        """Add one, and delete the expired ones."""
        oldest = time.time() - INTERACTION_SECONDS
        self._open = {id_: each for id_, each in self._open.items() if each.started_at > oldest}
        self._open[interaction.id] = interaction
        return interaction

    def get(self, id_: str) -> Interaction:
        """A sign-in in progress. Raises EntraError."""
        try:
            return self._open[id_]
        except KeyError:
            raise EntraError(9002313, "This sign-in is over or has expired: begin again in the application.") from None

    def close(self, interaction: Interaction) -> None:
        """Remove one that was answered."""
        self._open.pop(interaction.id, None)


class Grants:
    """Authorization codes, usable once within two minutes, and refresh tokens, usable repeatedly."""

    def __init__(self) -> None:
        self._codes: dict[str, Grant] = {}
        self._spent: set[str] = set()
        self._refresh: dict[str, Grant] = {}

    def code(self, grant: Grant) -> str:
        """Issue an authorization code."""
        code = "0.A" + secrets.token_urlsafe(64)
        self._codes[code] = grant
        return code

    def redeem(self, code: str) -> Grant:
        """Redeem a code. Raises EntraError: unknown, already redeemed, expired."""
        if code in self._spent:
            raise EntraError(54005)
        grant = self._codes.pop(code, None)
        if grant is None:
            raise EntraError(9002313, "The code is not one of ours.")
        self._spent.add(code)
        if grant.issued_at + CODE_SECONDS < time.time():
            raise EntraError(70008)
        return grant

    def refresh_token(self, grant: Grant) -> str:
        """Issue a refresh token; earlier ones stay valid."""
        token = "1.A" + secrets.token_urlsafe(96)
        self._refresh[token] = grant
        return token

    def refresh(self, token: str) -> Grant:
        """What a refresh token stands for. Raises EntraError: unknown, revoked, expired."""
        grant = self._refresh.get(token)
        if grant is None:
            raise EntraError(9002313, "The refresh token is not one of ours.")
        if grant.person.grants_revoked_at >= grant.issued_at:
            raise EntraError(50173)
        idle_since = max(grant.person.refresh_expired_at, time.time() - REFRESH_DAYS * 86400)
        if idle_since >= grant.issued_at:
            raise EntraError(700082)
        return grant
