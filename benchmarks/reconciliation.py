"""Rows of two tables in one DuckDB file: our plans against a bare scan, and against peers.

Floor: `select count(*), sum(hash(every column))` on both tables, which is what reading them costs.
Each figure is the median of paired rounds in fresh processes. Goals R1-R6: full answer at 0.01 %
differences within 2.5 times the floor's CPU (2 at 50 million rows), at 1 % within 4, equal tables
within 1.5, peak memory within 15 % of the floor's and under a 2 GB limit, aggregates by day within
0.7, and 20 times faster than data-diff's hashdiff at a million rows.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.peers import peer_lines

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
ROWS = int(10_000_000 * SCALE)
MANY_ROWS = int(50_000_000 * SCALE)
PEER_ROWS = int(1_000_000 * SCALE)
WIDE_ROWS, WIDE_COLUMNS = max(1_000, int(20_000 * SCALE)), 2_000
SHARES = (0.0, 0.0001, 0.001, 0.01, 0.05, 0.2, 0.5)
ROUNDS = 3
MEMORY_LIMIT = "2GB"

_TABLE = """
    select i as id, (i * 7919) % 100000 as customer_id, i % 7 as quantity,
           'note ' || (i % 1000) as note, (i / 8)::double as ratio,
           ((i * 31) % 1000000 / 100)::decimal(18, 2) as amount,
           timestamp '2024-01-01' + to_seconds(i::int) as at,
           date '2024-01-01' + (i % 365)::int as day, i % 3 = 0 as flag, 'code' || (i % 50) as code
    from range({rows}) t(i)
