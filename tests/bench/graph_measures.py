"""What is measured of Microsoft Graph: reading pages and MIME, an idle mailbox, a first sync; ratios within one run."""

import json
from statistics import median

from tests.bench.environment import Environment
from tests.bench.figures import Figures

MIME_BYTES = 20_000
NAMES = {
    "sdk": "msgraph-sdk, `messages/delta`",
    "ours": "this program's source",
    "limit": "download, pages decoded by `msgspec.json.decode`, nothing taken out",
}
PAGES = {
    "pages": "this program: changes and items",
    "untyped": "`msgspec.json.decode`",
    "typed": "msgspec, as this program's structs",
}


def metadata(environment: Environment) -> Figures:
    """20 properties a message, all of which pages of changes carry."""
    count = environment.size(10_000)
    costs, sizes = _read(environment, count, "metadata")
    figures = _reading(f"Graph: reading {count:,} messages, metadata", costs, sizes)
    figures.values = {
        "graph_metadata_vs_limit": round(costs["ours"] / costs["limit"], 2),
        "graph_metadata_vs_sdk": round(costs["sdk"] / costs["ours"]) if "sdk" in costs else None,
    }
    return figures


def mime(environment: Environment) -> Figures:
    """The same and 20 KB MIME, one request a message, four in flight."""
    count = environment.size(2_000)
    costs, sizes = _read(environment, count, "mime")
    figures = _reading(f"Graph: reading {count:,} messages, with 20 KB MIME each", costs, sizes)
    figures.values = {"graph_mime_vs_limit": round(costs["ours"] / costs["limit"], 2)}
    return figures


def pages(environment: Environment) -> Figures:
    """Pages that are in memory already, so that nothing but the reading counts."""
    count = environment.size(10_000)
    with environment.canned_graph(count) as canned:
        runs = [
            environment.child("tests.bench.graph_contenders", "parsing", canned.url, str(canned.ca), "metadata")
            for _ in range(environment.runs(3))
        ]
    costs = {name: median(run[name] for run in runs) * 1_000_000 / count for name in PAGES}
    ratios = {name: median(run["pages"] / run[name] for run in runs) for name in PAGES}
    figures = Figures("Graph: pages of messages without the download", ("what", "CPU ms per 1,000", "ours against it"))
    figures.rows = [(label, f"{costs[name]:.1f}", f"{ratios[name]:.1f}") for name, label in PAGES.items()]
    figures.values = {
        "graph_pages_vs_decoding": round(ratios["untyped"], 2),
        "graph_pages_vs_typed_decoding": round(ratios["typed"], 2),
    }
    return figures


def idle(environment: Environment) -> Figures:
    """A mailbox of thirty mail folders, two calendars, two contact folders and three lists: nothing has changed."""
    with environment.canned_graph(0, MIME_BYTES) as canned:
        runs = [
            environment.child("tests.bench.subjects", "idle", canned.url, str(canned.ca), "graph")
            for _ in range(environment.runs(5, 3))
        ]
    cpu = median(run["cpu"] for run in runs) * 1000
    requests, changed = (max(int(run[name]) for run in runs) for name in ("requests", "changed"))
    figures = Figures(
        "Graph: an idle mailbox of 30 mail folders, two calendars, two contact folders and three task lists, one of"
        " them the mirror of flagged mail",
        ("what", "measured"),
    )
    figures.rows = [
        ("HTTP requests a pass", str(requests)),
        ("HTTP requests a pass when one message has come, the one for the message among them", str(changed)),
        ("CPU a pass, new TLS connections included", f"{cpu:.1f} ms"),
    ]
    figures.values = {"graph_idle_requests": requests, "graph_idle_cpu_ms": round(cpu, 2)}
    return figures


def first_sync(environment: Environment) -> Figures:
    """A first sync with MIME, each of which takes the server 50 ms: requests in flight and in all."""
    count = environment.size(1_000)
    with environment.canned_graph(count, MIME_BYTES) as canned:
        canned.got("/slow")
        result = environment.child("tests.bench.subjects", "first", canned.url, "graph")
        flight, served = json.loads(canned.got("/in-flight")), canned.served()
    if result["items"] != count:
        raise RuntimeError(f"the first sync brought {result['items']} of {count}")
    figures = Figures(f"Graph: a first sync of {count:,} messages with MIME", ("what", "measured"))
    figures.rows = [
        ("MIME requests in flight, at most", str(flight["most"])),
        ("MIME requests in flight, on average", f"{flight['average']:.1f}"),
        ("HTTP requests", f"{int(result['requests']):,}"),
        *((f"of them {label}", f"{served.get(kind, (0, 0))[0]:,}") for kind, label in _REQUESTS.items()),
    ]
    figures.values = {"graph_in_flight": flight["most"], "graph_first_requests": int(result["requests"])}
    return figures


_REQUESTS = {"mime": "for one message's MIME", "get": "for pages of changes and listings", "batch": "batches"}


def _read(environment: Environment, count: int, what: str) -> tuple[dict[str, float], dict[str, float]]:
    """Processor seconds per 1,000 messages, and bytes a message, of each contender; runs are interleaved."""
    cpu: dict[str, list[float]] = {name: [] for name in ("ours", "limit")}
    sizes: dict[str, float] = {}
    with environment.canned_graph(count, MIME_BYTES) as canned:
        for _ in range(environment.runs(3, 3)):
            for name, found in cpu.items():
                arguments = (name, canned.url, str(canned.ca), what)
                result = environment.child("tests.bench.graph_contenders", *arguments)
                if result["items"] != count:
                    raise RuntimeError(f"{name} read {result['items']} of {count}")
                found.append(result["cpu"] * 1000 / count)
                sizes[name] = sum(size for _, size in canned.served().values()) / count
    costs = {name: median(found) for name, found in cpu.items()}
    if environment.sdk_python and what == "metadata":
        costs["sdk"], sizes["sdk"] = _sdk(environment)
    return costs, sizes


def _sdk(environment: Environment) -> tuple[float, float]:
    """msgraph-sdk, once and with a tenth of the messages: it takes so long."""
    count = environment.size(1_000)
    with environment.canned_graph(count) as canned:
        arguments = ("sdk", canned.url, str(canned.ca), "metadata")
        result = environment.child("tests.bench.graph_contenders", *arguments, python=environment.sdk_python)
        size = sum(size for _, size in canned.served().values()) / count
    if result["items"] != count:
        raise RuntimeError(f"the SDK read {result['items']} of {count}")
    return result["cpu"] * 1000 / count, size


def _reading(title: str, costs: dict[str, float], sizes: dict[str, float]) -> Figures:
    figures = Figures(title, ("client", "CPU s per 1,000", "times ours", "bytes an item"))
    figures.rows = [
        (label, f"{costs[name]:.3f}", f"{costs[name] / costs['ours']:.1f}", f"{sizes[name]:,.0f}")
        for name, label in NAMES.items()
        if name in costs
    ]
    return figures
