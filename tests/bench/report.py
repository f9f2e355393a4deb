"""The table that people read, and the gate that CI holds."""

from __future__ import annotations

from typing import Any

from tests.bench.worker import OURS

Table = dict[str, dict[str, dict[str, float]]]
"""Setting -> candidate -> figures."""
Crowds = dict[str, dict[int, float]]
"""Candidate -> number of people -> ms without the network."""

MAX_RATIO = {"320 one": 1.12, "416 one": 1.08, "320 six": 1.18}
"""Loop time over the network's own time, per setting; the design's budgets."""
TOLERATED = 1.5
"""What is above 1 may be this many times the budget's before the gate closes: the ratio is a
property of the processor too, of how fast it runs networks beside Python. The loops of others rise
with ours there, and being dearer than one of them always fails."""
MAX_RSS_MB = 90.0
SIX = (5.0, 7.5)
"""People that the crowded scene must really hold, or the comparison means nothing."""


def failures(table: Table) -> list[str]:
    """What does not hold, one sentence each; empty when all is well."""
    found = [f"{name}: not measured" for name in MAX_RATIO if OURS not in table.get(name, {})]
    for name, rows in table.items():
        if OURS in rows:
            found += _over_budget(name, rows[OURS])
            found += _behind(name, rows)
    return found


def missed_budgets(table: Table) -> list[str]:
    """Ratios over the design's budget, one sentence each; to be told, whatever the gate says."""
    return [
        f"{name}: ratio {rows[OURS]['ratio']:.3f}, the design's budget is {MAX_RATIO[name]}"
        for name, rows in table.items()
        if OURS in rows and rows[OURS]["ratio"] > MAX_RATIO[name]
    ]


def _over_budget(name: str, ours: dict[str, float]) -> list[str]:
    found = []
    allowed = 1 + TOLERATED * (MAX_RATIO[name] - 1)
    if not ours["ratio"] <= allowed:
        found.append(f"{name}: ratio {ours['ratio']:.3f}, allowed is {allowed:.3f}")
    if not ours["rss_mb"] <= MAX_RSS_MB:
        found.append(f"{name}: {ours['rss_mb']:.1f} MB resident, allowed is {MAX_RSS_MB:.0f}")
    low, high = SIX if name.endswith("six") else (0.8, 1.5)
    if not low <= ours["people"] <= high:
        found.append(f"{name}: {ours['people']} people followed, expected {low} to {high}")
    return found


def _behind(name: str, rows: dict[str, dict[str, float]]) -> list[str]:
    ours = rows[OURS]["over_invoke_ms"]
    return [
        f"{name}: {ours:.3f} ms over invoke, {peer} needs {row['over_invoke_ms']:.3f}"
        for peer, row in rows.items()
        if peer != OURS and not ours < row["over_invoke_ms"]
    ]


def markdown(table: Table, crowds: Crowds, machine: dict[str, Any]) -> str:
    """The whole report."""
    about = ", ".join(f"{key} {value}" for key, value in machine.items())
    return (
        "\n\n".join([f"# Benchmark\n\n{about}", NOTE, _table(table), _crowd_table(crowds)]) + "\n"
    )


NOTE = """Times are CPU time of the candidate's one thread, medians, on one pinned core, all
candidates in turns. *over invoke* is a frame less the network's own call in that frame, *ratio* the
frame over that call. Ours runs everything (rules, alarms, journal, health, stale check, seal,
watchdog); the scripts detect, track and ask one zone. Memory is without the frames."""


def _table(table: Table) -> str:
    names = list(table)
    head = ["candidate"]
    for name in names:
        head += [f"{name}: ms/frame", "over invoke ms", "ratio", "people"]
    lines = [_line([*head, "RSS MB"]), _line(["---"] * (len(head) + 1))]
    for candidate in next(iter(table.values()), {}):
        cells = [candidate]
        for name in names:
            row = table[name][candidate]
            cells += [f"{row['frame_ms']:.3f}", f"{row['over_invoke_ms']:.3f}"]
            cells += [f"{row['ratio']:.3f}", f"{row['people']:.1f}"]
        rss = max(table[name][candidate]["rss_mb"] for name in names)
        lines.append(_line([*cells, f"{rss:.0f}"]))
    floors = ", ".join(f"{name} {_floor_ms(rows):.3f}" for name, rows in table.items())
    return "\n".join(lines) + f"\n\nFloor, a bare `invoke()` with nothing around it, ms: {floors}."


def _floor_ms(rows: dict[str, dict[str, float]]) -> float:
    return min(row["floor_ms"] for row in rows.values())


def _crowd_table(crowds: Crowds) -> str:
    counts = list(next(iter(crowds.values()), {}))
    head = ["ms without the network, by people", *(str(count) for count in counts)]
    lines = [_line(head), _line(["---"] * len(head))]
    lines += [_line([name, *(f"{row[n]:.3f}" for n in counts)]) for name, row in crowds.items()]
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
