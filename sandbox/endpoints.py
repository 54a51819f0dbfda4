"""Writes endpoints.json: every service's address, and the environment that makes the app use them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.ews_gateway import PATH
from sandbox.services import Services
from sandbox.storage.azurite import Storage
from sandbox.tls.authority import trust


def endpoints(services: Services, storage: Storage | None) -> dict[str, Any]:
    """Everything that a client, a test or the app needs to know."""
    served = services.served()
    key = services.options.state.resolve() / "tls" / "token-signing-key.pem"
    key.write_bytes(services.issuer.public_key_pem())
    contents: dict[str, Any] = {
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
    for name in ("entra", "graph", "key_vault", "webhooks", "mail"):
        if name in served:
            contents[name] = served[name]
    if "exchange" in served:
        contents["exchange"] = served["exchange"] + PATH
    elif services.options.ews_url:
        contents["exchange"] = services.options.ews_url
    if "identity" in served:
        contents["identity"] = {"endpoint": served["identity"] + "/msi/token", "header": services.header}
    if storage:
        contents |= {"blob": storage.blob, "queue": storage.queue, "table": storage.table}
    return contents | {"app_environment": _app_environment(services, contents)}


def _app_environment(services: Services, contents: Mapping[str, Any]) -> dict[str, str]:
    """The app's environment except APP_URL: the settings that differ from the defaults, and the trusted CAs."""
    named = {
        "ENTRA_AUTHORITY": contents.get("entra"),
        "ENTRA_CLIENT_ID": services.app.client_id,
        "ENTRA_TENANTS": "organizations",
        "OPERATOR_TENANT": services.directory.tenants[0].id,
        "EWS_URL": contents.get("exchange"),
        "GRAPH_URL": contents.get("graph"),
        "KEY_VAULT_URL": contents.get("key_vault"),
        "WEBHOOK_PRIVATE_HOSTS": "127.0.0.1",
        "MAIL_ENDPOINT": contents.get("mail"),
        "MAIL_SENDER": "sync@contoso.example",
        "MAIL_OPERATORS": "robin@contoso.example",
        "MailboxStorage__blobServiceUri": contents.get("blob"),
        "MailboxStorage__queueServiceUri": contents.get("queue"),
        "MailboxStorage__tableServiceUri": contents.get("table"),
    }
    environment = {name: str(value) for name, value in named.items() if value}
    if identity := contents.get("identity"):
        environment |= {
            "IDENTITY_ENDPOINT": identity["endpoint"],
            "IDENTITY_HEADER": identity["header"],
            "AZURE_CLIENT_ID": services.identity.client_id,
        }
    return environment | trust(_bundle(services))


def _bundle(services: Services) -> Path:
    """The CA file that the app trusts: the sandbox's, plus that of a real Exchange that the app calls directly."""
    options = services.options
    if not options.ews_ca or options.ews_auth == "basic":
        return services.authority.ca
    bundle = options.state.resolve() / "tls" / "bundle.pem"
    bundle.write_bytes(services.authority.ca.read_bytes() + b"\n" + options.ews_ca.read_bytes())
    return bundle


def publish(endpoints: dict[str, Any], state: Path) -> Path:
    """Write endpoints.json atomically, readable by its owner only."""
    path = state / "endpoints.json"
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(endpoints, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
    return path
