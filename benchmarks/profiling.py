"""What a profile of a table costs, and what others take for the same.

Floor on DuckDB: CPU seconds of one scan that hashes every column. Floor on PostgreSQL: those of
the server for one scan that hashes every row. Each plan runs in a fresh process, the order
alternates, ratios are medians of rounds. Peers: `SUMMARIZE`, a Great Expectations suite that asks
for the same numbers, and fg-data-profiling where it installs.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks import peers
from benchmarks.postgres_server import PostgresServer, listening_server

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
P1_ROWS = max(20_000, int(10_000_000 * SCALE))
P2_ROWS = max(20_000, int(5_000_000 * SCALE))
P3_ROWS = max(20_000, int(1_000_000 * SCALE))
ROUNDS = 3
_SESSION_ENDS = 0.3
"""Seconds after which a server has counted a session that has ended."""

_NUMBERS = ["id", "k1", "k2", "k3", "f1", "f2", "d1", "d2", "f3", "k4"]
_TEXTS = ["email", "country", "status", "note", "sku", "cat"]
_COLUMNS = [*_NUMBERS, *_TEXTS, "ts", "day", "b1", "b2"]
_PG_COLUMNS = ["id", "k2", "f1", "f2", "d1", "country", "status", "note", "ts", "b1"]
_TABLE = """
    CREATE TABLE t AS SELECT i AS id, i % 1000 AS k1, (random() * 1e6)::BIGINT AS k2,
    (i * 7919) % 100003 AS k3, random() * 100 AS f1,
    CASE WHEN random() < 0.05 THEN NULL ELSE random() * 1e3 END AS f2,
    (random() * 1e4)::DECIMAL(12, 2) AS d1, (random() * 1e5)::DECIMAL(18, 4) AS d2,
    random() AS f3, (random() * 50)::INT AS k4, 'u' || (random() * 1e6)::INT || '@x.org' AS email,
    ['DE', 'FR', 'US', 'GB'][1 + (random() * 3)::INT] AS country,
    ['new', 'paid', 'sent'][1 + (random() * 2)::INT] AS status, md5(i::VARCHAR) AS note,
    'SKU-' || (i % 5000) AS sku, CASE WHEN random() < 0.3 THEN '' ELSE 'c' || (i % 20) END AS cat,
    TIMESTAMP '2026-01-01' + to_seconds(i % 8000000) AS ts,
    DATE '2026-01-01' + (i % 300)::INT AS day, random() < 0.3 AS b1, i % 2 = 0 AS b2
    FROM range({rows}) r(i)
"""
_PG_TABLE = """
    CREATE TABLE t AS SELECT i AS id, (random() * 1e6)::bigint AS k2, random() * 100 AS f1,
    CASE WHEN random() < 0.05 THEN NULL ELSE random() * 1e3 END AS f2,
    (random() * 1e4)::numeric(12, 2) AS d1,
    (ARRAY['DE', 'FR', 'US', 'GB'])[1 + (random() * 3)::int] AS country,
    (ARRAY['new', 'paid', 'sent'])[1 + (random() * 2)::int] AS status, md5(i::text) AS note,
    timestamp '2026-01-01' + make_interval(secs => i % 8000000) AS ts, random() < 0.3 AS b1
    FROM generate_series(1, {rows}) i
"""
_TIMED = """
import json, sys, time, warnings
from benchmarks.peak import peak_mb
warnings.simplefilter("ignore")
given = json.loads(sys.argv[1])
{prepare}
wall, cpu = time.perf_counter(), time.process_time()
{work}
print()
print(json.dumps({{"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall,
    "mb": peak_mb()}}))
"""
_DUCKDB = "import duckdb; connection = duckdb.connect(given['path'], read_only=True)"
_OWN = """
from datetime import UTC, datetime
from pathlib import Path
import sqlglot
from dagster_agent.anomaly.profiling.measure import Known, profile_table
from dagster_agent.model import Relation
if "path" in given:
    from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
    warehouse = DuckDBWarehouse(Path(given["path"]))
else:
    from dagster_agent.connectors.warehouses.postgres import PostgresWarehouse
    from dagster_agent.connectors.warehouses.postgres_profile import read_target
    warehouse = PostgresWarehouse(read_target(given["target"]))
relation = Relation(name="t")
schema = warehouse.schemas([relation])[relation]
now = datetime(2026, 11, 21, tzinfo=UTC)
known = Known()
if given.get("again"):
    first = profile_table(schema.relation, schema, warehouse, now)
    known = Known(distributions={d.column: d for d in first.distributions})