"""
_SPREAD = 200_000
"""Rows among which each kind of difference comes in its share."""

_CHILD = """
import json, sys, time
asked = json.loads(sys.argv[1])
from benchmarks import reconciliation
from benchmarks.peak import peak_mb
reconciliation.warm()
wall, cpu = time.perf_counter(), time.process_time()
told = getattr(reconciliation, asked.pop("work"))(**asked)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak_mb(), "told": told}))
"""


def run() -> Iterator[str]:
    """Lines of Markdown tables."""
    yield "| one store | CPU s | CPU / floor | wall / floor | peak MB | bytes out | found |"
    yield "|---|---|---|---|---|---|---|"
    with tempfile.TemporaryDirectory() as folder:
        for rows, shares in ((ROWS, SHARES), (MANY_ROWS, (0.0001,))):
            for share in shares:
                path = make(Path(folder), rows, share)
                yield from _figures(path, rows, share)
                path.unlink()
        yield from _wide(Path(folder) / "wide.duckdb")
        path = make(Path(folder), PEER_ROWS, 0.0001, duplicates=False)
        yield from _by_day(path)
        yield from peer_lines(path, _ours(path))


def make(folder: Path, rows: int, share: float, *, duplicates: bool = True) -> Path:
    """A file with the tables `ours` and `theirs`, `share` of whose rows are changed; missing, extra
    and duplicated are a fifth, a twentieth and a twentieth of that, all evenly spread."""
    import duckdb

    path = folder / f"rows_{rows}_{share}.duckdb"
    changed = round(_SPREAD * share)
    missing, few = changed + changed // 5, changed // 20
    with duckdb.connect(str(path)) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"create table ours as {_TABLE.format(rows=rows)}")
        place = f"(id * 7919) % {_SPREAD}"
        connection.execute(
            f"create table theirs as select * replace (case when {place} < {changed} then amount "
            "+ 1 else amount end::decimal(18, 2) as amount) from ours "
            f"where not {place} between {changed} and {missing - 1}"
        )
        added = ["id + " + str(rows), *(["id"] if duplicates else [])]
        for number, key in enumerate(added):
            first = _SPREAD - (number + 1) * few
            connection.execute(
                f"insert into theirs select * replace ({key} as id) from ours "
                f"where {place} between {first} and {first + few - 1}"
            )
    return path


def warm() -> None:
    """What a running agent has imported long since."""
    from dagster_agent.connectors.warehouses import duckdb
    from dagster_agent.reconciliation.row_comparison import comparing
    from dagster_agent.sql.guard import read_only

    _ = duckdb, comparing, read_only("select 1 as one", "duckdb")


def scan(path: str, limit: str | None = None) -> str:
    """The floor: every column of both tables is read and hashed."""
    import duckdb

    with duckdb.connect(path, read_only=True, config=_limited(limit)) as connection:
        described = connection.execute("describe ours").fetchall()
        listed = ", ".join(f'"{column[0]}"' for column in described)
        for name in ("ours", "theirs"):
            connection.execute(f"select count(*), sum(hash({listed})) from {name}").fetchall()
    return ""


def by_day(path: str) -> str:
    """Counts and sums by day, of both tables."""
    import duckdb

    with duckdb.connect(path, read_only=True) as connection:
        for name in ("ours", "theirs"):
            connection.execute(
                f"select day, count(*), sum(amount) from {name} group by day"
            ).fetchall()
    return ""


def narrow_join(path: str) -> str:
    """What we fall back to where much differs: keys and row hashes joined, then the rows."""
    return compare(path, plan="join")


def compare(path: str, share: float | None = None, plan: str = "", limit: str | None = None) -> str:
    """Our whole answer, through the guarded warehouse."""
    from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
    from dagster_agent.model import Relation
    from dagster_agent.reconciliation.comparison import EXACT, Side, TablePair
    from dagster_agent.reconciliation.config import ReconciliationConfig
    from dagster_agent.reconciliation.row_comparison import same_store
    from dagster_agent.reconciliation.row_comparison.columns import compared_columns
    from dagster_agent.reconciliation.row_comparison.comparing import compare_rows
    from dagster_agent.reconciliation.row_comparison.join_plan import compare_joined

    warehouse = DuckDBWarehouse(Path(path), settings=_limited(limit))
    relations = [Relation(name=name) for name in ("ours", "theirs")]
    schemas = warehouse.schemas(relations)
    sides = [Side(label=r.name, warehouse=warehouse, schema=schemas[r]) for r in relations]
    names = [column.name for column in sides[0].schema.columns]
    columns = dict.fromkeys(names[1:], EXACT)
    pair = TablePair(ours=sides[0], theirs=sides[1], keys=("id",), columns=columns)
    if plan == "join":
        journal = same_store.Journal()
        raw = compare_joined(pair, compared_columns(pair, native=True), 5, journal)
        return json.dumps({"differing": raw.totals["changed"], "bytes": journal.bytes_moved})
    found = compare_rows(pair, ReconciliationConfig(), expected_share=share)
    told = f"{found.plan.name}: {found.missing} - {found.extra} + {found.changed} ~"
    return json.dumps({"differing": told, "bytes": found.plan.bytes_moved})


def _limited(limit: str | None) -> dict[str, Any]:
    return {"memory_limit": limit} if limit else {}


def _child(work: str, **asked: Any) -> Mapping[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, json.dumps({"work": work, **asked})],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def _figures(path: Path, rows: int, share: float) -> Iterator[str]:
    works: dict[str, dict[str, Any]] = {
        "floor": {"work": "scan"},
        "ours, no former run": {"work": "compare"},
        "ours, last share known": {"work": "compare", "share": share},
        "narrow join": {"work": "narrow_join"},
    }
    if rows == MANY_ROWS:
        del works["narrow join"]
        works |= {
            f"floor, {MEMORY_LIMIT}": {"work": "scan", "limit": MEMORY_LIMIT},
            f"ours, {MEMORY_LIMIT}": {"work": "compare", "limit": MEMORY_LIMIT},
        }
    rounds = [
        {name: _child(path=str(path), **asked) for name, asked in works.items()}
        for _ in range(ROUNDS)
    ]
    for name in works:
        floor = f"floor, {MEMORY_LIMIT}" if name.endswith(MEMORY_LIMIT) else "floor"
        yield _line(f"{rows:,} rows, {share:.2%} differ: {name}", rounds, name, floor)


def _line(label: str, rounds: list[dict[str, Mapping[str, Any]]], name: str, floor: str) -> str:
    def median(what: str) -> float:
        return statistics.median(r[name][what] for r in rounds)

    def ratio(what: str) -> float:
        return statistics.median(r[name][what] / r[floor][what] for r in rounds)

    told = json.loads(rounds[0][name]["told"] or "{}")
    return (
        f"| {label} | {median('cpu'):.2f} | {ratio('cpu'):.2f} | {ratio('wall'):.2f} | "
        f"{median('peak'):.0f} | {told.get('bytes', '')} | {told.get('differing', '')} |"
    )


def _by_day(path: Path) -> Iterator[str]:
    rounds = [
        {name: _child(name, path=str(path)) for name in ("scan", "by_day")} for _ in range(ROUNDS)
    ]
    yield _line(f"{PEER_ROWS:,} rows: aggregates by day", rounds, "by_day", "scan")


def _wide(path: Path) -> Iterator[str]:
    """Two tables of very many columns, in three of which some values differ."""
    import duckdb

    columns = ", ".join(f"i * 31 + {n} as c{n}" for n in range(1, WIDE_COLUMNS))
    changed = ", ".join(f"c{n} + (id % 1000 = 1)::int as c{n}" for n in (7, 900, 1900))
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"create table ours as select i as id, {columns} from range({WIDE_ROWS}) t(i)"
        )
        connection.execute(f"create table theirs as select * replace ({changed}) from ours")
    rounds = [
        {name: _child(name, path=str(path)) for name in ("scan", "compare")} for _ in range(ROUNDS)
    ]
    size = f"{WIDE_ROWS:,} rows of {WIDE_COLUMNS:,} columns"
    yield _line(f"{size}: floor", rounds, "scan", "scan")
    yield _line(f"{size}: ours, no former run", rounds, "compare", "scan")


def _ours(path: Path) -> float:
    """Wall seconds of our whole answer, imports and all excluded."""
    return statistics.median(_child("compare", path=str(path))["wall"] for _ in range(ROUNDS))
