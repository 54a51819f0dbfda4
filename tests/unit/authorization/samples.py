"""Two people who sign in, and the error that a failed sign-in reports."""

import pytest

from shared.authorization.onboarding.sign_in_outcome import SignInFailed
from shared.errors import MailboxSyncError
from tests.fakes.authorization import an_identity

ALEX = an_identity("alex@contoso.example")
BLAKE = an_identity("blake@contoso.example")


def failure(caught: pytest.ExceptionInfo[SignInFailed]) -> MailboxSyncError:
    """The error that made a sign-in fail."""
    return caught.value.cause
