"""Settings: read, checked, and the README's table true to them."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from shared.errors import SettingsInvalid
from shared.settings import Settings

REQUIRED = {
    "APP_URL": "https://mail.contoso.example",
    "ENTRA_CLIENT_ID": "c0ffee",
    "ENTRA_TENANTS": "organizations",
    "KEY_VAULT_URL": "https://vault.contoso.example",
    "MailboxStorage__blobServiceUri": "https://blob.contoso.example",
    "MailboxStorage__queueServiceUri": "https://queue.contoso.example",
    "MailboxStorage__tableServiceUri": "https://table.contoso.example",
}


def test_the_required_settings_are_enough_and_the_rest_has_defaults() -> None:
    settings = Settings.from_environ(REQUIRED)
    assert settings.sync_schedule == "0 */30 * * * *"
    assert settings.folders_out == ("junkemail", "deleteditems")
    assert settings.entra_authority == "https://login.microsoftonline.com"


def test_every_problem_is_named_at_once_and_no_value_is_quoted() -> None:
    wrong = REQUIRED | {"APP_URL": "http://plain.example", "SYNC_SHARDS": "zero-secret", "SYNC_CONTENT": "all"}
    del wrong["KEY_VAULT_URL"]
    with pytest.raises(SettingsInvalid) as raised:
        Settings.from_environ(wrong)
    assert {problem.split()[0] for problem in raised.value.problems} == {
        "APP_URL",
        "SYNC_SHARDS",
        "SYNC_CONTENT",
        "KEY_VAULT_URL",
    }
    assert "plain.example" not in str(raised.value)
    assert "zero-secret" not in str(raised.value)


@pytest.mark.parametrize("value", ["https://[SECRET]", "https://SE\u2100CRET.example", "https://[SECRET", "SECRET"])
def test_what_is_no_url_at_all_is_not_quoted_either(value: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        Settings.from_environ(REQUIRED | {"KEY_VAULT_URL": value})
    (problem,) = caught.value.problems
    assert problem.startswith("KEY_VAULT_URL must be an https:// URL")


def test_the_apps_address_has_no_path() -> None:
    with pytest.raises(SettingsInvalid, match="APP_URL must be an https:// URL without a path"):
        Settings.from_environ(REQUIRED | {"APP_URL": "https://sync.example/mail"})
    assert Settings.from_environ(REQUIRED | {"APP_URL": "https://sync.example/"}).app_url == "https://sync.example"


def test_a_list_of_tenants_that_names_none_lets_nobody_in_and_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match="ENTRA_TENANTS must name a tenant"):
        Settings.from_environ(REQUIRED | {"ENTRA_TENANTS": ","})


@pytest.mark.parametrize("given", [{}, {"ENTRA_TENANTS": ""}, {"ENTRA_TENANTS": "  "}])
def test_who_may_sign_in_has_no_default(given: dict[str, str]) -> None:
    """S16: an app without the setting must not accept every organization."""
    without = {name: value for name, value in REQUIRED.items() if name != "ENTRA_TENANTS"}
    with pytest.raises(SettingsInvalid, match="ENTRA_TENANTS is missing"):
        Settings.from_environ(without | given)


def test_tenants_are_ids_as_tokens_write_them() -> None:
    tenant = "AAAAAAAA-0000-0000-0000-00000000000A"
    settings = Settings.from_environ(REQUIRED | {"ENTRA_TENANTS": tenant, "OPERATOR_TENANT": tenant})
    assert settings.entra_tenants == (tenant.lower(),)
    assert settings.operator_tenant == tenant.lower()
    assert Settings.from_environ(REQUIRED).entra_tenants == ("organizations",)
    with pytest.raises(SettingsInvalid) as raised:
        Settings.from_environ(REQUIRED | {"ENTRA_TENANTS": f"{tenant}, contoso.com", "OPERATOR_TENANT": "contoso.com"})
    assert {problem.split()[0] for problem in raised.value.problems} == {"ENTRA_TENANTS", "OPERATOR_TENANT"}


def test_a_certificate_credential_needs_the_name_of_its_secret() -> None:
    with pytest.raises(SettingsInvalid, match="ENTRA_CERTIFICATE_SECRET"):
        Settings.from_environ(REQUIRED | {"ENTRA_CREDENTIAL": "certificate"})


def test_the_readme_lists_every_setting_with_its_default_and_purpose() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*) \|$", readme, re.MULTILINE)
    declared = []
    for setting in fields(Settings):
        default = setting.metadata["default"]
        shown = "**required**" if default is None else f"`{default}`" if default else "empty"
        declared.append((setting.metadata["name"], shown, setting.metadata["purpose"]))
    assert rows == declared


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Smith\\, John", ("Smith, John",)),
        ("Inbox/Smith\\, John,junkemail", ("Inbox/Smith, John", "junkemail")),
        ("a\\\\,b", ("a\\", "b")),
        ("a\\b, c\\", ("a\\b", "c\\")),
        (" , ,a,, b ,", ("a", "b")),
    ],
)
def test_a_comma_in_a_name_is_written_with_a_backslash(written: str, read: tuple[str, ...]) -> None:
    """M5: the wrong folders were left out."""
    settings = Settings.from_environ(REQUIRED | {"SYNC_FOLDERS_OUT": written})
    assert settings.folders_out == read
