"""Computes the values of the operator's pages of bulk jobs, and reads the form that makes one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.mailboxes.bulk.model import DELETING, JobCommand, JobState, Outcome, Progress
from shared.mailboxes.directory.counting import MatchCount
from shared.mailboxes.errors import HoldReasonInvalid
from shared.mailboxes.groups.model import DEFAULT
from shared.mailboxes.holds import MAX_REASON, checked_reason
from shared.mailboxes.model import Mailbox
from shared.pages.console.mailbox_list import ListRequest, list_request
from shared.pages.status import Tone

CHOSEN = "chosen-"
"""The prefix of the list's checkboxes: a field for each mailbox, named by its id."""
OFFERED = (
    JobCommand.SYNC,
    JobCommand.CHECK,
    JobCommand.PAUSE,
    JobCommand.START,
    JobCommand.RESET,
    JobCommand.MOVE,
    JobCommand.GROUP,
    JobCommand.HOLD,
    JobCommand.LIFT_HOLD,
    JobCommand.DISCONNECT,
    JobCommand.ERASE,
)
"""The commands of the list, the mildest first. Activation has a page of its own."""
FAILURES_SHOWN = 100
_CONFIRMED = DELETING | {JobCommand.RESET, JobCommand.GROUP, JobCommand.HOLD, JobCommand.LIFT_HOLD}

_TONES = {
    JobState.PLANNING: Tone.WORKING,
    JobState.RUNNING: Tone.WORKING,
    JobState.DONE: Tone.GOOD,
    JobState.CANCELED: Tone.STOPPED,
}


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What the list's form asks for: a command for the chosen mailboxes, or for all that match the filters."""

    command: JobCommand
    chosen: tuple[str, ...]
    everybody: bool
    listed: ListRequest
    confirmed: bool
    typed: str = ""
    """The number of mailboxes that the operator typed on the confirmation page."""
    hold_reason: str = ""
    """The reason of a hold, typed on the confirmation page."""
    to_group: str = DEFAULT
    """The group that the mailboxes are put into, if that is the command."""

    @property
    def needs_confirmation(self) -> bool:
        """Whether a page asks first: for what cannot be taken back or is expensive, and for all without a choice."""
        return not self.confirmed and (self.command in _CONFIRMED or self.everybody)

    @property
    def is_for_all(self) -> bool:
        """Whether the job is for every mailbox of the deployment, because no filter limits it."""
        return self.everybody and not self.filter

    @property
    def is_too_much(self) -> bool:
        """Whether the console refuses the job: what deletes is never for every mailbox of the deployment."""
        return self.is_for_all and self.command in DELETING

    def is_confirmed_for(self, count: MatchCount) -> bool:
        """Whether the operator has typed the number of mailboxes, where no filter limits the job."""
        return not self.is_for_all or self.typed == str(count.number)

    @property
    def longest_reason(self) -> int:
        """The most characters of a hold's reason."""
        return MAX_REASON

    @property
    def lacks_reason(self) -> bool:
        """Whether it is a hold without a reason that a hold can have."""
        if self.command is not JobCommand.HOLD:
            return False
        try:
            checked_reason(self.hold_reason)
        except HoldReasonInvalid:
            return True
        return False

    @property
    def filter(self) -> dict[str, str]:
        """The filters of the job: the list's, without its order."""
        return {name: value for name, value in self.listed.form().items() if name != "sort"}

    @property
    def arguments(self) -> dict[str, str]:
        """The arguments of the command. The console moves mailboxes to Microsoft Graph alone."""
        arguments = {
            JobCommand.MOVE: {"to": "graph"},
            JobCommand.GROUP: {"group": self.to_group},
            JobCommand.HOLD: {"reason": self.hold_reason},
        }
        return arguments.get(self.command, {})

    def form(self) -> dict[str, str]:
        """The fields of the form that asks for the same, confirmed."""
        fields = {"command": self.command.value, "confirmed": "yes", **self.listed.form()}
        if self.command is JobCommand.GROUP:
            fields["to_group"] = self.to_group
        return fields | ({"scope": "all"} if self.everybody else {f"{CHOSEN}{one}": "on" for one in self.chosen})


def job_request(fields: Mapping[str, str]) -> JobRequest | None:
    """Read the form; None if it asks for nothing that can be done."""
    command = next((one for one in OFFERED if one.value == fields.get("command")), None)
    listed, everybody = list_request(fields), fields.get("scope") == "all"
    chosen = tuple(name.removeprefix(CHOSEN) for name in fields if name.startswith(CHOSEN))
    if everybody and listed.by_id:  # a search by id shows this mailbox, and no address begins with an id
        chosen, everybody = (listed.by_id,), False
    if command is None or not (chosen or everybody):
        return None
    typed = "".join(fields.get("number", "").replace(",", "").split())
    return JobRequest(
        command,
        () if everybody else chosen,
        everybody,
        listed,
        fields.get("confirmed") == "yes",
        typed,
        hold_reason=fields.get("hold_reason", "").strip(),
        to_group=fields.get("to_group", "").strip() or DEFAULT,
    )


def job_values(progress: Progress, failures: Sequence[Outcome], failed: Sequence[Mailbox]) -> dict[str, Any]:
    """Return the values of the template `console/job`; `failed` are the mailboxes that failures name."""
    addresses = {mailbox.id: mailbox.address for mailbox in failed}
    total = progress.job.total
    return {
        "progress": progress,
        "state": progress.state.value,
        "tone": _TONES[progress.state],
        "is_running": progress.state in (JobState.PLANNING, JobState.RUNNING),
        "handled": total - progress.left,
        "percent": (total - progress.left) * 100 // total if total else 0,
        "without_receipt": progress.done - progress.receipts if progress.job.command is JobCommand.ERASE else 0,
        "reasons": sorted(progress.reasons.items(), key=lambda one: (-one[1], one[0])),
        "failures": [(one, addresses.get(one.target, "")) for one in failures[:FAILURES_SHOWN]],
    }


def jobs_values(recent: Sequence[Progress]) -> dict[str, Any]:
    """Return the values of the template `console/jobs`."""
    return {"rows": [(one, one.state.value, _TONES[one.state]) for one in recent]}
