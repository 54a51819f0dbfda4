"""The contents of a Key Vault, without the protocol: secrets, versions, soft delete."""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_SECRET_BYTES = 25 * 1024
RETENTION_DAYS = 90


class VaultError(Exception):
    """An error answer of Key Vault: status, error code and, for some errors, an inner code."""

    def __init__(self, status: int, code: str, message: str, inner: str = "") -> None:
        self.status, self.code, self.message, self.inner = status, code, message, inner
        super().__init__(message)


@dataclass(slots=True)
class Version:
    """One version of a secret. Times are seconds since 1970."""

    id: str
    value: str = field(repr=False)
    content_type: str | None
    tags: dict[str, str]
    created: float
    updated: float
    enabled: bool = True
    not_before: int | None = None
    expires: int | None = None


@dataclass(slots=True)
class Secret:
    """A named secret: its versions, oldest first, the time of its deletion, and the scheduled purge time."""

    name: str
    versions: list[Version] = field(default_factory=list)
    deleted_at: float = 0.0

    @property
    def purged_at(self) -> float:
        """The time at which the soft delete ends."""
        return self.deleted_at + RETENTION_DAYS * 86400

    def version(self, wanted: str = "") -> Version:
        """One version; without a name the newest. Raises VaultError."""
        for version in reversed(self.versions):
            if wanted in ("", version.id):
                return version
        raise not_found(self.name)


def not_found(name: str) -> VaultError:
    """Key Vault's error for an unknown name."""
    message = f"A secret with (name/id) {name} was not found in this key vault."
    return VaultError(404, "SecretNotFound", message)


class Vault:
    """Secrets by name, as Key Vault keeps them: a deleted name stays taken until it is purged."""

    def __init__(self) -> None:
        self._live: dict[str, Secret] = {}
        self._deleted: dict[str, Secret] = {}
        self.purge_protection = False

    def set(
        self,
        name: str,
        value: str,
        *,
        content_type: str | None = None,
        tags: dict[str, str] | None = None,
        enabled: bool = True,
        not_before: int | None = None,
        expires: int | None = None,
    ) -> tuple[Secret, Version]:
        """Add a version. Raises VaultError: the value is too large, or a deleted secret holds the name."""
        self._sweep()
        if len(value.encode()) > MAX_SECRET_BYTES:
            raise VaultError(400, "BadParameter", f"The secret value exceeds {MAX_SECRET_BYTES} bytes.")
        if name in self._deleted:
            message = f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused."
            raise VaultError(409, "Conflict", message, "ObjectIsDeletedButRecoverable")
        now = time.time()
        version = Version(uuid.uuid4().hex, value, content_type, tags or {}, now, now, enabled, not_before, expires)
        secret = self._live.setdefault(name, Secret(name))
        secret.versions.append(version)
        return secret, version

    def get(self, name: str, version: str = "") -> Version:
        """A version with its value. Raises VaultError: unknown, deleted, disabled, or not valid at this time."""
        found = self._secret(name).version(version)
        now = time.time()
        if not found.enabled:
            raise VaultError(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled")
        if (found.not_before or 0) > now or (found.expires is not None and found.expires <= now):
            raise VaultError(
                403, "Forbidden", "Operation get is not allowed at this time.", "SecretNotInValidTimeRange"
            )
        return found

    def _secret(self, name: str) -> Secret:
        self._sweep()
        if name in self._deleted:
            message = f"Secret {name} is currently in a deleted but recoverable state."
            raise VaultError(404, "SecretNotFound", message, "ObjectIsDeletedButRecoverable")
        try:
            return self._live[name]
        except KeyError:
            raise not_found(name) from None

    def find(self, name: str, version: str = "") -> Version:
        """A version's attributes, whether it is enabled or not. Raises VaultError."""
        return self._secret(name).version(version)

    def secrets(self) -> list[Secret]:
        """Every secret that is not deleted, by name."""
        return [self._live[name] for name in sorted(self._live)]

    def versions(self, name: str) -> list[Version]:
        """Every version of a secret. Raises VaultError."""
        return list(self._secret(name).versions)

    def delete(self, name: str) -> Secret:
        """Soft-delete a secret with all its versions; it can be recovered until the purge time. Raises VaultError."""
        secret = self._secret(name)
        secret.deleted_at = time.time()
        self._deleted[name] = self._live.pop(name)
        return secret

    def deleted(self, name: str) -> Secret:
        """A deleted secret. Raises VaultError."""
        self._sweep()
        try:
            return self._deleted[name]
        except KeyError:
            raise not_found(name) from None

    def all_deleted(self) -> list[Secret]:
        """Every deleted secret, by name."""
        self._sweep()
        return [self._deleted[name] for name in sorted(self._deleted)]

    def recover(self, name: str) -> Secret:
        """Recover a deleted secret. Raises VaultError."""
        secret = self.deleted(name)
        secret.deleted_at = 0.0
        self._live[name] = self._deleted.pop(name)
        return secret

    def purge(self, name: str) -> None:
        """Purge a deleted secret. Raises VaultError, also when purge protection is on."""
        self.deleted(name)
        if self.purge_protection:
            message = "Operation 'purge' is not allowed because purge protection is enabled for this vault."
            raise VaultError(403, "Forbidden", message, "ForbiddenByPolicy")
        del self._deleted[name]

    def _sweep(self) -> None:
        for name in [n for n, s in self._deleted.items() if s.purged_at <= time.time()]:
            del self._deleted[name]

    def __iter__(self) -> Iterator[Secret]:
        yield from self._live.values()
        yield from self._deleted.values()
