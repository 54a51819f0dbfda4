"""The parts of one run of the sandbox while it is being composed."""

from dataclasses import dataclass, field

from aiohttp import web

from sandbox.entra.issuer import Issuer
from sandbox.faults.fault_plan import FaultPlan, OperationOf
from sandbox.key_vault.service import KeyVault
from sandbox.managed_identity import ManagedIdentity
from sandbox.options import Options
from sandbox.people.directory import App, Directory
from sandbox.tls.authority import Authority
from sandbox.tls.server import BoundPort


@dataclass(slots=True)
class Services:
    """The parts. `served_apps` are the web applications to serve, each with its port."""

    options: Options
    authority: Authority
    ports: dict[str, BoundPort]
    directory: Directory
    app: App
    issuer: Issuer
    identity: ManagedIdentity
    header: str
    vault: KeyVault
    faults: FaultPlan = field(default_factory=FaultPlan)
    served_apps: list[tuple[BoundPort, web.Application]] = field(default_factory=list)
    control_routes: list[web.RouteDef] = field(default_factory=list)

    def serve(self, name: str, application: web.Application, operation: OperationOf) -> None:
        """Serve a service on its port, behind the fault middleware."""
        self.served_apps.append((self.ports[name], self.faults.guard(name, application, operation)))

    def served(self) -> dict[str, str]:
        """The address of each served service, by name."""
        return {name: port.url for name, port in self.ports.items() if any(port is d for d, _ in self.served_apps)}
