"""The same numbers from other engines, and text for those that nobody can run here."""

from __future__ import annotations

import importlib
import logging
import warnings
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from dagster_agent.anomaly.profiling.categories import label_sql
from dagster_agent.anomaly.profiling.daily import read_days
from dagster_agent.anomaly.profiling.event_time import event_time
from dagster_agent.anomaly.profiling.grammar import Grammar
from dagster_agent.anomaly.profiling.kinds import Kind, measured_columns
from dagster_agent.anomaly.profiling.measure import Known, profile_table
from dagster_agent.anomaly.profiling.statement import Extent, statements
from dagster_agent.anomaly.profiling_config import ProfilingConfig
from dagster_agent.connectors.warehouses import open_warehouse
from dagster_agent.connectors.warehouses.config import WarehouseConfig
from dagster_agent.connectors.warehouses.postgres import PostgresWarehouse
from dagster_agent.connectors.warehouses.postgres_profile import read_target
from dagster_agent.errors import ConfigError
from dagster_agent.model import ColumnSchema, Relation, TableProfile
from dagster_agent.sql.functions import DIALECTS
from dagster_agent.sql.guard import judge
from tests.postgres_server import Postgres
from tests.snowflake_server import snowflake_server

NOW = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)
_TABLES = """
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE TABLE "Größe 1" AS
    SELECT i AS id, (i / 10.0)::numeric(10, 2) AS amount, 'e' || i || '@x.org' AS email,
           CASE WHEN i % 10 = 0 THEN 'NaN' ELSE i::float8 END AS ratio,
           CASE WHEN i % 4 > 0 THEN 'open' END AS status, i % 5 = 0 AS paid,
           'good'::mood AS mood, '{}'::json AS doc, ARRAY[i] AS list, '1 day'::interval AS span,
           'a'::char(5) AS padded, (i % 7)::smallint AS grade,
           TIMESTAMPTZ '2026-11-21 06:00:00Z' - make_interval(mins => (i * 14.4)::int) AS made_at
    FROM generate_series(0, 999) i;
    CREATE VIEW some_view AS SELECT id FROM "Größe 1";
    CREATE TABLE large AS SELECT i AS id, i % 1000 AS thousand, md5(i::text) AS note
    FROM generate_series(1, 60000) i;
    CREATE TABLE mixed AS
    SELECT i % 3 AS n, i % 19 AS n_, i % 20 AS a, i % 21 AS b, i % 23 AS c,
           CASE WHEN i % 4 > 0 THEN 'v' || i % 5 END AS word
    FROM generate_series(1, 5000) i;
    CREATE TABLE nothing (id int, amount numeric, note text, at timestamp);
    ANALYZE;
"""
_WIDE = f"CREATE TABLE wide ({', '.join(f'c{n} int' for n in range(1500))})"

_SNOWFLAKE = """
    CREATE TABLE t AS SELECT i AS id, i / 2.0::float AS ratio, i % 5 = 0 AS paid,
    CASE WHEN i % 4 > 0 THEN 'open' END AS status FROM (
        SELECT row_number() OVER (ORDER BY 1) - 1 AS i FROM TABLE(generator(rowcount => 100))
    )
"""


@pytest.fixture(scope="module")
def warehouse(postgres_server: Postgres) -> PostgresWarehouse:
    name = postgres_server.create("profiles")
    postgres_server.sql(_TABLES, name)
    postgres_server.sql(_WIDE, name)
    return PostgresWarehouse(read_target(postgres_server.target(name)))


def _profile(
    warehouse: PostgresWarehouse,
    name: str,
    config: ProfilingConfig | None = None,
    known: Known | None = None,
) -> TableProfile:
    relation = Relation(schema="public", name=name)
    schema = warehouse.schemas([relation])[relation]
    return profile_table(relation, schema, warehouse, NOW, config=config, known=known)


