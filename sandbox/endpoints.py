"""Says where everything is: endpoints.json, and the environment that makes the app use it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.ews_gateway import PATH
from sandbox.services import Services
from sandbox.storage.azurite import Storage
from sandbox.tls.authority import trust


def endpoints(services: Services, storage: Storage | None) -> dict[str, Any]:
    """Everything a client, a test or the app needs to know."""
    served = services.served()
    key = services.options.state.resolve() / "tls" / "token-signing-key.pem"
    key.write_bytes(services.issuer.public_key_pem())
    said: dict[str, Any] = {
        "ca": str(services.authority.ca),
        "server_certificate": str(services.authority.certificate),
        "server_key": str(services.authority.key),
        "token_public_key": str(key),
        "control": served["control"],
        "client_id": services.app.client_id,
        "tenants": {tenant.name: tenant.id for tenant in services.directory.tenants},
        "people": [
            {"address": p.address, "password": p.password, "display_name": p.display_name, "notes": p.notes}
            for p in services.directory.people
        ],
    }
    for name in ("entra", "graph", "key_vault"):
        if name in served:
            said[name] = served[name]
    if "exchange" in served:
        said["exchange"] = served["exchange"] + PATH
    elif services.options.ews_url:
        said["exchange"] = services.options.ews_url
    if "identity" in served:
        said["identity"] = {"endpoint": served["identity"] + "/msi/token", "header": services.header}
    if storage:
        said |= {"blob": storage.blob, "queue": storage.queue, "table": storage.table}
    return said | {"app_environment": _app_environment(services, said)}


def _app_environment(services: Services, said: Mapping[str, Any]) -> dict[str, str]:
    """What the app's process needs, APP_URL apart: its settings that differ, and whom to trust."""
    named = {
        "ENTRA_AUTHORITY": said.get("entra"),
        "ENTRA_CLIENT_ID": services.app.client_id,
        "ENTRA_TENANTS": "organizations",
        "OPERATOR_TENANT": services.directory.tenants[0].id,
        "EWS_URL": said.get("exchange"),
        "GRAPH_URL": said.get("graph"),
        "KEY_VAULT_URL": said.get("key_vault"),
        "MailboxStorage__blobServiceUri": said.get("blob"),
        "MailboxStorage__queueServiceUri": said.get("queue"),
        "MailboxStorage__tableServiceUri": said.get("table"),
    }
    environment = {name: str(value) for name, value in named.items() if value}
    if identity := said.get("identity"):
        environment |= {
            "IDENTITY_ENDPOINT": identity["endpoint"],
            "IDENTITY_HEADER": identity["header"],
            "AZURE_CLIENT_ID": services.identity.client_id,
        }
    return environment | trust(_bundle(services))


def _bundle(services: Services) -> Path:
    """Whom the app trusts: the sandbox, and the authority of a real Exchange that it talks to itself."""
    options = services.options
    if not options.ews_ca or options.ews_auth == "basic":
        return services.authority.ca
    bundle = options.state.resolve() / "tls" / "bundle.pem"
    bundle.write_bytes(services.authority.ca.read_bytes() + b"\n" + options.ews_ca.read_bytes())
    return bundle


def publish(endpoints: dict[str, Any], state: Path) -> Path:
    """Write endpoints.json in one step, readable by its owner alone."""
    path = state / "endpoints.json"
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(endpoints, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
    return path
