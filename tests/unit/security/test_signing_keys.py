"""The keys of our own signatures: which versions are believed, and for how long after the vault has changed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError, ServiceRequestError

from shared.authorization.tokens.key_vault import READ_AGAIN_AFTER_SECONDS, VaultKeyRing
from tests.fakes.clock import FakeClock

GOOD, NEWER = "a" * 64, "b" * 64


@dataclass
class Version:
    """One version of a secret, with the properties that the ring goes by."""

    version: str
    value: str
    created_on: datetime
    enabled: bool = True


@dataclass
class Vault:
    """One secret as the SDK shows it; `down` lets every call fail as a broken line does."""

    versions: list[Version] = field(default_factory=list)
    down: bool = False

    def set_secret(self, name: str, value: str, **_: object) -> None:
        made_at = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=len(self.versions))
        self.versions.append(Version(f"{len(self.versions):032x}", value, made_at))

    def list_properties_of_secret_versions(self, name: str) -> Iterator[Version]:
        if self.down:
            raise ServiceRequestError("down")
        if not self.versions:
            error = ResourceNotFoundError("none")
            error.error_code = "SecretNotFound"  # type: ignore[attr-defined]
            raise error
        return iter(self.versions)

    def get_secret(self, name: str, version: str) -> Version:
        return next(one for one in self.versions if one.version == version)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def ring(vault: Any, clock: FakeClock) -> VaultKeyRing:
    return VaultKeyRing(vault, "signing-sessions", clock.monotonic)


def values(found: VaultKeyRing) -> list[str]:
    return [key.secret.decode() for key in found.valid()]


@pytest.mark.parametrize("weak", ["", "hunter2", "x" * 31])
def test_a_key_that_could_be_guessed_neither_signs_nor_verifies(clock: FakeClock, weak: str) -> None:
    """An empty one would let anybody sign, and who is given the outcomes' tokens could try them all at leisure."""
    vault = Vault()
    vault.set_secret("signing-sessions", GOOD)
    vault.set_secret("signing-sessions", weak)
    assert values(ring(vault, clock)) == [GOOD]


def test_where_every_key_could_be_guessed_a_new_one_is_made(clock: FakeClock) -> None:
    vault = Vault()
    vault.set_secret("signing-sessions", "hunter2")
    (made,) = values(ring(vault, clock))
    assert len(made) == 64


def test_a_key_that_was_switched_off_is_soon_believed_by_nobody(clock: FakeClock) -> None:
    """By an instance that nobody shows a newer key to as well: a stolen key would else be good for its life."""
    vault = Vault()
    vault.set_secret("signing-sessions", GOOD)
    found = ring(vault, clock)
    assert values(found) == [GOOD]
    vault.set_secret("signing-sessions", NEWER)
    vault.versions[0].enabled = False
    clock.pass_by(seconds=READ_AGAIN_AFTER_SECONDS + 1)
    assert values(found) == [NEWER]


def test_a_vault_that_is_down_for_a_moment_ends_no_session(clock: FakeClock) -> None:
    vault = Vault()
    vault.set_secret("signing-sessions", GOOD)
    found = ring(vault, clock)
    assert values(found) == [GOOD]
    vault.down = True
    clock.pass_by(seconds=READ_AGAIN_AFTER_SECONDS + 1)
    assert values(found) == [GOOD]