"""
_PROFILE = "profile_table(schema.relation, schema, warehouse, now, known=known)"
_GX = """
import os
os.environ["GX_ANALYTICS_ENABLED"] = "False"
import great_expectations as gx
from great_expectations import expectations as gxe
context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {"globally": False}
if "gx" in given:
    source = context.data_sources.add_sql("s", connection_string=given["gx"])
    asset = source.add_table_asset("t", table_name="t")
    batch = asset.add_batch_definition_whole_table("b").get_batch()
else:
    import duckdb
    frame = duckdb.connect(given["path"], read_only=True).execute("FROM t").df()
    source = context.data_sources.add_pandas("s")
    asset = source.add_dataframe_asset("t")
    batch = asset.add_batch_definition_whole_dataframe("b").get_batch({"dataframe": frame})
suite = gx.ExpectationSuite(name="profile")
for column in given["columns"]:
    suite.add_expectation(gxe.ExpectColumnValuesToNotBeNull(column=column, mostly=0))
    suite.add_expectation(gxe.ExpectColumnUniqueValueCountToBeBetween(column=column, min_value=0))
    if column in given["numbers"]:
        for kind in ("Min", "Max", "Mean", "Stdev", "Sum"):
            made = getattr(gxe, f"ExpectColumn{kind}ToBeBetween")
            suite.add_expectation(made(column=column, min_value=-1e15))
        suite.add_expectation(gxe.ExpectColumnQuantileValuesToBeBetween(column=column,
            quantile_ranges={"quantiles": [0.05, 0.5, 0.95], "value_ranges": [[None, 1e15]] * 3}))
    elif column in given["texts"]:
        suite.add_expectation(gxe.ExpectColumnValueLengthsToBeBetween(column=column, min_value=0))
"""
_FG = """
import duckdb
frame = duckdb.connect(given["path"], read_only=True).execute("FROM t").df()
from data_profiling import ProfileReport
"""


def run() -> Iterator[str]:
    """Lines of Markdown tables: P1, P2 and P3."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _p1(Path(folder) / "p1.duckdb")
        yield ""
        yield from _p2(Path(folder) / "pg")
        yield ""
        yield from _p3(Path(folder) / "p3.duckdb")


def _p1(path: Path) -> Iterator[str]:
    _make_duckdb(path, P1_ROWS)
    given = {"path": str(path)}
    hashed = ", ".join(_COLUMNS)
    plans = {
        "floor: one scan, all columns hashed": (_DUCKDB, _fetched(f"sum(hash({hashed}))"), given),
        "profile, first": (_OWN, _PROFILE, given),
        "profile, again": (_OWN, _PROFILE, {**given, "again": True}),
        "`SUMMARIZE`": (_DUCKDB, "connection.execute('SUMMARIZE t').fetchall()", given),
    }
    yield f"| P1: DuckDB, {P1_ROWS:,} x 20 | CPU s | ratio | peak MB | target |"
    yield "|---|---|---|---|---|"
    targets = {"profile, again": "5", "profile, first": "5"}
    found = _rounds(plans)
    for name, (seconds, ratio, peak) in _ratios(found, "cpu").items():
        yield f"| {name} | {seconds:.2f} | {ratio:.2f} | {peak:.0f} | {targets.get(name, '')} |"
    share = _share(found, "profile, first", "`SUMMARIZE`", "cpu")
    yield f"| profile, first, against `SUMMARIZE` | | {share:.2f} | | 0.25 |"


def _p2(data: Path) -> Iterator[str]:
    import psycopg

    with listening_server(data) as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(_PG_TABLE.format(rows=P2_ROWS).encode())
            connection.execute("VACUUM ANALYZE t")
        yield from _p2_lines(server, data)


def _p2_lines(server: PostgresServer, data: Path) -> Iterator[str]:
    numbers = [c for c in _PG_COLUMNS if c in _NUMBERS]
    texts = [c for c in _PG_COLUMNS if c in _TEXTS]
    connect = "import psycopg; connection = psycopg.connect(given['url'])"
    dsn = server.url.replace("postgresql", "postgresql+psycopg2", 1)
    suite = {"gx": dsn, "columns": _PG_COLUMNS, "numbers": numbers, "texts": texts}
    plans = {
        "floor: one scan, every row hashed": (
            connect,
            _fetched("sum(hashtext(t::text)::bigint)"),
            {"url": server.url},
        ),
        "profile, again": (_OWN, _PROFILE, {"target": dict(server.target), "again": True}),
        "profile, first": (_OWN, _PROFILE, {"target": dict(server.target)}),
        "Great Expectations, same numbers": (_GX, "batch.validate(suite)", suite),
    }
    found = _rounds(plans, server=data)
    yield f"| P2: PostgreSQL, {P2_ROWS:,} x 10 | s | CPU s of the server | ratio of it | target |"
    yield "|---|---|---|---|---|"
    taken = _ratios(found, "wall")
    for name, (seconds, ratio, _) in _ratios(found, "server").items():
        target = "1.5" if name.startswith("profile") else ""
        yield f"| {name} | {taken[name][0]:.2f} | {seconds:.2f} | {ratio:.2f} | {target} |"
    share = _share(found, "Great Expectations, same numbers", "profile, first", "wall")
    yield f"| Great Expectations against profile, first | {share:.1f} | | | 10 or more |"