def test_postgres_measures_every_kind_of_column(warehouse: PostgresWarehouse) -> None:
    config = ProfilingConfig(segments=("status",), patterns={"email": r"e\d+@x\.org"})
    profile = _profile(warehouse, "Größe 1", config, Known(key=("id",)))
    found, metrics = {c.name: c for c in profile.columns}, profile.metrics()
    assert (profile.row_count, profile.distinct_by, profile.unmeasured) == (1000, "sample", {})
    amount, ratio = found["amount"], found["ratio"]
    assert (amount.minimum, amount.maximum, amount.mean) == (0, 99.9, pytest.approx(49.95))
    assert (amount.distinct_estimate, amount.zero_count) == (1000, 1)
    assert amount.quantiles["q50"] == pytest.approx(49.95)
    assert (ratio.not_finite_count, ratio.maximum, ratio.null_count) == (100, 999, 0)
    assert (found["status"].null_count, found["paid"].true_count) == (250, 200)
    assert (found["doc"].distinct_estimate, found["doc"].null_count) == (None, 0)
    assert metrics["share.status=open"] == 1
    assert metrics["duplicate_share.id"] == 0
    assert metrics["match_share.email"] == 1
    assert metrics["row_count{status=open}"] == 750
    grade = next(d for d in profile.distributions if d.column == "grade")
    assert (grade.kind, grade.labels[0], grade.counts[0]) == ("category", "0", 143)
    assert "@x.org" not in repr(profile)


def test_postgres_estimates_distinct_values_from_a_sample(warehouse: PostgresWarehouse) -> None:
    profile = _profile(warehouse, "large", ProfilingConfig(sample_rows=6000))
    found = {c.name: c for c in profile.columns}
    assert profile.row_count == 60_000
    assert found["id"].distinct_estimate == 60_000
    assert found["note"].distinct_estimate == 60_000
    assert found["thousand"].distinct_estimate == pytest.approx(1000, rel=0.1)
    assert found["id"].maximum == 60_000


@pytest.mark.parametrize("columns", ["n n_ word", "n n_ a b c word"])
def test_postgres_counts_categories_by_combination_or_by_row(
    warehouse: PostgresWarehouse, columns: str
) -> None:
    relation = Relation(name="mixed")
    schema = warehouse.schemas([relation])[relation]
    wanted = [column for column in schema.columns if column.name in columns.split()]
    found = profile_table(schema.relation, replace(schema, columns=tuple(wanted)), warehouse, NOW)
    told = {
        each.column: dict(zip(each.labels, each.counts, strict=True))
        for each in found.distributions
    }
    assert set(told) == set(columns.split())
    for column, counts in told.items():
        sql = f"SELECT {column}::text, count(*) FROM mixed WHERE {column} IS NOT NULL GROUP BY 1"
        rows = warehouse.query(sql, purpose="count", max_rows=100).rows
        assert sorted(counts.values()) == sorted(float(str(number)) for _, number in rows)


def test_postgres_views_empty_and_wide_tables(warehouse: PostgresWarehouse) -> None:
    view = _profile(warehouse, "some_view", ProfilingConfig(sample_rows=1000))
    assert (view.row_count, view.columns[0].sum) == (1000, 499_500)
    nothing = _profile(warehouse, "nothing")
    assert (nothing.row_count, nothing.columns[1].mean, nothing.distributions) == (0, None, ())
    wide = _profile(warehouse, "wide", ProfilingConfig(max_columns=5))
    assert len(wide.columns) == 1500


