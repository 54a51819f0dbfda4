"""Computes the values of the operator's page of invitations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.authorization.model import Invitation
from shared.authorization.onboarding.invitations import CreatedInvitation
from shared.pages.status import Tone


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """One invitation; `state` is the key of its word."""

    invitation: Invitation
    state: str
    tone: Tone


def invitation_values(
    invitations: Sequence[Invitation],
    cursor: str,
    now: datetime,
    *,
    made: CreatedInvitation | None = None,
    address: str = "",
    reference: str = "",
    group: str = "",
    groups: Sequence[str] = (),
    refused: str = "",
) -> dict[str, Any]:
    """Return the values of the template `console/invitations`; `groups` are the names of all groups.

    `made` is shown once; `refused` names the field with a mistake.
    """
    return {
        "rows": [_row(invitation, now) for invitation in invitations],
        "cursor": cursor,
        "made": made,
        "address": address,
        "reference": reference,
        "group": group,
        "groups": list(groups),
        "refused": refused,
    }


def _row(invitation: Invitation, now: datetime) -> InvitationRow:
    if invitation.used_at is not None:
        return InvitationRow(invitation, "used", Tone.GOOD)
    if invitation.expires_at <= now:
        return InvitationRow(invitation, "expired", Tone.STOPPED)
    return InvitationRow(invitation, "open", Tone.WORKING)
