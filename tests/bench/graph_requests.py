"""How many requests Microsoft Graph is asked in the cases that cost the most, beside the requests of EWS for the same.

A mailbox in the sandbox's Graph, without sockets: HTTP requests, and what Graph counts, where each part of a batch is
one. Of large mailboxes a part is measured, and the rest follows from it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sandbox.graph.access import Caller
from sandbox.graph.service import Fault
from sandbox.graph.wire.request import GraphRequest, GraphResponse
from sandbox.mailboxes.samples import item_samples
from shared.sync.limits import Limits
from shared.sync.scope import Scope
from tests.bench.environment import Environment
from tests.bench.figures import Figures
from tests.contract.graph_in_process import GraphWorld
from tests.fakes.sync_harness import ID

MESSAGES, EVENTS = 1_000, 100

PLANS = (
    ("idle pass", "1", "about 40 in 2 HTTP requests"),
    ("20 new messages in 2 folders, MIME", "5", "idle pass + 2 + 20"),
    ("read flags of 50 messages in one folder", "2", "idle pass + 1"),
    (f"first sync of {MESSAGES:,} messages, MIME", "50 to 100", f"idle pass + 2 to 4 + {MESSAGES:,}"),
    (f"{EVENTS} new events", "4", f"idle pass + 1 to 10 + {EVENTS}"),
    (f"sweep of {MESSAGES:,} messages and {EVENTS} events, 50 contents confirmed", "1 a folder + 3", "2 a folder + 50"),
)
"""Each case, and what it was expected to cost over each protocol."""


@dataclass(slots=True)
class Asked:
    """What one case has cost."""

    http: int = 0
    counted: int = 0


class CountingWorld(GraphWorld):
    """A mailbox of 30 mail folders, a second calendar and a second contact folder, whose requests are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.scope = Scope(private_items=True)
        self.limits = Limits(overlap=False)
        self.engine = self.new_engine()
        self.asked = Asked()
        self._answer: Callable[..., GraphResponse] = self.service.answer
        self.service.answer = self._counted  # type: ignore[method-assign]
        top = self.exchange.top()
        mail_folders = sum(folder.folder_class == "IPF.Note" for folder in self.exchange.folders.values())
        for number in range(30 - mail_folders):
            self.exchange.add_folder(top, f"Folder {number}")

    def _counted(self, request: GraphRequest, caller: Caller, fault: Fault | None = None) -> GraphResponse:
        self.asked.counted += 1
        return self._answer(request, caller, fault)

    @contextmanager
    def case(self) -> Iterator[Asked]:
        """Count what the passes of this block ask for; the next dispatch is due at its end."""
        self.asked = found = Asked()
        before = len(self.registry.runs(ID))
        yield found
        runs = self.registry.runs(ID)
        found.http = sum(run.requests for run in runs[: len(runs) - before])
        self.clock.pass_by(minutes=30)


def requests(environment: Environment) -> Figures:
    """Each case of the table of costs."""
    world = CountingWorld()
    inbox = world.exchange.distinguished["inbox"]
    for number in range(MESSAGES):
        world.insert("inbox", number)
    with world.case() as first:
        world.sync()
    with world.case() as idle:
        world.sync()
    for number in range(20):
        world.insert("inbox" if number % 2 else "sentitems", number)
    with world.case() as arrived:
        world.sync()
    for item in list(inbox.items.values())[:50]:
        world.exchange.set_read(item, not item.is_read)
    with world.case() as flagged:
        world.sync()
    calendar = world.exchange.distinguished["calendar"]
    start = world.exchange.clock().replace(tzinfo=None, microsecond=0)
    for number in range(EVENTS):
        world.exchange.insert(calendar, item_samples.event(f"Event {number}", start, 30))
    with world.case() as events:
        world.sync()
    world.clock.pass_by(hours=24)
    with world.case() as swept:
        world.sweep()
    figures = Figures(
        "Graph: requests of a mailbox with 30 mail folders, beside the plan",
        ("case", "planned for EWS", "planned for Graph", "HTTP requests", "counted by Graph"),
    )
    costs = (idle, arrived, flagged, first, events, swept)
    figures.rows = [(*plan, f"{asked.http:,}", f"{asked.counted:,}") for plan, asked in zip(PLANS, costs, strict=True)]
    figures.values = {"graph_counted_idle": idle.counted, "graph_counted_arrived": arrived.counted}
    return figures
