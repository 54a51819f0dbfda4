"""Microsoft's SecretClient, unmodified and with its challenge verification, against the sandbox's vault."""

import uuid
from collections.abc import Iterator, Mapping

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient

from sandbox.local.sandbox_process import Sandbox


@pytest.fixture
def vault(sandbox: Sandbox, azure_environment: Mapping[str, str]) -> Iterator[SecretClient]:
    with SecretClient(sandbox.endpoints["key_vault"], DefaultAzureCredential()) as client:
        yield client


@pytest.fixture
def name() -> str:
    return f"authorization-{uuid.uuid4()}"


def test_the_newest_version_is_read_and_older_ones_by_their_id(vault: SecretClient, name: str) -> None:
    first = vault.set_secret(name, "one", content_type="refresh-token", tags={"a": "b"})
    vault.set_secret(name, "two")
    assert vault.get_secret(name).value == "two"
    old = vault.get_secret(name, first.properties.version)
    assert (old.value, old.properties.content_type, old.properties.tags) == ("one", "refresh-token", {"a": "b"})
    assert len(list(vault.list_properties_of_secret_versions(name))) == 2


def test_a_disabled_version_is_not_given_out(vault: SecretClient, name: str) -> None:
    version = vault.set_secret(name, "one").properties.version
    vault.update_secret_properties(name, version, enabled=False)
    with pytest.raises(HttpResponseError) as refused:
        vault.get_secret(name, version)
    assert refused.value.status_code == 403
    assert "one" not in str(refused.value)


def test_a_deleted_secret_is_gone_but_holds_its_name_until_purged(vault: SecretClient, name: str) -> None:
    vault.set_secret(name, "one")
    deleted = vault.begin_delete_secret(name).result()
    assert deleted.scheduled_purge_date
    assert deleted.deleted_date
    assert deleted.scheduled_purge_date > deleted.deleted_date
    with pytest.raises(ResourceNotFoundError):
        vault.get_secret(name)
    with pytest.raises(ResourceExistsError):
        vault.set_secret(name, "again")
    assert name in {secret.name for secret in vault.list_deleted_secrets()}
    vault.purge_deleted_secret(name)
    assert vault.set_secret(name, "again").value == "again"


def test_a_deletion_can_be_taken_back(vault: SecretClient, name: str) -> None:
    vault.set_secret(name, "one")
    vault.begin_delete_secret(name).result()
    vault.begin_recover_deleted_secret(name).result()
    assert vault.get_secret(name).value == "one"


def test_purge_protection_keeps_what_was_deleted(vault: SecretClient, sandbox: Sandbox, name: str) -> None:
    vault.set_secret(name, "one")
    vault.begin_delete_secret(name).result()
    sandbox.control.patch("/key_vault", {"purge_protection": True})
    try:
        with pytest.raises(HttpResponseError) as refused:
            vault.purge_deleted_secret(name)
        assert refused.value.status_code == 403
    finally:
        sandbox.control.patch("/key_vault", {"purge_protection": False})


def test_more_secrets_than_a_page_holds_are_all_listed(vault: SecretClient) -> None:
    names = {f"many-{uuid.uuid4()}" for _ in range(30)}
    for each in names:
        vault.set_secret(each, "x")
    assert names <= {secret.name for secret in vault.list_properties_of_secrets()}


def test_a_secret_of_more_than_25_kb_is_refused(vault: SecretClient, name: str) -> None:
    vault.set_secret(name, "x" * 25 * 1024)
    with pytest.raises(HttpResponseError):
        vault.set_secret(name, "x" * (25 * 1024 + 1))


def test_no_token_or_one_for_something_else_gets_the_challenge(sandbox: Sandbox) -> None:
    url = sandbox.endpoints["key_vault"] + "/secrets/x?api-version=7.6"
    storage = sandbox.control.post("/tokens", {"identity": "https://storage.azure.com"})["token"]
    for headers in ({}, {"Authorization": f"Bearer {storage}"}, {"Authorization": "Basic eDp5"}):
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(url, headers=headers, verify=sandbox.endpoints["ca"], timeout=300)
        assert answer.status_code == 401
        assert 'resource="https://0.0.1:' in answer.headers["WWW-Authenticate"]
