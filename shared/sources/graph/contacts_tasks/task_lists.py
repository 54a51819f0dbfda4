"""Fetches tasks with their checklists, links, and attachments. Tasks that came with a page are not requested again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched

from shared.errors import Reason, RetryLater
from shared.formats.ics.calendar import task_calendar
from shared.formats.uids import UNIDENTIFIED
from shared.sources.graph.contacts_tasks.tasks import (
    GraphTask,
    LinkedResource,
    Links,
    Step,
    Steps,
    task_item,
    typed_task,
)
from shared.sources.graph.items.attachments import AttachmentReading
from shared.sources.graph.items.item_requests import SENSELESS, ItemRequests, Result
from shared.sources.graph.items.recent import RecentMembers
from shared.sources.graph.transport.batch import Ask
from shared.sources.graph.transport.client import GraphClient
from shared.sources.model import Content, ContentLevel, Folder, ItemFailure
from shared.sources.port import FolderGone

_AT_ONCE = 80


@dataclass(frozen=True, slots=True)
class TaskFetcher:
    """Fetches the tasks of one mailbox's lists."""

    client: GraphClient
    requests: ItemRequests
    recent: RecentMembers
    largest: int

    def fetch(self, folder: Folder, ids: Sequence[str], level: ContentLevel) -> Iterator[Result]:
        """Fetch the tasks, each once. Every level except metadata includes the .ics file."""
        for part in batched(ids, _AT_ONCE, strict=False):
            tasks = self._read(folder, part)
            besides = self._besides(folder, tasks) if level is not ContentLevel.METADATA else {}
            for identifier, task in tasks.items():
                beside = besides.get(identifier, _NOTHING)
                if isinstance(task, ItemFailure):
                    yield task
                elif isinstance(beside, ItemFailure):
                    yield beside
                else:
                    yield self._item(task, folder, level, beside)

    def _read(self, folder: Folder, ids: Sequence[str]) -> Mapping[str, GraphTask | ItemFailure]:
        found: dict[str, GraphTask | ItemFailure] = {}
        for each in ids:
            kept = self.recent.take(each)
            if isinstance(kept, GraphTask):
                found[each] = kept
        asks = {each: Ask(self._path(folder, each)) for each in ids if each not in found}
        for identifier, part in self.requests.answers(asks):
            found[identifier] = self.requests.decoded(GraphTask, part, identifier)
        return found

    def _path(self, folder: Folder, task_id: str) -> str:
        return f"{self.client.mailbox}/todo/lists/{folder.id}/tasks/{task_id}"

    def _besides(
        self, folder: Folder, tasks: Mapping[str, GraphTask | ItemFailure]
    ) -> dict[str, "_Beside | ItemFailure"]:
        """Request the checklists and links of tasks: collections that are not part of a page."""
        paths = {each: self._path(folder, each) for each, task in tasks.items() if isinstance(task, GraphTask)}
        steps = self._answers(Steps, {each: Ask(f"{path}/checklistItems") for each, path in paths.items()})
        links = self._answers(Links, {each: Ask(f"{path}/linkedResources") for each, path in paths.items()})
        return {each: _both(steps[each], links[each]) for each in paths}

    def _answers[T](self, kind: type[T], asks: Mapping[str, Ask]) -> dict[str, T | ItemFailure]:
        return {each: self.requests.decoded(kind, part, each) for each, part in self.requests.answers(asks)}

    def _item(self, task: GraphTask, folder: Folder, level: ContentLevel, beside: "_Beside") -> Result:
        try:
            item = task_item(task, folder.id)
            if level is ContentLevel.METADATA:
                return item
            files = AttachmentReading(self.client, self.largest)
            attached = files.of_task(folder.id, task.id) if task.has_attachments else ()
            typed = typed_task(task, beside.steps, beside.links, attached)
            return files.completed(item, Content("ics", task_calendar(typed, UNIDENTIFIED)))
        except FolderGone as exc:
            return ItemFailure(task.id, Reason.ITEM_GONE, str(exc))
        except RetryLater as exc:
            return self.requests.failed(exc, task.id)
        except SENSELESS as exc:
            return ItemFailure(task.id, Reason.ITEM_UNREADABLE, type(exc).__name__)


@dataclass(frozen=True, slots=True)
class _Beside:
    """The checklist and the links of a task, which are not among its properties."""

    steps: Sequence[Step] = ()
    links: Sequence[LinkedResource] = ()


_NOTHING = _Beside()


def _both(steps: Steps | ItemFailure, links: Links | ItemFailure) -> _Beside | ItemFailure:
    if isinstance(steps, ItemFailure):
        return steps
    return links if isinstance(links, ItemFailure) else _Beside(steps.value, links.value)
