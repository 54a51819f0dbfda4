"""Benchmarks the sync: `python -m tests.bench [--quick] [measurement...]`.

Prints tables of medians, writes them to docs/performance.md when all measurements ran in full, and ends with one JSON
line. `--quick` uses a tenth of the data.
"""

import argparse
import json
import os
import platform
import sys
from pathlib import Path
from textwrap import fill

from tests.bench.environment import ROOT, environment
from tests.bench.measures import MEASURES, Figures

KEYS = (
    "metadata_vs_documented",
    "mime_vs_documented",
    "metadata_vs_limit",
    "mime_vs_limit",
    "idle_requests",
    "idle_cpu_ms",
    "replica_items_per_second",
    "peak_mb_10k",
    "peak_mb_100k",
    "import_ms",
)
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
    "peak_mb_100k": ("<=", 150),
    "import_ms": ("<=", 350),
}


def main() -> None:
    """Run the requested measurements."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Benchmark the sync.")
    parser.add_argument("--quick", action="store_true", help="measure a tenth of the data")
    parser.add_argument("measurements", nargs="*", help=f"some of: {', '.join(MEASURES)}; none: all")
    options = parser.parse_args()
    unknown = set(options.measurements) - set(MEASURES)
    if unknown:
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    found: list[Figures] = []
    with environment(options.quick) as prepared:
        for name in options.measurements or MEASURES:
            figures = MEASURES[name](prepared)
            print(written(figures), flush=True)
            found.append(figures)
    values = {key: value for figures in found for key, value in figures.values.items()}
    print(verdict(values))
    if not options.quick and not options.measurements:
        (ROOT / "docs" / "performance.md").write_text(page(found, values), encoding="utf-8")
    print(json.dumps({key: values.get(key) for key in KEYS}))


def written(figures: Figures) -> str:
    """One measurement's table in Markdown."""
    lines = [f"## {figures.title}", "", _row(figures.head), _row(["---"] * len(figures.head))]
    return "\n".join([*lines, *map(_row, figures.rows), ""])


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


def page(found: list[Figures], values: dict[str, float | None]) -> str:
    """The text of docs/performance.md."""
    about = (
        "`make bench` (`python -m tests.bench`) writes this page; `make bench-quick` measures a tenth of the data and"
        f" does not change it. The machine has {os.cpu_count()} cores and Python {platform.python_version()}, and it"
        " also runs the servers. Figures are medians of interleaved runs, each in a fresh process, without import time."
        " The canned EWS server answers over TLS with the properties that a client requests, as Exchange does:"
        " exchangelib as documented requests a hundred and gets the fifty that a received message has, internet headers"
        " included; the other clients request the same 21. `times ours` compares processor time. Azurite's own rates"
        " and the first sync into it are measured on unmodified Azurite. The memory measurement uses the row lookup of"
        " sandbox/storage/patch_azurite_lookup.cjs, because in unmodified Azurite each row takes longer than the one"
        " before."
    )
    head = ["# What a sync costs", "", fill(about, WIDTH, break_on_hyphens=False), ""]
    return "\n".join([*head, verdict(values), *map(written, found)]).rstrip() + "\n"


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main()