def test_postgres_over_the_budget(warehouse: PostgresWarehouse) -> None:
    stored = warehouse.facts([Relation(schema="public", name="large")])
    (size,) = [facts.bytes for facts in stored.values()]
    assert size
    profile = _profile(warehouse, "large", ProfilingConfig(max_bytes_per_profile=size // 4))
    assert (profile.scope, profile.row_count, profile.bytes) == ("sample", 60_000, size)
    assert profile.rows_read
    assert 5_000 < profile.rows_read < 30_000
    assert profile.notes[0].startswith("a sample of ")
    assert "max_bytes_per_profile is" in profile.notes[0]


def test_postgres_days(warehouse: PostgresWarehouse) -> None:
    relation = Relation(schema="public", name="Größe 1")
    columns = measured_columns(warehouse.schemas([relation])[relation].columns, "postgres")
    by = event_time(columns, configured="made_at", declared=())
    assert by
    days = read_days(
        relation,
        columns,
        by,
        warehouse,
        since=date(2026, 11, 15),
        now=NOW,
        config=ProfilingConfig(),
    )
    assert days.note == ""
    with pytest.raises(ConfigError, match="were not read: 6 days would take"):
        read_days(
            relation,
            columns,
            by,
            warehouse,
            since=date(2026, 11, 15),
            now=NOW,
            config=ProfilingConfig(max_bytes_per_profile=1),
        )
    rows = {day.day: found["daily.row_count"] for day, found in days.metrics.items()}
    assert rows == {15: 100, 16: 100, 17: 100, 18: 100, 19: 100, 20: 100}
    assert days.metrics[date(2026, 11, 20)]["daily.true_share.paid"] == 0.2


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_reads_its_statements(dialect: str) -> None:
    types = {"n": "INT", "f": "FLOAT", "t": "VARCHAR", "b": "BOOLEAN", "d": "DATE", "z": "DECIMAL"}
    columns = measured_columns([ColumnSchema(name=n, type=t) for n, t in types.items()], dialect)
    grammar = Grammar(dialect)
    for share, view, sample_only in ((1, False, False), (0.01, True, False), (0.01, False, True)):
        extent = Extent(relation="t", view=view, share=share, sample_only=sample_only)
        for statement in statements(columns, columns[:1], extent, grammar, {"n": (1.5,)}):
            assert judge(statement.sql, dialect).allowed, statement.sql
    first = columns[2]
    for expression in (
        grammar.matches(grammar.name("t"), "[a-z]+"),
        grammar.day(grammar.name("d"), zoned=True),
        label_sql(first, grammar),
        grammar.fingerprint(grammar.text(grammar.name("t"))),
    ):
        verdict = judge(f"SELECT {expression} AS v FROM t", dialect)
        assert verdict.allowed, (expression, verdict.reason)


def test_families_of_types() -> None:
    told = {
        "postgres": {"MONEY": Kind.OTHER, "CITEXT": Kind.TEXT, "UUID": Kind.PLAIN, "": Kind.OTHER},
        "snowflake": {"NUMBER(38,0)": Kind.NUMBER, "VARIANT": Kind.OTHER, "TEXT": Kind.TEXT},
        "bigquery": {"INT64": Kind.NUMBER, "STRUCT<a INT64>": Kind.OTHER, "BOOL": Kind.TRUTH},
        "duckdb": {"ENUM('a')": Kind.PLAIN, "TIME": Kind.PLAIN, "TIMESTAMP_S": Kind.MOMENT},
    }
    for dialect, types in told.items():
        columns = [ColumnSchema(name=type_, type=type_) for type_ in types]
        assert {c.name: c.kind for c in measured_columns(columns, dialect)} == types


@pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result:UserWarning")
def test_snowflake_through_its_emulation(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        connector: Any = importlib.import_module("snowflake.connector")
    with snowflake_server() as login:
        logging.getLogger("uvicorn").setLevel(logging.ERROR)
        with connector.connect(**login, database="SHOP", schema="PUBLIC") as connection:
            connection.cursor().execute(_SNOWFLAKE)
        target = {"type": "snowflake", "database": "shop", "schema": "public", **login}
        warehouse: Any = open_warehouse(
            target, base_dir=tmp_path, snapshot_dir=tmp_path, config=WarehouseConfig()
        )
        relation = Relation(database="SHOP", schema="PUBLIC", name="T")
        schema = warehouse.schemas([relation])[relation]
        config = ProfilingConfig(segments=("STATUS",))
        profile = profile_table(
            relation, schema, warehouse, NOW, config=config, known=Known(key=("ID",))
        )
        again = Known(distributions={d.column: d for d in profile.distributions})
        second = profile_table(relation, schema, warehouse, NOW, config=config, known=again)
        warehouse.close()
    metrics = profile.metrics()
    assert (profile.row_count, profile.unmeasured) == (100, {})
    assert metrics["mean.RATIO"] == 24.75
    assert metrics["q50.RATIO"] == 24.75
    assert metrics["null_share.STATUS"] == 0.25
    assert metrics["share.STATUS=open"] == 1
    assert metrics["row_count{STATUS=open}"] == 75
    assert metrics["duplicate_share.ID"] == 0
    assert metrics["true_share.PAID"] == 0.2
    counts = {d.column: sum(d.counts) for d in second.distributions}
    assert counts == {"ID": 100, "RATIO": 100, "STATUS": 75}
