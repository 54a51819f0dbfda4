"""What the command line shows: text that is safe for a terminal, tables, and progress.

On a terminal, rich draws tables and progress if it is installed. A program that reads the output gets plain lines.
"""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, TextIO

SHOW_SECONDS = 0.1
"""Progress is shown no more often: drawing it takes longer than handling an item."""

if TYPE_CHECKING:
    from rich.progress import Progress


def printable(text: str) -> str:
    """A stranger's text for a terminal: no control sequence gets through."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def show_table(out: TextIO, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of texts: a table with headings on a terminal, else a line a row, words apart by two spaces.

    If there are none, the standard error says so: programs read an empty list.
    """
    left = iter(rows)
    first = next(left, None)
    if first is None:
        print("there are none", file=sys.stderr)
        return
    listed = chain([first], left)
    if out.isatty():
        with suppress(ImportError):
            _show_rich_table(out, headings, listed)
            return
    for row in listed:
        print("  ".join(printable(word) for word in row if word), file=out)


def _show_rich_table(out: TextIO, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Where a row is too wide, the last column is cut; ids in the others stay whole, to be copied."""
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table, cells = (
        Table(box=None, header_style="bold", padding=(0, 2, 0, 0)),
        [list(map(printable, row)) for row in rows],
    )
    for number, heading in enumerate(headings):
        widest = max(cell_len(words[number]) for words in [headings, *cells])
        is_last = number == len(headings) - 1
        table.add_column(heading, no_wrap=True, overflow="ellipsis", min_width=None if is_last else widest)
    for words in cells:
        # As Text, so that brackets in a subject are not taken for markup.
        table.add_row(*map(Text, words))
    Console(file=out, highlight=False).print(table)


class ProgressLine:
    """Counts items on a terminal, with their rate; silent where there is none.

    `total` is about how many there are. `plain` is a line of text even if rich is installed.
    """

    def __init__(
        self, out: TextIO, total: int, clock: Callable[[], float] = time.monotonic, *, plain: bool = False
    ) -> None:
        self._out = out if out.isatty() else None
        self._total = total
        self._done = 0
        self._clock = clock
        self._began = self._now = clock()
        self._shown_at = float("-inf")
        self._bar = _rich_bar(out, total) if self._out is not None and not plain else None

    def add(self, count: int) -> None:
        """So many more are done."""
        self.set(self._done + count)

    def set(self, done: int) -> None:
        """So many are done."""
        self._done = done
        if self._out is None:
            return
        self._now = self._clock()
        if self._now - self._shown_at >= SHOW_SECONDS:
            self._show()

    def _show(self) -> None:
        self._shown_at = self._now
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self._done, total=max(self._done, self._total))
        else:
            print(f"\r{self._line()}", end="", file=self._out, flush=True)

    def end(self) -> None:
        """Show where it ended, and leave the line."""
        if self._out is not None and self._done and self._now != self._shown_at:
            self._show()
        if self._bar is not None:
            self._bar.stop()
        elif self._out is not None and self._done:
            print(file=self._out)

    def rate(self) -> float:
        """Items a second so far."""
        return self._done / max(self._now - self._began, 1e-6)

    def _line(self) -> str:
        percent = min(100, self._done * 100 // max(1, self._total, self._done))
        total = max(self._total, self._done)
        return f"{self._done:,} of about {total:,} items ({percent} %), {self.rate():,.0f} a second"


def _rich_bar(out: TextIO, total: int) -> "Progress | None":
    """A bar of rich; None where rich is not installed."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:
        return None
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("items, {task.speed:,.0f} a second"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=Console(file=out))
    bar.add_task("", total=total)
    bar.start()
    return bar
