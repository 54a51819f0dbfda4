"""All settings of the program; nothing else reads the environment.

To add a setting, add a field here with its `setting(...)` and run `make docs`, which writes the README's table and the
settings of infra/modules/app.bicep. The tests compare the three.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

from shared import setting_parsers as parsers
from shared.errors import SettingsInvalid


def setting(name: str, purpose: str, parse: Callable[[str], Any] = parsers.text, default: str | None = None) -> Any:
    """Declare one setting: its environment name, purpose, parser, and default (None: required)."""
    return field(metadata={"name": name, "purpose": purpose, "parse": parse, "default": default})


@dataclass(frozen=True, slots=True)
class Settings:
    """The program's configuration, checked and typed. It holds no secrets; those are only in Key Vault."""

    # The app itself
    app_url: str = setting(
        "APP_URL", "The app's public https address, as registered with Entra ID", parsers.app_address
    )
    organization: str = setting("ORGANIZATION", "The name that people see on the pages", default="Your organization")
    support_contact: str = setting("SUPPORT_CONTACT", "Where people can ask for help: an address or a URL", default="")
    organization_color: str = setting(
        "ORGANIZATION_COLOR",
        "The color of buttons and links, #rrggbb, dark enough for white text on it (contrast 4.5:1)",
        parsers.color,
        "",
    )
    organization_logo: bytes = setting(
        "ORGANIZATION_LOGO",
        "The logo on the pages: a PNG file of at most 24 KiB, in base64",
        parsers.png_in_base64,
        "",
    )
    organization_copies: str = setting(
        "ORGANIZATION_COPIES",
        "What receipts say about copies outside this service, such as exports: none, kept, or unstated (ask)",
        parsers.choice("unstated", "none", "kept"),
        "unstated",
    )
    return_urls: tuple[str, ...] = setting(
        "RETURN_URLS",
        "Where an invitation may send people afterward: https URLs, comma-separated",
        parsers.url_list,
        "",
    )

    # Entra ID
    entra_client_id: str = setting("ENTRA_CLIENT_ID", "The app registration's client id")
    entra_authority: str = setting(
        "ENTRA_AUTHORITY",
        "The sign-in service; differs in national clouds",
        parsers.url,
        "https://login.microsoftonline.com",
    )
    entra_tenants: tuple[str, ...] = setting(
        "ENTRA_TENANTS",
        "Who may sign in: one tenant id, several, or organizations for any work or school account",
        parsers.tenants,
    )
    operator_tenant: str = setting(
        "OPERATOR_TENANT",
        "The tenant whose accounts may hold the role Operator; empty: the one in ENTRA_TENANTS, if it is one",
        parsers.tenant_or_none,
        "",
    )
    api_clients: tuple[str, ...] = setting(
        "API_CLIENTS",
        "Client ids of the programs that may call the API, comma-separated; by default the Azure CLI",
        parsers.client_ids,
        "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
    )
    entra_credential: str = setting(
        "ENTRA_CREDENTIAL",
        "How the app authenticates to Entra ID: managed_identity (federated) or certificate",
        parsers.choice("managed_identity", "certificate"),
        "managed_identity",
    )
    entra_certificate_secret: str = setting(
        "ENTRA_CERTIFICATE_SECRET", "Name of the Key Vault secret with the certificate and its key (PEM)", default=""
    )
    entra_assertion_scope: str = setting(
        "ENTRA_ASSERTION_SCOPE",
        "Audience of the managed identity's assertion; differs in national clouds",
        default="api://AzureADTokenExchange/.default",
    )
    identity_client_id: str = setting(
        "AZURE_CLIENT_ID", "Client id of the app's user-assigned managed identity", default=""
    )

    # Sources
    ews_url: str = setting(
        "EWS_URL", "The Exchange Web Services endpoint", parsers.url, "https://outlook.office365.com/EWS/Exchange.asmx"
    )
    ews_delegated_scope: str = setting(
        "EWS_DELEGATED_SCOPE",
        "What a person consents to for EWS",
        default="https://outlook.office365.com/EWS.AccessAsUser.All",
    )
    ews_app_scope: str = setting(
        "EWS_APP_SCOPE", "The scope of app-only access over EWS", default="https://outlook.office365.com/.default"
    )
    graph_scopes: tuple[str, ...] = setting(
        "GRAPH_SCOPES",
        "What a person consents to for Graph, together with EWS, so that nobody signs in again when EWS ends",
        parsers.comma_list,
        "https://graph.microsoft.com/Mail.Read,https://graph.microsoft.com/Calendars.Read,"
        "https://graph.microsoft.com/Contacts.Read,https://graph.microsoft.com/Tasks.Read,"
        "https://graph.microsoft.com/User.Read",
    )

    graph_app_scope: str = setting(
        "GRAPH_APP_SCOPE",
        "The scope of app-only access over Microsoft Graph",
        default="https://graph.microsoft.com/.default",
    )
    graph_url: str = setting(
        "GRAPH_URL",
        "Microsoft Graph; differs in national clouds",
        parsers.url,
        "https://graph.microsoft.com",
    )
    sync_source: str = setting(
        "SYNC_SOURCE",
        "Which source reads new mailboxes: auto (EWS where it is allowed, else Microsoft Graph), ews or graph",
        parsers.choice("auto", "ews", "graph"),
        "auto",
    )

    ews_ends: str = setting(
        "EWS_ENDS",
        "From this day on (UTC) mailboxes in Exchange Online are moved to Microsoft Graph",
        parsers.day,
        "2027-03-01",
    )
    cut_over_days: int = setting(
        "CUT_OVER_DAYS", "Over how many days from EWS_ENDS on the moves are spread", parsers.number(1, 365), "14"
    )

    # Storage
    key_vault_url: str = setting("KEY_VAULT_URL", "The Key Vault that keeps refresh tokens", parsers.url)
    blob_url: str = setting("MailboxStorage__blobServiceUri", "Blob Storage: packs, feed, cursors", parsers.url)
    queue_url: str = setting(
        "MailboxStorage__queueServiceUri", "Queue Storage: shards and mailboxes to sync", parsers.url
    )
    table_url: str = setting(
        "MailboxStorage__tableServiceUri", "Table Storage: registry, items, runs, issues", parsers.url
    )

    # Schedule
    sync_schedule: str = setting(
        "SYNC_SCHEDULE",
        "NCRONTAB schedule of the dispatch, UTC: how often mailboxes are synced",
        parsers.schedule,
        "0 */30 * * * *",
    )
    sweep_schedule: str = setting(
        "SWEEP_SCHEDULE", "NCRONTAB schedule of the daily sweep, UTC", parsers.schedule, "0 15 2 * * *"
    )
    sync_shards: int = setting(
        "SYNC_SHARDS", "The number of shards that the registry is read in at a tick", parsers.number(1, 256), "16"
    )
    sync_budget_seconds: int = setting(
        "SYNC_BUDGET_SECONDS", "How many seconds a pass may run before its continuation", parsers.number(5, 1500), "240"
    )
    sync_connections: int = setting(
        "SYNC_CONNECTIONS", "Connections to Exchange per mailbox", parsers.number(1, 10), "3"
    )

    # Scope
    folders_in: tuple[str, ...] = setting(
        "SYNC_FOLDERS_IN",
        "Only these folders (role, Exchange name or path; a comma in a name: \\,) and their subfolders; empty: all",
        parsers.comma_list,
        "",
    )
    folders_out: tuple[str, ...] = setting(
        "SYNC_FOLDERS_OUT", "Not these folders nor their subfolders", parsers.comma_list, "junkemail,deleteditems"
    )
    mail_days: int = setting(
        "SYNC_MAIL_DAYS", "How many days of past mail are synced; 0: all mail", parsers.number(0, 36500), "0"
    )
    content: str = setting(
        "SYNC_CONTENT",
        "How much of an item is stored: metadata, body or mime",
        parsers.choice("metadata", "body", "mime"),
        "mime",
    )
    largest_item_mb: int = setting(
        "SYNC_LARGEST_ITEM_MB", "Larger contents are not fetched", parsers.number(1, 150), "150"
    )
    private_items: bool = setting(
        "SYNC_PRIVATE_ITEMS", "Whether items marked private are synced", parsers.flag, "false"
    )
    exclude: tuple[str, ...] = setting(
        "SYNC_EXCLUDE", "Items from or to these addresses or @domains are not synced", parsers.comma_list, ""
    )
    shared_mailboxes: tuple[str, ...] = setting(
        "SYNC_SHARED_MAILBOXES",
        "Addresses of shared mailboxes, synced with the sign-in of a person who has access to them",
        parsers.comma_list,
        "",
    )
    archives: bool = setting("SYNC_ARCHIVES", "Whether online archives are synced too", parsers.flag, "false")
    occurrence_days_back: int = setting(
        "SYNC_OCCURRENCE_DAYS_BACK", "How many days back recurring events are expanded", parsers.number(0, 365), "14"
    )
    occurrence_days_ahead: int = setting(
        "SYNC_OCCURRENCE_DAYS_AHEAD", "How many days ahead recurring events are expanded", parsers.number(0, 730), "365"
    )

    # Retention and lifetimes
    deleted_days: int = setting(
        "REPLICA_DELETED_DAYS",
        "Within how many days a deleted item's bytes are removed from the packs",
        parsers.number(0, 90),
        "7",
    )
    retention_days: int = setting(
        "REPLICA_RETENTION_DAYS",
        "How many days an item is kept after it left the mailbox; 0: it is deleted from the copy at once",
        parsers.number(0, 3650),
        "0",
    )
    sign_in_minutes: int = setting(
        "SIGN_IN_MINUTES", "How many minutes a started sign-in stays valid", parsers.number(5, 60), "15"
    )
    session_minutes: int = setting(
        "SESSION_MINUTES", "How many minutes a person's session lasts", parsers.number(5, 480), "30"
    )
    invitation_days: int = setting(
        "INVITATION_DAYS", "How many days an invitation link stays valid", parsers.number(1, 60), "7"
    )

    # Webhooks
    webhook_private_hosts: tuple[str, ...] = setting(
        "WEBHOOK_PRIVATE_HOSTS",
        "Hosts with private addresses that webhooks may reach, to try them on one machine; leave empty in production",
        parsers.comma_list,
        "",
    )

    # Metrics
    application_insights: str = setting(
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "The Application Insights resource that metrics are sent to every minute; empty: no metrics",
        default="",
    )

    # Mail
    mail_endpoint: str = setting(
        "MAIL_ENDPOINT",
        "The Azure Communication Services resource that sends mail about mailboxes; empty: no mail is sent",
        parsers.url_or_none,
        "",
    )
    mail_sender: str = setting("MAIL_SENDER", "The sender's address, of a domain verified in that resource", default="")
    mail_operators: tuple[str, ...] = setting(
        "MAIL_OPERATORS",
        "Who is told of mailboxes that stop or recover, and gets the daily digest: addresses, comma-separated",
        parsers.comma_list,
        "",
    )
    mail_people: bool = setting(
        "MAIL_PEOPLE", "Whether people are told when their own mailbox stops or recovers", parsers.flag, "true"
    )

    mail_language: str = setting(
        "MAIL_LANGUAGE",
        "The language of mail to operators, and to people whose own is not known: en or de",
        parsers.choice("en", "de"),
        "en",
    )

    # Thresholds
    rejections_before_sign_in: int = setting(
        "REJECTIONS_BEFORE_SIGN_IN",
        "Consecutive rejections by the mail server before the person is asked to sign in",
        parsers.number(1, 100),
        "6",
    )
    failures_before_suspension: int = setting(
        "FAILURES_BEFORE_SUSPENSION",
        "Failed passes in a row before a mailbox is suspended; outages of a service do not count",
        parsers.number(1, 1000),
        "10",
    )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read and check every setting.

        Raises:
            SettingsInvalid: names every setting that is missing or malformed, never its value.
        """
        values: dict[str, Any] = {}
        problems: list[str] = []
        for declared in fields(cls):
            try:
                values[declared.name] = _read(declared, environ)
            except ValueError as problem:
                problems.append(f"{declared.metadata['name']} {problem}")
        if values.get("entra_credential") == "certificate" and not values.get("entra_certificate_secret"):
            problems.append("ENTRA_CERTIFICATE_SECRET is needed when ENTRA_CREDENTIAL is certificate")
        if problems:
            raise SettingsInvalid(problems)
        return cls(**values)


def _read(declared: Field[Any], environ: Mapping[str, str]) -> Any:
    """One setting's value. Raises ValueError with what is wrong with it."""
    value = environ.get(declared.metadata["name"], "").strip() or declared.metadata["default"]
    if value is None:
        raise ValueError("is missing")
    return declared.metadata["parse"](value)


def load() -> Settings:
    """The settings of this process."""
    return Settings.from_environ(os.environ)  # noqa: TID251 -- the only place that reads it
