"""Benchmarks the sync: `python -m tests.bench [--quick] [measurement...]`.

Prints tables of medians, writes them to docs/performance.md when all measurements ran in full, and ends with one JSON
line. `--quick` uses a tenth of the data. `--update` puts the named measurements into the page and keeps the others.
"""

import argparse
import json
import os
import platform
import re
import sys
from pathlib import Path
from textwrap import fill

from tests.bench.environment import ROOT, environment
from tests.bench.figures import Figures
from tests.bench.measures import MEASURES
from tests.bench.system_measures import KEYS as SYSTEM_KEYS
from tests.bench.system_measures import MEASURES as SYSTEM_MEASURES
from tests.bench.system_measures import TARGETS as SYSTEM_TARGETS

KEYS = (
    "metadata_vs_documented",
    "mime_vs_documented",
    "metadata_vs_limit",
    "mime_vs_limit",
    "idle_requests",
    "idle_cpu_ms",
    "replica_items_per_second",
    "export_files_per_second",
    "peak_mb_10k",
    "peak_mb_100k",
    "import_ms",
    "graph_metadata_vs_sdk",
    "graph_metadata_vs_limit",
    "graph_pages_vs_decoding",
    "graph_pages_vs_typed_decoding",
    "graph_mime_vs_limit",
    "graph_idle_requests",
    "graph_idle_cpu_ms",
    "graph_in_flight",
    "graph_first_requests",
    "graph_memory_ratio",
    "graph_counted_idle",
    "graph_counted_arrived",
)
PAGE = ROOT / "docs" / "performance.md"
WIDTH = 120
TARGETS = {
    "metadata_vs_documented": (">=", 40),
    "mime_vs_documented": (">=", 50),
    "metadata_vs_limit": ("<=", 4),
    "mime_vs_limit": ("<=", 4),
    "idle_requests": ("<=", 1),
    "changed_requests": ("<=", 3),
    "idle_cpu_ms": ("<=", 5),
    "replica_items_per_second": (">=", 700),
    "replica_cpu_s_per_1000": ("<=", 1),
    "export_files_per_second": (">=", 1200),
    "peak_mb_100k": ("<=", 150),
    "import_ms": ("<=", 350),
    "graph_metadata_vs_sdk": (">=", 300),
    "graph_metadata_vs_limit": ("<=", 3),
    "graph_pages_vs_decoding": ("<=", 3),
    "graph_pages_vs_typed_decoding": ("<=", 3),
    "graph_mime_vs_limit": ("<=", 3),
    "graph_idle_requests": ("<=", 2),
    "graph_idle_cpu_ms": ("<=", 10),
    "graph_in_flight": (">=", 4),
    "graph_memory_ratio": ("<=", 1.2),
    **SYSTEM_TARGETS,
}


def main() -> None:
    """Run the requested measurements."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Benchmark the sync.")
    parser.add_argument("--quick", action="store_true", help="measure a tenth of the data")
    parser.add_argument("--update", action="store_true", help="put the named measurements into docs/performance.md")
    parser.add_argument("--note", default="", help="a sentence for the page about this run")
    parser.add_argument("--sdk-python", default="", help="the interpreter of an environment that has msgraph-sdk")
    parser.add_argument("--system", action="store_true", help="measure what everything around the mail costs")
    parser.add_argument("measurements", nargs="*", help=f"some of: {', '.join(MEASURES)}; none: all")
    options = parser.parse_args()
    unknown = set(options.measurements) - set(MEASURES)
    if unknown:
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    found: list[Figures] = []
    with environment(options.quick, options.sdk_python) as prepared:
        for name in options.measurements or (SYSTEM_MEASURES if options.system else MEASURES):
            figures = MEASURES[name](prepared)
            print(written(figures), flush=True)
            found.append(figures)
            if options.update and not options.quick:
                old = PAGE.read_text(encoding="utf-8")
                PAGE.write_text(updated(old, figures, options.note), encoding="utf-8")
    values = {key: value for figures in found for key, value in figures.values.items()}
    print(verdict(values))
    if not options.quick and not options.measurements and not options.system:
        PAGE.write_text(page(found, values, options.note), encoding="utf-8")
    print(json.dumps({key: values.get(key) for key in (SYSTEM_KEYS if options.system else KEYS)}))


def written(figures: Figures) -> str:
    """One measurement's table and notes in Markdown."""
    lines = [f"## {figures.title}", "", _row(figures.head), _row(["---"] * len(figures.head))]
    lines += [*map(_row, figures.rows), ""]
    return "\n".join([*lines, *([fill(figures.notes, WIDTH), ""] if figures.notes else [])])


