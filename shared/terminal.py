"""What the command line shows besides its results: text that is safe for a terminal, and progress."""

from typing import TextIO


def printable(text: str) -> str:
    """A stranger's text for a terminal: no control sequence gets through."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


class ProgressLine:
    """Counts items in one line of a terminal; silent where there is none. `total` is about how many there are."""

    def __init__(self, out: TextIO, total: int) -> None:
        self._out = out if out.isatty() else None
        self._total = total
        self._done = 0

    def add(self, count: int) -> None:
        """So many more are done."""
        self.set(self._done + count)

    def set(self, done: int) -> None:
        """So many are done."""
        self._done = done
        if self._out is not None:
            percent = min(100, done * 100 // max(1, self._total, done))
            print(
                f"\r{done:,} of about {max(self._total, done):,} items ({percent} %)",
                end="",
                file=self._out,
                flush=True,
            )

    def end(self) -> None:
        """Leave the line."""
        if self._out is not None and self._done:
            print(file=self._out)
