"""The rules between a person and a token: their account, their tenant's policies, consent."""

from sandbox.entra.errors import EntraError, SignInBlocked
from sandbox.entra.scopes import Scopes
from sandbox.people.directory import EWS_APP_ROLE, GRAPH_APP_ROLES, App, Directory, Person, Tenant

ANY_TENANT = ("organizations", "common")


class Policy:
    """The current rules of every tenant."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def tenant(self, name: str) -> Tenant | None:
        """The tenant that a path names; None for organizations and common. Raises EntraError."""
        if name in ANY_TENANT:
            return None
        tenant = self._directory.tenant(name)
        if tenant is None:
            raise EntraError(90002, f"Tenant '{name}'.")
        return tenant

    def home(self, person: Person) -> Tenant:
        """A person's own tenant."""
        tenant = self._directory.tenant(person.tenant_id)
        assert tenant is not None  # noqa: S101 -- people are only added to tenants there are
        return tenant

    def admit(self, person: Person, tenant_name: str) -> None:
        """Check that a person may sign in to the tenant. Raises SignInBlocked."""
        tenant = self.tenant(tenant_name)
        if tenant is not None and tenant.id != person.tenant_id:
            raise SignInBlocked(50020, f"Tenant '{tenant.name}'.")
        if self._directory.person(person.oid) is not person:
            raise SignInBlocked(50034)
        for refused, number in ((person.disabled, 50057), (not person.assigned, 50105), (person.blocked, 53003)):
            if refused:
                raise SignInBlocked(number)

    def second_factor(self, person: Person, *, challenged: bool) -> bool:
        """Whether the sign-in pages ask for a second factor."""
        return person.mfa == "always" or (person.mfa == "step_up" and challenged)

    def missing(self, app: App, person: Person, permissions: frozenset[str]) -> frozenset[str]:
        """The permissions that neither the person nor their administrator has granted yet."""
        granted = person.grants.get(app.client_id, set()) | self.home(person).admin_grants.get(app.client_id, set())
        return permissions - granted

    def may_consent(self, person: Person) -> bool:
        """Whether a person may consent to these permissions themselves."""
        return person.administrator or self.home(person).consent == "user"

    def consent(self, app: App, person: Person, scopes: Scopes) -> None:
        """Record a person's consent."""
        self.home(person).known_apps.add(app.client_id)
        person.grants.setdefault(app.client_id, set()).update(scopes.permissions)

    def consent_for_all(self, app: App, tenant: Tenant, scopes: Scopes, *, as_app: bool = False) -> None:
        """Record an administrator's consent for everyone; with `as_app` also to the application permissions."""
        tenant.known_apps.add(app.client_id)
        tenant.admin_grants.setdefault(app.client_id, set()).update(scopes.permissions)
        if as_app:
            tenant.app_roles.setdefault(app.client_id, set()).update({EWS_APP_ROLE, *GRAPH_APP_ROLES})
