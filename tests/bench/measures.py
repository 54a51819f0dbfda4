"""The measurements. Each is a function of the environment that returns figures for the JSON line and table rows.

To add a measurement, write a function here and add it to MEASURES.
"""

import json
from collections.abc import Callable, Mapping
from statistics import median

from tests.bench import graph_measures, graph_requests, system_measures
from tests.bench.environment import Canned, Environment
from tests.bench.figures import Figures

MIME_BYTES = 20_000
NAMES = {
    "documented": "exchangelib `sync_items()` as documented",
    "tuned": "exchangelib, ids only + GetItem of what is needed",
    "ours": "this program's source",
    "limit": "download + `lxml.etree.fromstring`, nothing extracted",
}


def reading(environment: Environment, what: str) -> Figures:
    """Measure the four contenders, interleaved, each run in a fresh process.

    exchangelib reads a quarter of the messages, once: with all of them it would take nine tenths of the time, and it
    varies least. In a quick run the other contenders run more often: they take a tenth of a second and vary most.
    """
    mime_bytes = MIME_BYTES if what == "mime" else 0
    count = environment.size(10_000)
    cpu: dict[str, list[float]] = {name: [] for name in NAMES}
    seconds: dict[str, list[float]] = {name: [] for name in NAMES}
    sizes: dict[str, float] = {}
    with environment.canned(count, mime_bytes) as canned, environment.canned(count // 4, mime_bytes) as smaller:
        for turn in range(environment.runs(3, 5)):
            for name in NAMES:
                is_slow = name in ("documented", "tuned")
                if is_slow and turn:
                    continue
                server, there = (smaller, count // 4) if is_slow else (canned, count)
                result = environment.child("tests.bench.contenders", name, server.url, str(server.ca), what)
                if result["items"] != there:
                    raise RuntimeError(f"{name} read {result['items']} of {there}")
                cpu[name].append(result["cpu"] * 1000 / there)
                seconds[name].append(there / result["seconds"])
                sizes[name] = sum(size for _, size in server.served().values()) / there
    costs = {name: median(found) for name, found in cpu.items()}
    figures = Figures(
        f"Reading {count:,} messages, {'with 20 KB MIME each' if mime_bytes else 'metadata'}",
        ("client", "CPU s per 1,000", "times ours", "items per second", "bytes per item"),
    )
    for name, label in NAMES.items():
        figures.rows.append(
            (label, f"{costs[name]:.3f}", f"{costs[name] / costs['ours']:.1f}", f"{median(seconds[name]):,.0f}",
             f"{sizes[name]:,.0f}")
        )  # fmt: skip
    figures.values = {
        f"{what}_vs_documented": round(costs["documented"] / costs["ours"], 1),
        f"{what}_vs_limit": round(costs["ours"] / costs["limit"], 2),
    }
    return figures


def metadata(environment: Environment) -> Figures:
    """Reading 21 properties per message."""
    return reading(environment, "metadata")


def mime(environment: Environment) -> Figures:
    """Reading the same and 20 KB MIME per message."""
    return reading(environment, "mime")


def idle(environment: Environment) -> Figures:
    """A mailbox of thirty folders without changes, and one with a new message."""
    with environment.canned(0, MIME_BYTES) as canned:
        runs = [
            environment.child("tests.bench.subjects", "idle", canned.url, str(canned.ca))
            for _ in range(environment.runs(5, 3))
        ]
    cpu = median(run["cpu"] for run in runs) * 1000
    requests = max(int(run["requests"]) for run in runs)
    changed = max(int(run["changed"]) for run in runs)
    figures = Figures("An idle mailbox of 30 folders", ("what", "measured"))
    figures.rows = [
        ("EWS requests per pass", str(requests)),
        ("EWS requests per pass when one message has arrived, including the request for the message", str(changed)),
        ("CPU per pass, including a new TLS connection", f"{cpu:.1f} ms"),
    ]
    figures.values = {"idle_requests": requests, "changed_requests": changed, "idle_cpu_ms": round(cpu, 2)}
    return figures


def whole_pass(environment: Environment) -> Figures:
    """A first sync of messages with 20 KB MIME into Azurite, on a machine shared with both servers."""
    count = environment.size(10_000)
    with environment.canned(count, MIME_BYTES) as canned, environment.storage(as_it_comes=True) as storage:
        result = _pass(environment, "pass", canned, storage, count)
        limit = environment.child("tests.bench.subjects", "storage", _json(storage), str(MIME_BYTES))
    rate, cpu = result["items"] / result["seconds"], result["cpu"] * 1000 / count
    figures = Figures(f"A whole first sync of {count:,} messages with 20 KB MIME into Azurite", ("what", "measured"))
    figures.rows = [
        ("messages per second", f"{rate:,.0f}"),
        ("our CPU s per 1,000", f"{cpu:.2f}"),
        ("Azurite alone: rows per second, in transactions of 100, four at a time", f"{limit['rows_per_second']:,.0f}"),
        ("Azurite alone: messages per second, as packs of 250, four at a time", f"{limit['packed_per_second']:,.0f}"),
    ]
    figures.values = {"replica_items_per_second": round(rate), "replica_cpu_s_per_1000": round(cpu, 2)}
    return figures


def exports(environment: Environment) -> Figures:
    """An export of messages with 20 KB MIME out of Azurite, in each format."""
    count = environment.size(10_000)
    result = environment.child("tests.bench.exports", str(count))
    head = ("format", "items per second", "items per second of our processor time")
    figures = Figures(f"An export of {count:,} messages with 20 KB MIME from Azurite", head)
    for name in ("files", "mbox", "parquet"):
        rates = (f"{result[f'export_{name}_{unit}']:,.0f}" for unit in ("per_second", "per_cpu_second"))
        figures.rows.append((name, *rates))
    figures.values = {"export_files_per_second": result["export_files_per_second"]}
    return figures


def memory(environment: Environment) -> Figures:
    """Peak memory of a first sync into Azurite and a sweep, for two sizes that differ by ten times; 1 KB MIME each.

    The figures are those after the sweep.
    """
    counts = [environment.size(10_000), environment.size(100_000)]
    passes = []
    for count in counts:
        with environment.canned(count, 1000) as canned, environment.storage() as storage:
            passes.append(_pass(environment, "memory", canned, storage, count))
    small, large = (result["swept_mb"] for result in passes)
    figures = Figures(
        "Memory of the whole process in a first sync with replica writes and the sweep after it",
        ("messages", "peak in the first sync", "with the sweep"),
    )
    figures.rows = [
        (f"{count:,}", f"{result['peak_mb']:.0f} MB", f"{result['swept_mb']:.0f} MB")
        for count, result in zip(counts, passes, strict=True)
    ]
    figures.values = {"peak_mb_10k": round(small, 1), "peak_mb_100k": round(large, 1)}
    return figures


def graph_memory(environment: Environment) -> Figures:
    """The same over Microsoft Graph, for fewer messages, since each one's MIME is a request."""
    counts = [environment.size(4_000), environment.size(40_000)]
    passes = []
    for count in counts:
        with environment.canned_graph(count, 1000) as canned, environment.storage() as storage:
            passes.append(_pass(environment, "graph-memory", canned, storage, count))
    small, large = (result["swept_mb"] for result in passes)
    figures = Figures(
        "Graph: memory of the whole process in a first sync with replica writes and the sweep after it",
        ("messages", "peak in the first sync", "with the sweep"),
    )
    figures.rows = [
        (f"{count:,}", f"{result['peak_mb']:.0f} MB", f"{result['swept_mb']:.0f} MB")
        for count, result in zip(counts, passes, strict=True)
    ]
    figures.values = {"graph_memory_ratio": round(large / small, 2)}
    return figures


def imports(environment: Environment) -> Figures:
    """How long importing the app takes."""
    found = environment.child("tests.bench.subjects", "import")["import_ms"]
    figures = Figures("Start-up", ("what", "measured"))
    figures.rows = [("importing function_app, bytecode warm", f"{found:.0f} ms")]
    figures.values = {"import_ms": round(found)}
    return figures


def _pass(
    environment: Environment, subject: str, canned: Canned, storage: Mapping[str, str], count: int
) -> dict[str, float]:
    result = environment.child("tests.bench.subjects", subject, canned.url, _json(storage))
    if result["items"] != count:
        raise RuntimeError(f"the pass brought {result['items']} of {count}")
    return result


def _json(storage: Mapping[str, str]) -> str:
    return json.dumps(dict(storage))


MEASURES: dict[str, Callable[[Environment], Figures]] = {
    "metadata": metadata,
    "mime": mime,
    "idle": idle,
    "pass": whole_pass,
    "export": exports,
    "memory": memory,
    "import": imports,
    "graph-metadata": graph_measures.metadata,
    "graph-mime": graph_measures.mime,
    "graph-pages": graph_measures.pages,
    "graph-idle": graph_measures.idle,
    "graph-first": graph_measures.first_sync,
    "graph-memory": graph_memory,
    "graph-requests": graph_requests.requests,
    **system_measures.MEASURES,
}
