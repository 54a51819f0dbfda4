"""Gives the commands of jobs to mailboxes, and turns what comes of each into an outcome."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.errors import ActionNeeded, Conflict, MailboxSyncError, NotFound, OperatorMustAct, RetryLater
from shared.mailboxes.bulk.errors import JobRefused
from shared.mailboxes.bulk.model import Job, JobCommand, Outcome, query_of
from shared.mailboxes.commands import MailboxCommands
from shared.mailboxes.directory.model import entry_of
from shared.mailboxes.erasures.erasing import ErasureReceipt
from shared.mailboxes.errors import CommandRefused, HoldReasonInvalid, SyncedTooRecently
from shared.mailboxes.groups.commands import GroupCommands
from shared.mailboxes.groups.errors import GroupUnknown
from shared.mailboxes.holds import HoldCommands, checked_reason
from shared.mailboxes.move_commands import MoveCommands
from shared.mailboxes.port import MailboxRegistry
from shared.sources.model import SourceName

_log = logging.getLogger(__name__)

_ARGUMENTS: Mapping[JobCommand, frozenset[str]] = {
    JobCommand.ACTIVATE: frozenset({"authorization", "tenant", "group"}),
    JobCommand.MOVE: frozenset({"to", "dry_run", "force"}),
    JobCommand.HOLD: frozenset({"reason"}),
    JobCommand.GROUP: frozenset({"group"}),
}
"""The arguments of the commands that have some. Their values are texts; a flag is `true` or absent."""


class ActivationOutcome(Protocol):
    """What an activation says of one name."""

    @property
    def result(self) -> str:
        """`active`, `already`, `failed`, or `not_tried`."""
        ...

    @property
    def reason(self) -> str:
        """Why it failed."""
        ...

    @property
    def support(self) -> str:
        """The vendor's error code."""
        ...


@dataclass(frozen=True, slots=True)
class BulkCommands:
    """Implements JobCommands.

    `activate` connects names with an authorization or a tenant. `check` asks a mailbox's server whether it can be read,
    and raises what a pass would raise.
    """

    registry: MailboxRegistry
    mailboxes: MailboxCommands
    moves: MoveCommands
    holds: HoldCommands
    groups: GroupCommands
    activate: Callable[[Mapping[str, str], Sequence[str], str], Sequence[ActivationOutcome]]
    check: Callable[[str], None]

    def check_arguments(self, command: JobCommand, arguments: dict[str, str]) -> None:
        """Check the names, a source, and a group. Whether an authorization exists is found by the activation."""
        if unknown := sorted(arguments.keys() - _ARGUMENTS.get(command, frozenset())):
            raise JobRefused(unknown[0], "unknown")
        if command is JobCommand.ACTIVATE:
            _check_activation(self.groups, arguments)
        if command is JobCommand.MOVE:
            _check_move(self.moves, arguments)
        if command is JobCommand.HOLD:
            _check_hold(arguments)
        if command is JobCommand.GROUP:
            _check_group(self.groups, arguments.get("group", ""))

    def run(self, job: Job, targets: Sequence[str]) -> list[Outcome]:
        """Give the command; a fault of one target is its outcome, a fault of ours ends the batch."""
        if job.command is JobCommand.ACTIVATE:
            return self._activated(job, targets)
        return [self._one(job, target) for target in targets]

    def _activated(self, job: Job, names: Sequence[str]) -> list[Outcome]:
        """Connect names. If one of them fails in a way that ends the list, each is tried alone."""
        try:
            return self._activated_together(job, names)
        except ActionNeeded:
            raise
        except Exception as error:  # a defect with one name must not end the job of all
            if len(names) > 1:
                return [outcome for name in names for outcome in self._activated(job, [name])]
            _log.warning("name not activated", exc_info=error, extra={"job": job.id})
            reason = _reason(error, job.command) if isinstance(error, MailboxSyncError) else "internal"
            return [Outcome(name, reason) for name in names]

    def _activated_together(self, job: Job, names: Sequence[str]) -> list[Outcome]:
        """Connect names. One that there was no time for is asked for again at once, alone."""
        outcomes = []
        for name, result in zip(names, self.activate(job.arguments, names, job.actor), strict=True):
            again = self.activate(job.arguments, [name], job.actor)[0] if result.result == "not_tried" else result
            failed = again.result not in ("active", "already")
            outcomes.append(Outcome(name, again.reason or "not_tried" if failed else "", again.support))
        return outcomes

    def _one(self, job: Job, mailbox_id: str) -> Outcome:
        try:
            if not self._applies(job, mailbox_id):
                return Outcome(mailbox_id, skipped=True)
            given = self._give(job, mailbox_id)
            return Outcome(mailbox_id, receipt=given if isinstance(given, ErasureReceipt) else None)
        except ActionNeeded as error:
            if _is_ours(error, job.command):
                raise
            return Outcome(mailbox_id, error.reason.value, error.support)
        except MailboxSyncError as error:
            return Outcome(mailbox_id, _reason(error, job.command))
        except Exception as error:  # a defect with one mailbox must not end the job of all
            _log.error("a job's command failed", exc_info=error, extra={"job": job.id, "mailbox_id": mailbox_id})
            return Outcome(mailbox_id, "internal")

    def _applies(self, job: Job, mailbox_id: str) -> bool:
        """Whether a filter still selects the mailbox: its entry in the directory may be old by now."""
        if job.filter is None:
            return True
        return query_of(job.filter).matches(entry_of(self.registry.get(mailbox_id)))

    def _give(self, job: Job, mailbox_id: str) -> object:
        """Give the command; returns what it returns."""
        commands: Mapping[JobCommand, Callable[[str, str], object]] = {
            JobCommand.SYNC: self.mailboxes.sync_now,
            JobCommand.PAUSE: self.mailboxes.pause,
            JobCommand.START: self.mailboxes.start,
            JobCommand.RESET: self.mailboxes.reset,
            JobCommand.DISCONNECT: self.mailboxes.disconnect,
            JobCommand.ERASE: self.mailboxes.erase,
            JobCommand.HOLD: lambda id_, actor: self.holds.hold(id_, job.arguments["reason"], actor),
            JobCommand.LIFT_HOLD: self.holds.lift,
            JobCommand.CHECK: lambda id_, _: self.check(id_),
            JobCommand.MOVE: lambda id_, _: self._move(job, id_),
            JobCommand.GROUP: lambda id_, actor: self.groups.assign(id_, job.arguments["group"], actor),
        }
        return commands[job.command](mailbox_id, job.actor)

    def _move(self, job: Job, mailbox_id: str) -> None:
        target, flags = job.arguments["to"], job.arguments
        if target == "nothing":
            self.moves.cancel([mailbox_id], job.actor)
            return
        self.moves.ask(
            [mailbox_id],
            SourceName(target),
            job.actor,
            dry_run=flags.get("dry_run") == "true",
            force=flags.get("force") == "true",
        )