def verdict(values: dict[str, float | None]) -> str:
    """Each figure with its target."""
    lines = ["## Targets", "", _row(("figure", "measured", "target", "")), _row(["---"] * 4)]
    for key, (sign, wanted) in TARGETS.items():
        value = values.get(key)
        if value is None:
            continue
        met = value >= wanted if sign == ">=" else value <= wanted
        lines.append(_row((f"`{key}`", f"{value:g}", f"{'at least' if sign == '>=' else 'at most'} {wanted}",
                           "met" if met else f"missed by {abs(value - wanted) / wanted:.0%}")))  # fmt: skip
    small, large = values.get("peak_mb_10k"), values.get("peak_mb_100k")
    if small and large:
        met = large <= 1.2 * small
        lines.append(_row(("peak memory, ten times the messages", f"{large / small:.2f} times", "at most 1.2 times",
                           "met" if met else "missed")))  # fmt: skip
    return "\n".join([*lines, ""])


def page(found: list[Figures], values: dict[str, float | None], note: str) -> str:
    """The text of docs/performance.md."""
    about = (
        "`make bench` (`python -m tests.bench`) writes this page; `make bench-quick` measures a tenth of the data and"
        f" does not change it. The machine has {os.cpu_count()} cores and Python {platform.python_version()}, and it"
        " also runs the servers. Figures are medians of interleaved runs, each in a fresh process, without import time."
        " The canned EWS server answers over TLS with the properties that a client requests, as Exchange does:"
        " exchangelib as documented requests a hundred and gets the fifty that a received message has, internet headers"
        " included; it reads a quarter of the messages, once. The other clients request the same 21. `times ours`"
        " compares processor time. Azurite's own rates and the first sync into it are measured on unmodified Azurite."
        " The memory measurement uses the row lookup of sandbox/storage/patch_azurite_lookup.cjs, because in unmodified"
        " Azurite each row takes longer than the one before. The canned Graph server answers over TLS too, without"
        " compression, with the 20 properties that this program requests. msgraph-sdk reads a tenth of the messages,"
        " once, where it is installed. Absolute times vary up to twofold with what the host of the machine does; ratios"
        " vary less."
    )
    paragraphs = [about, *([note] if note else [])]
    head = ["# What a sync costs", ""]
    for paragraph in paragraphs:
        head += [fill(paragraph, WIDTH, break_on_hyphens=False), ""]
    return "\n".join([*head, verdict(values), *map(written, found)]).rstrip() + "\n"


def updated(old: str, figures: Figures, note: str) -> str:
    """The page with one measurement put in the place of its former one, or at its end.

    The former one may have been made with another number of messages or mailboxes, which is part of the title.
    """
    about, *sections = old.rstrip().split("\n## ")
    by_title = {_subject(section.partition("\n")[0]): section for section in sections}
    new = written(figures).rstrip() + (f"\n\n{fill(note, WIDTH)}" if note else "")
    by_title[_subject(figures.title)] = new.removeprefix("## ")
    targets = verdict(figures.values)
    asked = targets.partition("\n")[0].removeprefix("## ")
    by_title[_subject(asked)] = _merged(by_title[_subject(asked)], targets)
    return "\n## ".join([about, *(section.rstrip() + "\n" for section in by_title.values())]).rstrip() + "\n"


def _subject(title: str) -> str:
    """A title without its numbers."""
    return re.sub(r"\d[\d,]*", "0", title)


def _merged(old: str, new: str) -> str:
    """The lines of a table of verdicts, those of the figures measured now in the place of their former ones."""
    lines = {line.split("|")[1]: line for line in new.splitlines() if line.startswith("| `")}
    kept = [lines.pop(line.split("|")[1], line) if line.startswith("|") else line for line in old.rstrip().splitlines()]
    return "\n".join([*kept, *lines.values()])


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main()