def _p3(path: Path) -> Iterator[str]:
    _make_duckdb(path, P3_ROWS)
    given = {"path": str(path), "columns": _COLUMNS, "numbers": _NUMBERS, "texts": _TEXTS}
    plans: dict[str, tuple[str, str, Mapping[str, object]]] = {
        "profile, first": (_OWN, _PROFILE, given),
        "Great Expectations on pandas, same numbers": (_GX, "batch.validate(suite)", given),
    }
    found = _rounds(plans)
    yield f"| P3: {P3_ROWS:,} x 20 | CPU s | ratio to the profile | peak MB | target |"
    yield "|---|---|---|---|---|"
    for name, (seconds, ratio, peak) in _ratios(found, "cpu").items():
        target = "3.3 or more" if name.startswith("Great") else ""
        yield f"| {name} | {seconds:.2f} | {ratio:.2f} | {peak:.0f} | {target} |"
    yield _fg_line(given, statistics.median(each["cpu"] for each in found["profile, first"]))


def _fg_line(given: Mapping[str, object], own: float) -> str:
    name = "fg-data-profiling, minimal"
    try:
        python = str(peers.python_of("fg-data-profiling", ("fg-data-profiling", "duckdb")))
        work = "ProfileReport(frame, minimal=True, progress_bar=False).get_description()"
        took = _seconds(_FG, work, given, python=python)
    except (peers.PeerFailed, subprocess.CalledProcessError) as problem:
        return f"| {name} | did not run: {problem} | | | 20 or more |"
    cells = (f"{took['cpu']:.2f}", f"{took['cpu'] / own:.1f}", f"{took['mb']:.0f}")
    return f"| {name} | {' | '.join(cells)} | 20 or more |"


def _fetched(expression: str) -> str:
    return f"connection.execute({f'SELECT count(*), {expression} FROM t'!r}).fetchall()"


def _make_duckdb(path: Path, rows: int) -> None:
    import duckdb

    with duckdb.connect(str(path)) as connection:
        connection.execute(f"SELECT setseed(0.5); {_TABLE.format(rows=rows)}")


def _rounds(
    plans: Mapping[str, tuple[str, str, Mapping[str, object]]], *, server: Path | None = None
) -> dict[str, list[dict[str, float]]]:
    """What each plan took in each round; every second round in the other order.

    Args:
        plans: By name, what to prepare, what to measure, and what both are given.
        server: Folder of a PostgreSQL server whose work counts too.
    """
    found: dict[str, list[dict[str, float]]] = {name: [] for name in plans}
    for turn in range(ROUNDS):
        order = list(plans)[:: 1 if turn % 2 == 0 else -1]
        for name in order:
            before = _server_cpu(server)
            took = _seconds(*plans[name])
            found[name].append({**took, "server": _server_cpu(server) - before})
    return found


def _server_cpu(folder: Path | None) -> float:
    """CPU seconds of a PostgreSQL server and of its sessions that have ended."""
    if folder is None:
        return 0.0
    time.sleep(_SESSION_ENDS)
    (pid, *_) = (folder / "postmaster.pid").read_text().split()
    # the name before it may hold spaces; then user and system time, of its own and of children
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _ratios(
    found: Mapping[str, Sequence[Mapping[str, float]]], unit: str
) -> dict[str, tuple[float, float, float]]:
    """By plan: seconds, ratio to the first plan, peak megabytes; medians."""
    floor = next(iter(found))
    return {
        name: (
            statistics.median(each[unit] for each in rounds),
            _share(found, name, floor, unit),
            statistics.median(each["mb"] for each in rounds),
        )
        for name, rounds in found.items()
    }


def _share(
    found: Mapping[str, Sequence[Mapping[str, float]]], one: str, other: str, unit: str
) -> float:
    pairs = zip(found[one], found[other], strict=True)
    return statistics.median(a[unit] / b[unit] for a, b in pairs)


def _seconds(
    prepare: str, work: str, given: Mapping[str, object], *, python: str = sys.executable
) -> dict[str, float]:
    code = _TIMED.format(prepare=prepare, work=work)
    command = [python, "-c", code, json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    took: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return took
