"""Rows of a table in PostgreSQL against one in DuckDB, on one machine.

Floors: the driver's bare fetch of the same columns of PostgreSQL's table as Arrow, by no code of
ours, and `select max(every column)` there. What is compared with a floor runs in the same rounds as
it, in turn, and a ratio is the median of the rounds' ratios. Goals X1-X4: checksums move at most
half a byte a row and 4 kB a difference, and 100 times less than fetching; fetching and comparing
takes at most 1.3 times the bare fetch; no false difference in any type; the aggregates of the first
rung at most 1.5 times `max` of every column.
"""

from __future__ import annotations

import importlib
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS, PeerFailed, readable_copy, run_peer
from benchmarks.postgres_server import PostgresServer, listening_server

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
    folder = Path(tempfile.mkdtemp(prefix="cross-"))
    try:
        with listening_server(folder / "pg") as server:
            yield from _figures(folder, server)
            yield from _peers(folder, server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _figures(folder: Path, server: PostgresServer) -> Iterator[str]:
    ours, theirs = _stores(folder, server, ROWS)
    yield f"| PostgreSQL against DuckDB, {ROWS:,} rows | seconds | ratio | bytes moved | found |"
    yield "|---|---|---|---|---|"
    plans: tuple[str | None, ...] = ("stream", "checksum", None)
    found = {plan: _compare(ours, theirs, plan) for plan in plans}
    works = [lambda plan=plan: _compare(ours, theirs, plan) for plan in plans]
    (fetch, _), *taken = _rounds([lambda: _fetch(server), *works])
    yield f"| floor: fetch PostgreSQL's columns | {fetch:.2f} | 1 | {_fetch(server):,} | |"
    for plan, (seconds, ratio) in zip(plans, taken, strict=True):
        told = f"{found[plan].missing} - {found[plan].extra} + {found[plan].changed} ~"
        moved = found[plan].plan.bytes_moved
        each = f" ({moved / ROWS:.2f} B a row)" if plan == "checksum" else ""
        label = plan or f"chosen: {found[plan].plan.name}, {found[plan].plan.reason}"
        yield f"| {label} | {seconds:.2f} | {ratio:.2f} | {moved:,}{each} | {told} |"
    (scan, _), (rung, above) = _rounds([lambda: _touch(theirs), lambda: _aggregates(theirs)])
    yield f"| floor: `max` of every column in PostgreSQL | {scan:.2f} | 1 | | |"
    yield f"| aggregates of every column there | {rung:.2f} | {above:.2f} | | |"
    with_equal = _equal(folder, server, ours)
    yield f"| checksum of equal tables, all types | | | {with_equal[1]:,} | {with_equal[0]} ~ |"


def _stores(folder: Path, server: PostgresServer, rows: int) -> tuple[Any, Any]:
    """Our table in DuckDB and theirs in PostgreSQL, as sides of a pair."""
    import duckdb
    import psycopg

    from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse

    path = folder / f"ours_{rows}.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"create or replace table ours as {_SELECT['duckdb'].format(rows=rows)}")
    step = max(1, rows // DIFFERENT)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("drop table if exists theirs, equal")
        for name in ("equal", "theirs"):
            made = _SELECT["postgres"].format(rows=rows)
            connection.execute(f"create table {name} as {made}".encode())
        connection.execute(f"update theirs set amount = amount + 1 where id % {step} = 1".encode())
        connection.execute(f"delete from theirs where id % {step * 5} = 2".encode())
        connection.execute("vacuum analyze theirs")
    # from a private copy, as a project's own warehouse is read
    store = DuckDBWarehouse(path, snapshot_dir=folder / "copies")
    return _side(store, "ours"), _side(_postgres(folder, server), "theirs", "public")


def _postgres(folder: Path, server: PostgresServer) -> Any:
    from dagster_agent.connectors.warehouses import open_warehouse

    return open_warehouse(server.target, base_dir=folder, snapshot_dir=folder)


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


def _fetch(server: PostgresServer) -> int:
    """Bytes of the columns as Arrow; numbers of fixed digits as integers, which is a third cheaper
    than what the driver makes of them."""
    adbc: Any = importlib.import_module("adbc_driver_postgresql.dbapi")
    columns = ", ".join(c if c != "amount" else "cast(amount * 100 as bigint)" for c in COLUMNS)
    with adbc.connect(server.url) as connection, connection.cursor() as cursor:
        cursor.execute(f"select id, {columns} from theirs")
        return sum(batch.nbytes for batch in cursor.fetch_record_batch())


def _touch(side: Any) -> None:
    listed = ", ".join(f'max("{c}")' for c in ("id", *COLUMNS) if c != "flag")
    side.warehouse.query(f"select {listed}, bool_or(flag) from {side.rows_sql}", purpose="floor")


def _aggregates(side: Any) -> None:
    sums = ", ".join(f"sum({c}), count({c})" for c in ("id", "customer_id", "quantity", "amount"))
    counts = ", ".join(f'count("{c}")' for c in ("note", "ratio", "at", "day", "flag"))
    side.warehouse.query(f"select count(*), {sums}, {counts} from {side.rows_sql}", purpose="rung")


def _equal(folder: Path, server: PostgresServer, ours: Any) -> tuple[int, int]:
    """False differences over every type, and bytes moved."""
    found = _compare(ours, _side(_postgres(folder, server), "equal", "public"), "checksum")
    return found.differing, found.plan.bytes_moved


def _peers(folder: Path, server: PostgresServer) -> Iterator[str]:
    ours, theirs = _stores(folder, server, PEER_ROWS)
    ((seconds, _),) = _rounds([lambda: _compare(ours, theirs, None)])
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
            taken, differing = run_peer(peer, f"duckdb://{path}", COLUMNS, server.url)
        except PeerFailed as problem:
            yield f"| {peer.name} | did not run: {problem} | | |"
            continue
        yield f"| {peer.name} | {taken:.2f} | {taken / seconds:.1f} | {differing:,} |"


def _for_peers(path: Path) -> Path:
    import duckdb

    with duckdb.connect(str(path)) as connection:
        connection.execute("create or replace view theirs as from ours limit 0")
    return readable_copy(path)


def _rounds(works: Sequence[Callable[[], Any]]) -> list[tuple[float, float]]:
    """Median seconds of each, and median of what it took in multiples of the first one's round."""
    rounds = [[_seconds(work) for work in works] for _ in range(ROUNDS)]
    return [
        (
            statistics.median(each),
            statistics.median(s / r[0] for s, r in zip(each, rounds, strict=True)),
        )
        for each in zip(*rounds, strict=True)
    ]


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
