"""Contract suite for the token stores, in memory and in Key Vault, and checks specific to Key Vault."""

import uuid
from collections.abc import Iterator, Mapping

import pytest
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient

from shared.authorization.port import TokenStore
from shared.authorization.tokens.key_vault import VaultKeyRing, VaultTokenStore, read_secret, secret_client
from shared.errors import MailboxSyncError, NotFound, OperatorMustAct
from tests.fakes.authorization import MemoryTokens
from tests.fakes.clock import FakeClock


@pytest.fixture(scope="module")
def vault(azure_environment: Mapping[str, str], credential: DefaultAzureCredential) -> Iterator[SecretClient]:
    with secret_client(azure_environment["KEY_VAULT_URL"], credential) as client:
        yield client


@pytest.fixture(params=["memory", "vault"])
def store(request: pytest.FixtureRequest) -> TokenStore:
    if request.param == "memory":
        return MemoryTokens()
    return VaultTokenStore(request.getfixturevalue("vault"))


@pytest.fixture
def name() -> str:
    return uuid.uuid4().hex


def test_what_was_written_last_is_read(store: TokenStore, name: str) -> None:
    for token in ("first", "second", "third" * 500):
        store.write(name, token)
        assert store.read(name) == token


def test_what_is_not_there_is_not_found(store: TokenStore, name: str) -> None:
    with pytest.raises(NotFound):
        store.read(name)
    assert store.delete(name) is None


def test_a_deleted_token_is_gone_at_once_and_its_name_stays_taken(store: TokenStore, name: str) -> None:
    store.write(name, "token")
    held_until = store.delete(name)
    assert held_until is not None
    with pytest.raises(NotFound):
        store.read(name)
    assert store.delete(name) == held_until
    with pytest.raises(MailboxSyncError):
        store.write(name, "late")


def test_disabled_secret_is_the_operators_and_of_one_alone(vault: SecretClient, name: str) -> None:
    """M4: this differs from a vault that denies the app access."""
    vault.set_secret(name, "token", enabled=False)
    with pytest.raises(OperatorMustAct) as caught:
        VaultTokenStore(vault).read(name)
    assert caught.value.of_one
    assert caught.value.support == "SecretDisabled"


def test_versions_before_the_newest_are_disabled(vault: SecretClient, name: str) -> None:
    store = VaultTokenStore(vault)
    versions = []
    for token in ("first", "second"):
        store.write(name, token)
        versions.append(vault.get_secret(name).properties.version)
    listed = {version.version: version for version in vault.list_properties_of_secret_versions(name)}
    newest = listed[versions[1]]
    older = listed[versions[0]]
    assert newest.enabled
    assert newest.content_type == "application/vnd.mailbox-sync.refresh-token"
    # If both versions have the same creation second in the vault, the older one may stay enabled until the next write.
    assert not older.enabled or older.created_on == newest.created_on


def test_a_newer_version_of_another_instance_is_not_disabled(vault: SecretClient, name: str) -> None:
    class Overtaken(VaultTokenStore):
        """A store where another instance writes between this one's write and its disabling of old versions."""

        def _disable_older(self, authorization_id: str, written: object) -> None:
            vault.set_secret(authorization_id, "theirs")
            super()._disable_older(authorization_id, written)  # type: ignore[arg-type]

    Overtaken(vault).write(name, "ours")
    assert VaultTokenStore(vault).read(name) == "theirs"


def test_a_signing_key_is_made_at_its_first_use_and_shared(vault: SecretClient, name: str) -> None:
    clock = FakeClock()
    one, two = (VaultKeyRing(vault, name, clock.monotonic) for _ in range(2))
    assert one.valid() == two.valid()
    assert len(one.valid()[0].secret) == 64


def test_a_rotated_signing_key_is_found_without_constant_requests(vault: SecretClient, name: str) -> None:
    clock = FakeClock()
    ring = VaultKeyRing(vault, name, clock.monotonic)
    before = ring.valid()[0]
    vault.set_secret(name, "rotated" * 8)
    assert ring.valid(fresh=True)[0] == before
    clock.pass_by(seconds=31)
    assert ring.valid()[0] == before
    assert {key.id for key in ring.valid(fresh=True)} > {before.id}


def test_a_certificate_is_read_as_it_lies_there(vault: SecretClient, name: str) -> None:
    vault.set_secret(name, "PEM")
    assert read_secret(vault, name) == "PEM"
    with pytest.raises(NotFound):
        read_secret(vault, f"{name}-not-there")