def _check_activation(groups: GroupCommands, arguments: Mapping[str, str]) -> None:
    """Raises JobRefused: not one way to read the mailboxes, or a group that no mailbox can be put into."""
    if len(arguments.keys() & {"authorization", "tenant"}) != 1:
        raise JobRefused("authorization, tenant", "one_of")
    if "group" in arguments:
        _check_group(groups, arguments["group"])


def _check_hold(arguments: Mapping[str, str]) -> None:
    """Raises JobRefused: no reason, or one that a hold cannot have."""
    try:
        checked_reason(arguments.get("reason", ""))
    except HoldReasonInvalid as exc:
        raise JobRefused("reason", "wrong" if arguments.get("reason") else "missing") from exc


def _check_move(moves: MoveCommands, arguments: Mapping[str, str]) -> None:
    """Raises JobRefused: no source, or one that no mailbox of this deployment can be read over."""
    target = arguments.get("to", "")
    if target != "nothing" and (target not in tuple(SourceName) or not moves.is_usable(SourceName(target))):
        raise JobRefused("to", "wrong" if target else "missing")
    for name in ("dry_run", "force"):
        if arguments.get(name, "true") != "true":
            raise JobRefused(name)


def _check_group(groups: GroupCommands, name: str) -> None:
    """Raises JobRefused: no group, or one that no mailbox can be put into."""
    if not name:
        raise JobRefused("group", "missing")
    try:
        groups.require(name)
    except GroupUnknown as exc:
        raise JobRefused("group") from exc


def _is_ours(error: ActionNeeded, command: JobCommand) -> bool:
    """Whether an error says nothing about this mailbox. A check asks the mailbox's own server."""
    if isinstance(error, OperatorMustAct):
        return not error.of_one
    return isinstance(error, RetryLater) and command is not JobCommand.CHECK


def _reason(error: MailboxSyncError, command: JobCommand) -> str:
    """The reason of an error that has no Reason; empty if it says that there was nothing left to do."""
    if isinstance(error, SyncedTooRecently) or (isinstance(error, NotFound) and command is JobCommand.ERASE):
        return ""
    if isinstance(error, CommandRefused):
        return error.code
    if isinstance(error, NotFound):
        return "not_found"
    return "conflict" if isinstance(error, Conflict) else "refused"
