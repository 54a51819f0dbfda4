"""The permissions that an app requests, by resource, with the text that the consent page shows for each."""

from dataclasses import dataclass

from sandbox.entra.errors import EntraError
from sandbox.entra.issuer import EXCHANGE, GRAPH

OIDC = frozenset({"openid", "profile", "email", "offline_access"})
_DELEGATED = {
    EXCHANGE: {"EWS.AccessAsUser.All": "Access your mailbox as you, with Exchange Web Services"},
    GRAPH: {
        "User.Read": "Sign you in and read your profile",
        "Mail.Read": "Read your mail",
        "Calendars.Read": "Read your calendars",
        "Contacts.Read": "Read your contacts",
        "Tasks.Read": "Read your tasks and task lists",
    },
}
_OIDC_TEXTS = {
    "openid": "Sign you in",
    "profile": "View your basic profile",
    "email": "View your email address",
    "offline_access": "Maintain access to data you have given it access to",
}
_ALIASES = {"https://outlook.office.com": EXCHANGE}
DEFAULT = ".default"


@dataclass(frozen=True, slots=True)
class Scopes:
    """The requested permissions: OpenID's own, and full names (resource/permission) by resource."""

    oidc: frozenset[str]
    by_resource: dict[str, frozenset[str]]

    @property
    def permissions(self) -> frozenset[str]:
        """Every full name, without OpenID's scopes."""
        return frozenset().union(*self.by_resource.values())

    def texts(self) -> list[str]:
        """The consent page's text, one line for each permission."""
        lines = [text for name, text in _OIDC_TEXTS.items() if name in self.oidc and name == "offline_access"]
        for resource, names in self.by_resource.items():
            known = _DELEGATED.get(resource, {})
            lines += [known.get(name.rpartition("/")[2], name) for name in sorted(names)]
        return lines


def parse(text: str, client_id: str) -> Scopes:
    """Parse a scope parameter. A name without a resource belongs to Graph.

    Raises:
        EntraError: an unknown resource or permission, or .default mixed with others of its resource.
    """
    found: dict[str, set[str]] = {}
    names = text.split()
    for name in names:
        if name not in OIDC:
            resource, permission = _split(name, client_id)
            found.setdefault(resource, set()).add(permission)
    return Scopes(
        frozenset(names) & OIDC,
        {resource: _expand(resource, permissions, client_id) for resource, permissions in found.items()},
    )


def _split(name: str, client_id: str) -> tuple[str, str]:
    if "/" not in name:
        return GRAPH, name
    resource, _, permission = name.rpartition("/")
    resource = _ALIASES.get(resource.rstrip("/"), resource.rstrip("/"))
    if resource in (client_id, f"api://{client_id}"):
        return client_id, permission
    if resource not in _DELEGATED:
        raise EntraError(500011, resource)
    return resource, permission


def _expand(resource: str, permissions: set[str], client_id: str) -> frozenset[str]:
    known = set(_DELEGATED.get(resource, {"user_impersonation": ""}))
    if DEFAULT in permissions:
        if len(permissions) > 1:
            raise EntraError(70011, ".default cannot be combined with other permissions of the same resource.")
        permissions = known
    if unknown := permissions - known:
        raise EntraError(70011, " ".join(sorted(unknown)))
    prefix = f"api://{client_id}" if resource == client_id else resource
    return frozenset(f"{prefix}/{permission}" for permission in permissions)


def single(scopes: Scopes) -> str:
    """The one resource a token is requested for; Graph when only OpenID's scopes are named. Raises EntraError."""
    if len(scopes.by_resource) > 1:
        raise EntraError(28000, " ".join(sorted(scopes.by_resource)))
    return next(iter(scopes.by_resource), GRAPH)
