"""The algorithm of a move: survey the other source, decide, switch. See docs/decisions/0014-move-between-sources.md.

    survey each folder ─► compare samples ─► decide ─► switch (one cursor) ─► restate (restating.py)

Until the switch, only a document beside the cursor is written. So a survey is also the dry run, and the mailbox is
synced over its present source in the meantime. However a part ends, the next pass continues from the document.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from shared.errors import ActionNeeded, AdministratorMustAct, Conflict, Reason, RetryLater
from shared.mailboxes.port import MailboxRegistry
from shared.replica.port import Cursor, FeedKind, FolderState, Replica
from shared.sources.coverage import gives_folder
from shared.sources.model import Folder, FolderKind, SourceName
from shared.sources.port import FolderGone, FolderUnreadable, MailSource, StateInvalid
from shared.sync.budget import Budget, BudgetSpent
from shared.sync.limits import Limits
from shared.sync.moving import parity
from shared.sync.moving.content_sample import SampleResult, compare_samples
from shared.sync.moving.folder_survey import FolderSurveyor
from shared.sync.moving.id_translator import IdTranslator
from shared.sync.moving.origin import Origin
from shared.sync.moving.parity import MoveOutcome
from shared.sync.moving.survey import DOCUMENT, FolderSurvey, Survey, decode, encode
from shared.sync.moving.surveyed_replica import SurveyedReplica
from shared.sync.moving.switch import is_blocked, switched
from shared.sync.scope import Scope
from shared.sync.state.issues import MOST

FRESH_FOR = timedelta(hours=24)
"""An older survey is started again."""


_ALWAYS_LISTED = frozenset({FolderKind.MAIL, FolderKind.CALENDAR, FolderKind.CONTACTS, FolderKind.TASKS})
"""The kinds of folders that every mailbox has, over either source."""


@dataclass(frozen=True, slots=True)
class MoveResult:
    """The result of one part of a move. Without an outcome, the move continues in the next pass."""

    cursor: Cursor
    outcome: MoveOutcome | None = None
    report: dict[str, object] | None = None
    requests: int = 0


class MailboxMove:
    """Moves one mailbox, or only surveys it, within a pass's budget. `source` is the opened other source.

    `is_asked` says whether the move is still asked for; it is called before the switch. `isolates_failures`: the source
    was opened to do that.
    """

    def __init__(
        self,
        mailbox_id: str,
        cursor: Cursor,
        source: MailSource,
        *,
        origin: Origin,
        target: SourceName,
        replica: Replica,
        registry: MailboxRegistry,
        scope: Scope,
        limits: Limits,
        budget: Budget,
        clock: Callable[[], datetime],
        is_asked: Callable[[], bool],
        isolates_failures: bool,
    ) -> None:
        self._mailbox_id = mailbox_id
        self._cursor = cursor
        self._source = source
        self._origin = origin
        self._translator = IdTranslator(target, source, origin)
        self._target = target
        self._replica = replica
        self._registry = registry
        self._scope = scope
        self._limits = limits
        self._budget = budget
        self._clock = clock
        self._is_asked = is_asked
        self._isolates_failures = isolates_failures
        self._reader = SurveyedReplica(replica, mailbox_id)
        self._figures = source.figures

    def run(self, *, dry: bool = False, forced: bool = False) -> MoveResult:
        """Continue the survey; when it is complete, decide and switch. `forced` overrules the safety stop.

        Raises: what the other source and storage raise, after what was surveyed is kept; Conflict, LeaseLost.
        """
        survey = self._begun()
        try:
            self._survey(survey)
        except BudgetSpent:
            self._keep(survey)
            return MoveResult(self._cursor, requests=self._spent)
        except ActionNeeded:
            self._keep(survey)
            raise
        self._count_lost_fields(survey)
        document = self._keep(survey)
        held = sum(folder.items for folder in self._cursor.folders.values())
        if dry:
            return self._ended(survey, MoveOutcome.SURVEYED)
        if is_blocked(survey, held, self._limits) and not forced:
            return self._ended(survey, MoveOutcome.BLOCKED)
        if not self._is_asked():
            return MoveResult(self._cursor, requests=self._spent)
        return self._switch(survey, document)

    def _begun(self) -> Survey:
        """Return the stored survey; a new one if there is none for this target and these settings, or it is old."""
        survey, digest = decode(self._reader.document(DOCUMENT)), self._scope.digest()
        if survey is not None and (survey.target, survey.scope_digest) == (self._target, digest):
            is_fresh = self._clock() - datetime.fromisoformat(survey.begun_at) < FRESH_FOR
            return survey if is_fresh else self._new_survey()
        return self._new_survey()

    def _new_survey(self) -> Survey:
        digest = self._scope.digest()
        return Survey(self._target, self._clock().isoformat(), self._cursor.sequence, digest)

    def _survey(self, survey: Survey) -> None:
        """Survey every folder of the replica that the other source lists."""
        listed = {folder.id: folder for folder in self._source.folders()}
        folders = self._scope.folders(listed.values())
        surveyor = FolderSurveyor(
            survey,
            self._source,
            self._reader,
            scope=self._scope,
            budget=self._budget,
            waiting=frozenset(issue.item_id for issue in self._registry.issues(self._mailbox_id, MOST)),
            origin=self._origin,
            translator=self._translator,
            clock=self._clock,
        )
        matches = self._matches(survey, listed)
        known = {folder.id for _, folder in matches}
        survey.new_items = _counted(folder for id_, folder in folders.items() if id_ not in known)
        for state, folder in matches:
            if folder.id in folders and state.seeded:
                self._survey_folder(surveyor, survey, state, folder)
        compare_samples(survey, self._source, listed, self._reader, self._scope.content)

    def _matches(self, survey: Survey, listed: dict[str, Folder]) -> list[tuple[FolderState, Folder]]:
        """Match the replica's folders with the other source's: by id, else by path and kind; each of them once."""
        states = self._cursor.folders
        self._require_kinds(listed)
        missing = [id_ for id_ in states if id_ not in listed]
        names = self._translator.at_target(missing)
        met = {names.get(id_, id_) for id_ in states}
        free = {(each.path, each.kind, each.archive): each for id_, each in listed.items() if id_ not in met}
        matches, survey.kept, survey.gone, survey.gone_items, survey.kept_items = [], {}, [], 0, 0
        # A pass may have removed folders since an earlier part of the survey.
        survey.folders = {id_: found for id_, found in survey.folders.items() if id_ in states}
        for id_, state in states.items():
            folder = listed.get(names.get(id_, id_)) or free.pop((state.path, state.kind, state.archive), None)
            if folder is not None:
                matches.append((state, folder))
            elif gives_folder(self._target, state.kind, archive=state.archive):
                survey.gone.append(id_)
                survey.gone_items += state.items
            else:
                survey.kept[id_] = state.path
                survey.kept_items += state.items
        return matches

    def _require_kinds(self, listed: dict[str, Folder]) -> None:
        """Check that every kind of folder with items is listed, since a missing permission hides all of a kind.

        Raises: AdministratorMustAct.
        """
        kinds = {folder.kind for folder in listed.values()}
        for state in self._cursor.folders.values():
            if kinds and state.items and state.kind not in kinds and state.kind in _ALWAYS_LISTED:
                raise AdministratorMustAct(Reason.ACCESS_DENIED, f"no folder of kind {state.kind} is listed")

    def _survey_folder(self, surveyor: FolderSurveyor, survey: Survey, state: FolderState, folder: Folder) -> None:
        """Survey one folder; if its state is lost in the meantime, from its beginning again, once.

        A folder whose state is always lost must not stop the move for good: it is compared after the switch.

        Raises: RetryLater: the state was lost again, and failures are not isolated yet.
        """
        for attempt in count():
            found = survey.folders.get(state.id)
            if found is None or found.target_id != folder.id:
                found = survey.folders[state.id] = FolderSurvey(state.id, folder.id, folder.path)
            if found.complete:
                return
            try:
                surveyor.survey(folder, found)
            except StateInvalid as exc:
                found = survey.folders[state.id] = FolderSurvey(state.id, folder.id, folder.path)
                if attempt and not self._isolates_failures:
                    raise RetryLater(Reason.BAD_ANSWER, "a folder's state is lost again and again") from exc
                found.complete = found.is_unreadable = bool(attempt)
            except (FolderGone, FolderUnreadable):
                found.complete = found.is_unreadable = True
            else:
                return

    def _count_lost_fields(self, survey: Survey) -> None:
        """Count all items of a kind as having lost fields if its samples have."""
        for folder in survey.folders.values():
            for kind, counts in folder.kinds.items():
                lost = survey.sampled.get(kind) == SampleResult.FIELDS_LOST
                counts.fields_lost = counts.same if lost else 0

    @property
    def _spent(self) -> int:
        return self._source.figures.requests - self._figures.requests

    def _keep(self, survey: Survey) -> bytes:
        """Store the survey so far, with its cost; returns the document."""
        now = self._source.figures
        survey.requests += now.requests - self._figures.requests
        survey.bytes_received += now.bytes_received - self._figures.bytes_received
        document = encode(survey)
        self._put(DOCUMENT, document)
        return document

    def _put(self, name: str, data: bytes) -> None:
        """Store a document, unless another worker has moved the mailbox in the meantime: its document is needed still.

        Raises: Conflict, LeaseLost.
        """
        self._budget.check_lease()
        if self._replica.load(self._mailbox_id, self._cursor.etag).etag != self._cursor.etag:
            raise Conflict("another worker has replaced the cursor since the survey was read")
        self._replica.put_derived(self._mailbox_id, name, data)

    def _ended(self, survey: Survey, outcome: MoveOutcome) -> MoveResult:
        """End without a move: keep the report, and start a new survey at the next request."""
        report = parity.report(survey, outcome, self._origin.name, self._clock().isoformat())
        self._put(parity.DOCUMENT, parity.encode(report))
        self._put(DOCUMENT, b"")
        return MoveResult(self._cursor, outcome, report, self._spent)

    def _switch(self, survey: Survey, document: bytes) -> MoveResult:
        """Change the source in the same commit as the cursor."""
        self._budget.check_lease()
        following = switched(self._cursor, survey, document, self._written_since(survey), self._clock())
        cursor = self._replica.commit(self._mailbox_id, self._cursor, (), following)
        return MoveResult(cursor, MoveOutcome.MOVED, None, self._spent)

    def _written_since(self, survey: Survey) -> dict[str, dict[str, None]]:
        """Return, by folder, the keys of items that passes have written since the survey began."""
        written: dict[str, dict[str, None]] = {}
        if survey.sequence < self._cursor.sequence:
            for page in self._replica.feed(self._mailbox_id, survey.sequence):
                for change in page.changes:
                    if change.kind not in (FeedKind.DELETE, FeedKind.LEAVE):
                        written.setdefault(change.item.folder_id, {})[change.item.key] = None
        return written


def _counted(folders: Iterable[Folder]) -> dict[str, int]:
    found: dict[str, int] = {}
    for folder in folders:
        if folder.total:
            found[folder.kind.value] = found.get(folder.kind.value, 0) + folder.total
    return found
