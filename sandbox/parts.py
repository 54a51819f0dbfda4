"""What a run of the sandbox is made of, while it is put together."""

from dataclasses import dataclass, field

from aiohttp import web

from sandbox.authority import Authority
from sandbox.entra.issuer import Issuer
from sandbox.faults import FaultPlan, OperationOf
from sandbox.key_vault import KeyVault
from sandbox.managed_identity import ManagedIdentity
from sandbox.options import Options
from sandbox.server import Door
from sandbox.world import App, World


@dataclass(slots=True)
class Parts:
    """The parts. `services` are those that will be served, each behind its door."""

    options: Options
    authority: Authority
    doors: dict[str, Door]
    world: World
    app: App
    issuer: Issuer
    identity: ManagedIdentity
    header: str
    vault: KeyVault
    faults: FaultPlan = field(default_factory=FaultPlan)
    services: list[tuple[Door, web.Application]] = field(default_factory=list)
    control_routes: list[web.RouteDef] = field(default_factory=list)

    def serve(self, name: str, application: web.Application, operation: OperationOf) -> None:
        """Put a service behind its door, with the faults before it."""
        self.services.append((self.doors[name], self.faults.guard(name, application, operation)))

    def served(self) -> dict[str, str]:
        """The address of each service that is served, by name."""
        return {name: door.url for name, door in self.doors.items() if any(door is d for d, _ in self.services)}
