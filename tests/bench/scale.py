"""Simulates a day of deployments of three sizes and writes the tables of docs/scale.md: `python -m tests.bench.scale`.

Prices are list prices in US dollars as docs/deploy.md has them; docs/scale.md says where they come from.
"""

import sys
from dataclasses import dataclass, replace

from tests.bench.environment import ROOT
from tests.bench.scale_model import Day, Deployment, Simulation

PAGE = ROOT / "docs" / "scale.md"
BEGIN, END = "<!-- simulation: begin -->", "<!-- simulation: end -->"
DAYS = 30.4
EUR_A_DOLLAR = 0.88
"""An assumption: no list of prices in euros could be read."""

SIZES = (
    Deployment(1_000),
    Deployment(100_000),
    Deployment(1_000_000, instances=150),
)
OUTAGE = (10 * 3600, 11 * 3600)

LIMITS = {
    "queues": ("queue messages per second in one queue, sent, received, and deleted", 3 * 2_000),
    "storage": ("requests per second to one Storage account", 20_000),
    "vault": ("reads per second of one Key Vault", 400),
}
"""Documented limits: FACTS of Queue and Table Storage, Key Vault (4,000 in ten seconds)."""


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit costs, in dollars."""

    label: str
    dollars: float


GIGABYTE_SECOND = 0.000026
EXECUTION = 0.40 / 1_000_000
PRICES = {
    "vault": Price("Key Vault", 0.03 / 10_000),
    "blob writes": Price("blob writes", 0.065 / 10_000),
    "blob reads": Price("blob reads and leases", 0.005 / 10_000),
    "tables": Price("tables", 0.004 / 10_000),
    "queues": Price("queues", 0.004 / 10_000),
}
LOG_BYTES = 5_000
LOG_GIGABYTE = 2.76
MEMORY_GB = 2


def monthly(day: Day) -> dict[str, float]:
    """Dollars a month, by what they are paid for; without the mail that is kept and without fixed costs."""
    costs = {
        "compute": day.instance_seconds * MEMORY_GB * GIGABYTE_SECOND,
        "executions": day.total["passes"] * EXECUTION,
        **{price.label: day.total.get(name, 0.0) * price.dollars for name, price in PRICES.items()},
        "logs": day.total["passes"] * LOG_BYTES / 1e9 * LOG_GIGABYTE,
    }
    return {name: cost * DAYS for name, cost in costs.items()}


def tables() -> str:
    """The tables of the page."""
    days = [Simulation(size).run() for size in SIZES]
    outages = [Simulation(replace(size, outage=OUTAGE)).run() for size in SIZES]
    app_only = [Simulation(replace(size, delegated=False)).run() for size in SIZES]
    return "\n\n".join([_day_table(days, outages), _limit_table(days), _cost_table(days, app_only)])


def _day_table(days: list[Day], outages: list[Day]) -> str:
    rows = [
        ("instances at most, of so many allowed", [f"{day.most_instances} of {size.instances}"
                                                   for size, day in zip(SIZES, days, strict=True)]),
        ("age of a copy, median", [_minutes(day.age(0.5)) for day in days]),
        ("age of a copy, 95 %", [_minutes(day.age(0.95)) for day in days]),
        ("age of a copy, 99.9 %", [_minutes(day.age(0.999)) for day in days]),
        ("due messages waiting, at most", [f"{day.deepest:,.0f}" for day in days]),
        ("age of a copy, 99.9 %, on a day with an hour's outage", [_minutes(day.age(0.999)) for day in outages]),
        ("due messages waiting, at most, on that day", [f"{day.deepest:,.0f}" for day in outages]),
    ]  # fmt: skip
    return _table("a day", rows)


def _limit_table(days: list[Day]) -> str:
    rows = [
        (
            label,
            [f"{day.peak.get(name, 0.0):,.0f} of {limit:,} ({day.peak.get(name, 0.0) / limit:.0%})" for day in days],
        )
        for name, (label, limit) in LIMITS.items()
    ]
    return _table("at the busiest second", rows)


def _cost_table(days: list[Day], app_only: list[Day]) -> str:
    costs = [monthly(day) for day in days]
    rows = [(f"{name}, USD", [f"{cost[name]:,.0f}" for cost in costs]) for name in costs[0]]
    totals = [sum(cost.values()) for cost in costs]
    rows += [
        ("**together, USD**", [f"**{total:,.0f}**" for total in totals]),
        ("together, EUR", [f"{total * EUR_A_DOLLAR:,.0f}" for total in totals]),
        ("with app-only access, USD", [f"{sum(monthly(day).values()):,.0f}" for day in app_only]),
        ("per mailbox, US cents", [f"{total / size.mailboxes * 100:.1f}"
                                   for size, total in zip(SIZES, totals, strict=True)]),
    ]  # fmt: skip
    return _table("a month", rows)


def _table(head: str, rows: list[tuple[str, list[str]]]) -> str:
    lines = [f"| {head} | {' | '.join(f'{size.mailboxes:,} mailboxes' for size in SIZES)} |", "|---|---|---|---|"]
    return "\n".join([*lines, *(f"| {label} | {' | '.join(cells)} |" for label, cells in rows)])


def _minutes(seconds: int) -> str:
    return f"{seconds / 60:.0f} min"


def main() -> None:
    """Simulate, print the tables, and put them into the page."""
    found = tables()
    print(found)
    if "--print" not in sys.argv:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{found}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
