"""Invitations, activations, service accounts, and moves between sources."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from shared.api.access import OPERATORS, STATE_READERS
from shared.api.calls import ApiComponents, Call, NoQuery, operation
from shared.api.errors import Malformed, Refused
from shared.api.operations.groups import EXPECTED_GROUP
from shared.api.paging import Cursor, decode_cursor, encode_cursor
from shared.api.resources import mailboxes
from shared.api.resources import onboarding as resources

if TYPE_CHECKING:
    from shared.authorization.errors import ActivationRefused
    from shared.mailboxes.move_commands import MoveCommands

LARGEST_LIST = 256 * 1024
"""Bytes of the largest body that lists mailboxes."""


_INVITATION_EXPECTED = {
    "address": "an email address",
    "reference": "a line of at most 200 printable characters",
    "group": EXPECTED_GROUP,
}


@operation(
    "POST",
    "/invitations",
    tag="onboarding",
    roles=OPERATORS,
    body=resources.NewInvitation,
    answer=resources.Invitation,
    status=201,
)
def create_invitation(components: ApiComponents, call: Call[NoQuery, resources.NewInvitation]) -> resources.Invitation:
    """Create a link that connects one address once."""
    from shared.authorization.errors import InvitationMalformed

    body = call.body
    try:
        invited = components.invitations.create(body.address, body.reference, body.return_url, group=body.group or "")
    except InvitationMalformed as exc:
        expected = _INVITATION_EXPECTED.get(exc.parameter, "")
        raise (Malformed(exc.parameter, expected=expected) if exc.parameter else Refused(exc.code)) from exc
    components.registry.record_audit(invited.id, call.caller.object_id, "invite")
    return resources.Invitation(invited.id, invited.url, invited.expires_at)


class InvitationQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of the invitations to list."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 100
    """The most invitations of the page."""
    cursor: Cursor = ""
    """`next` of the page before."""


@operation(
    "GET",
    "/invitations",
    tag="onboarding",
    roles=STATE_READERS,
    query=InvitationQuery,
    answer=resources.InvitationPage,
)
def list_invitations(components: ApiComponents, call: Call[InvitationQuery, None]) -> resources.InvitationPage:
    """List the invitations that were made, those that expire last first."""
    found, after = components.invitations.recent(call.query.limit, decode_cursor(call.query.cursor))
    entries = [resources.InvitationEntry(**asdict(each)) for each in found]
    return resources.InvitationPage(entries, encode_cursor(after))


@operation(
    "POST",
    "/activations",
    tag="onboarding",
    roles=OPERATORS,
    body=resources.NewActivation,
    answer=resources.ActivationResults,
    largest_body=LARGEST_LIST,
    missing="service account",
)
def activate_mailboxes(
    components: ApiComponents, call: Call[NoQuery, resources.NewActivation]
) -> resources.ActivationResults:
    """Connect a list of mailboxes with a service account or with app-only access."""
    from shared.authorization.errors import ActivationRefused
    from shared.authorization.onboarding.activation import parse_names

    body = call.body
    _require_one("addresses, csv", body.addresses, body.csv)
    _require_one("authorization, tenant", body.authorization, body.tenant)
    chosen = {"authorization": body.authorization or "", "tenant": body.tenant or "", "group": body.group or ""}
    try:
        names = parse_names(body.csv) if body.csv is not None else body.addresses or []
        results = components.activation.activate(chosen, names, call.caller.object_id)
    except ActivationRefused as exc:
        raise activation_malformed(exc, "addresses" if body.csv is None else "csv") from exc
    return resources.ActivationResults([resources.ActivationResult(**asdict(result)) for result in results])


def activation_malformed(error: "ActivationRefused", names: str) -> Malformed:
    """The refusal with what the field may be. `names` is the field that the names came in."""
    from shared.authorization.onboarding.activation import MAX_NAMES

    expected = {
        "addresses": f"1 to {MAX_NAMES} addresses or names, each of at most 320 printable characters",
        "csv": "lines of text with an address or a name each, divided by commas or semicolons",
        "authorization": "the `id` of one of GET /service-accounts",
        "tenant": "the id of a tenant that ENTRA_TENANTS admits",
        "group": EXPECTED_GROUP,
    }
    name = names if error.parameter == "addresses" else error.parameter
    return Malformed(name, expected=expected.get(error.parameter, ""))


@operation(
    "GET",
    "/service-accounts",
    tag="onboarding",
    roles=STATE_READERS,
    answer=resources.ServiceAccountList,
)
def list_service_accounts(components: ApiComponents, call: Call[NoQuery, None]) -> resources.ServiceAccountList:
    """List the service accounts that are signed in, with the number of mailboxes read with each."""
    accounts = components.service_accounts.all()
    return resources.ServiceAccountList([resources.ServiceAccount(**asdict(account)) for account in accounts])


@operation(
    "POST",
    "/service-accounts/{account}/revoke",
    tag="onboarding",
    roles=OPERATORS,
    answer=resources.RevokedServiceAccount,
)
def revoke_service_account(components: ApiComponents, call: Call[NoQuery, None]) -> resources.RevokedServiceAccount:
    """Delete the token of a service account that no mailbox is read with any more."""
    account = call.path["account"]
    return resources.RevokedServiceAccount(account, components.service_accounts.revoke(account, call.caller.object_id))


@operation(
    "POST",
    "/moves",
    tag="onboarding",
    roles=OPERATORS,
    body=resources.NewMove,
    answer=mailboxes.MailboxList,
    status=202,
    largest_body=LARGEST_LIST,
    missing="mailbox",
)
def move_mailboxes(components: ApiComponents, call: Call[NoQuery, resources.NewMove]) -> mailboxes.MailboxList:
    """Have mailboxes moved between EWS and Graph by their next passes, or take that back."""
    from shared.mailboxes.move_commands import SourceNotUsable
    from shared.sources.model import SourceName

    body, actor, commands = call.body, call.caller.object_id, components.move_commands
    _require_one("mailboxes, tenant, all", body.mailboxes, body.tenant, body.all)
    if body.all is False:
        raise Malformed("all", expected="true, or left out")
    chosen = body.mailboxes if body.mailboxes is not None else commands.chosen(body.tenant or "")
    if body.to is resources.MoveTarget.NOTHING:
        moved = commands.cancel(chosen, actor)
    else:
        try:
            moved = commands.ask(chosen, SourceName(body.to), actor, dry_run=body.dry_run, force=body.force)
        except SourceNotUsable as exc:
            raise Malformed("to", expected=move_targets(commands)) from exc
    return mailboxes.MailboxList([mailboxes.mailbox(each) for each in moved])


def move_targets(commands: "MoveCommands") -> str:
    """What `to` of a move may be in this deployment."""
    return f"one of {', '.join(source.value for source in commands.usable())}, or empty"


def _require_one(names: str, *values: object) -> None:
    """Raise Malformed unless exactly one of the fields is given."""
    if sum(value is not None for value in values) != 1:
        raise Malformed(names, "one_of")


OPERATIONS = (
    create_invitation,
    list_invitations,
    activate_mailboxes,
    list_service_accounts,
    revoke_service_account,
    move_mailboxes,
)
